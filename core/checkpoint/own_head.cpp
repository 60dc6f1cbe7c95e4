#include "core/checkpoint/own_head.h"

#include <algorithm>
#include <vector>

#include "core/checkpoint/named_tensors.h"
#include "core/io/dequantize.h"

namespace mezo {

namespace {

bool readable(const TensorView& view) {
  return is_weight(view.dtype) && block_size(view.dtype) == 1;
}

// As torch.equal() of both in fp32.
bool same_values(const TensorView& a, const TensorView& b) {
  constexpr std::int64_t chunk = 1 << 16;
  std::vector<float> x(chunk), y(chunk);
  const std::int64_t count = a.count();
  for (std::int64_t i = 0; i < count; i += chunk) {
    const std::int64_t n = std::min(chunk, count - i);
    dequantize(a.dtype, a.data.data() + bytes_of(a.dtype, i), n, x.data());
    dequantize(b.dtype, b.data.data() + bytes_of(b.dtype, i), n, y.data());
    if (!std::equal(x.begin(), x.begin() + n, y.begin())) return false;
  }
  return true;
}

// The parameter that the model has where its head is not tied; nothing where it never was, or where
// the head is more than a matrix.
const ParameterSpec* head_of(const BuiltModel& untied, const BuiltModel& tied) {
  const auto own = untied.base_specs(), others = tied.base_specs();
  if (own.size() != others.size() + 1) return nullptr;
  for (const ParameterSpec& spec : own)
    if (std::ranges::find(others, spec.name, &ParameterSpec::name) == others.end()) return &spec;
  return nullptr;
}

}  // namespace

BuiltModel with_head_of_files(BuiltModel built, const TensorFile& tensors, const TensorNames& names,
                              const std::function<BuiltModel(const ModelConfig&)>& build) {
  if (!built.tied) return built;
  BuiltModel untied = build(built.config.with("tie_word_embeddings", false));
  const ParameterSpec* head = head_of(untied, built);
  if (!head) return built;
  const NamedTensors named = name_tensors(tensors, names, untied.base_specs());
  const std::string embedding = built.specs.at(static_cast<std::size_t>(built.tied.index)).name;
  const auto own = named.found.find(head->name), other = named.found.find(embedding);
  if (own == named.found.end()) return built;
  const TensorView& view = *own->second.view;
  if (other == named.found.end()) {
    built.aliases.push_back({view.name, embedding});
    built.notes.push_back("the files have no " + embedding + ": it is read from " + view.name +
                          ", which config.json ties to it");
    return built;
  }
  const TensorView& rows = *other->second.view;
  const bool same =
      view.shape == rows.shape && readable(view) && readable(rows) && same_values(view, rows);
  tensors.release(view);
  tensors.release(rows);
  if (same) return built;
  untied.untied = true;
  untied.notes.push_back("config.json ties the head to the embedding, but the files have " +
                         view.name +
                         " with other values: it is the model's own head, as in "
                         "transformers 5");
  return untied;
}

}  // namespace mezo
