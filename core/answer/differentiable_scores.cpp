#include "core/answer/differentiable_scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <vector>

#include "core/forward/index_tensor.h"

namespace mezo {

namespace {

// One number for each token that has a part in an option's score.
struct Parts {
  std::vector<std::int64_t> token, option;
  std::vector<float> share;
  void add(std::int64_t t, std::int64_t o, float s) {
    token.push_back(t);
    option.push_back(o);
    share.push_back(s);
  }
};

Parts parts_of(const PackedQuestions& packed) {
  Parts parts;
  const std::int64_t listed = packed.token_offsets.back();
  for (std::size_t e = 0; e < packed.score.size(); ++e)
    for (std::int64_t o = packed.option_offsets[e]; o < packed.option_offsets[e + 1]; ++o) {
      const auto p = static_cast<std::size_t>(o);
      const std::int64_t begin = packed.token_offsets[p], end = packed.token_offsets[p + 1];
      const float share =
          packed.score[e] == Question::Score::sum ? 1.0f : 1.0f / static_cast<float>(end - begin);
      for (std::int64_t t = begin; t < end; ++t) parts.add(t, o, share);
      for (std::int64_t t = packed.subtracted_offsets[p]; t < packed.subtracted_offsets[p + 1]; ++t)
        parts.add(listed + t, o, -1.0f);
    }
  return parts;
}

}  // namespace

at::Tensor differentiable_scores(const PackedQuestions& packed, const at::Tensor& tokens,
                                 std::int64_t width) {
  const Parts parts = parts_of(packed);
  const std::int64_t streams = tokens.size(0), options = packed.option_offsets.back();
  const at::Tensor shares = at::tensor(parts.share, tokens.options());
  const at::Tensor sums =
      at::zeros({streams, options}, tokens.options())
          .index_add(1, index_tensor(parts.option, tokens.device()),
                     tokens.index_select(1, index_tensor(parts.token, tokens.device())) * shares);
  std::vector<std::int64_t> places;
  for (std::int64_t e = 0; e < packed.questions(); ++e) {
    const auto i = static_cast<std::size_t>(e);
    const std::int64_t own = packed.option_offsets[i + 1] - packed.option_offsets[i];
    for (std::int64_t o = 0; o < own; ++o) places.push_back(e * width + o);
  }
  return at::full({streams, packed.questions() * width}, -std::numeric_limits<float>::infinity(),
                  tokens.options())
      .index_copy(1, index_tensor(places, tokens.device()), sums)
      .view({streams, packed.questions(), width});
}

}  // namespace mezo
