#include "core/answer/answer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "core/answer/differentiable_scores.h"
#include "core/answer/packed_questions.h"
#include "core/answer/token_scores.h"
#include "core/error.h"
#include "core/forward/index_tensor.h"
#include "core/forward/stream_ops.h"
#include "core/plugin/create.h"

namespace mezo {

struct Pending::Work {
  PackedQuestions packed;
  Needs needs;
  at::Tensor tokens;                          // [S, scored], where the model is
  std::vector<std::vector<Generated>> texts;  // [S][questions]
};

Pending::Pending() = default;
Pending::Pending(Pending&&) noexcept = default;
Pending& Pending::operator=(Pending&&) noexcept = default;
Pending::~Pending() = default;

namespace {

void refuse_impossible(const Network& network, const PackedQuestions& packed) {
  if (packed.continued && !network.causal)
    throw ModelError(
        "[answer] options that share a context were asked of a model that is not causal: its "
        "context would have to see each option, so the scores would be wrong");
}

// Appends `more`, which begins at 0, behind what `offsets` counts already.
void append(std::vector<std::int64_t>& offsets, const std::vector<std::int64_t>& more) {
  const std::int64_t before = offsets.back();
  for (std::size_t i = 1; i < more.size(); ++i) offsets.push_back(before + more[i]);
}

std::vector<std::vector<Generated>> write_texts(ParameterSource& source,
                                                std::span<const Question* const> questions,
                                                const TextWriter& writer) {
  if (!writer.generator) throw std::logic_error("[answer] texts are needed, and nobody writes");
  return (*writer.generator)(source, prompts_of(questions), writer.step);
}

struct Scores {
  at::Tensor all;  // [S, E, O] fp32 on the host
  std::int64_t first = 0;

  // Sums in the order of the tokens, on the CPU: a few numbers an example.
  void add(const PackedQuestions& packed, const at::Tensor& tokens) {
    const float* value = tokens.const_data_ptr<float>();
    const auto listed = packed.token_offsets.back();
    float* out = all.mutable_data_ptr<float>();
    const std::int64_t examples = all.size(1), width = all.size(2), streams = all.size(0);
    for (std::int64_t s = 0; s < streams; ++s, value += tokens.size(1))
      for (std::int64_t e = 0; e < packed.questions(); ++e) {
        const auto i = static_cast<std::size_t>(e);
        float* own = out + (s * examples + first + e) * width;
        for (std::int64_t p = packed.option_offsets[i]; p < packed.option_offsets[i + 1]; ++p) {
          const auto [begin, end] =
              std::pair(packed.token_offsets[static_cast<std::size_t>(p)],
                        packed.token_offsets[static_cast<std::size_t>(p) + 1]);
          const float share = packed.score[i] == Question::Score::sum
                                  ? 1.0f
                                  : 1.0f / static_cast<float>(end - begin);
          float sum = 0;
          for (std::int64_t t = begin; t < end; ++t) sum += value[t] * share;
          for (std::int64_t t = packed.subtracted_offsets[static_cast<std::size_t>(p)];
               t < packed.subtracted_offsets[static_cast<std::size_t>(p) + 1]; ++t)
            sum -= value[listed + t];
          *own++ = sum;
        }
      }
    first += packed.questions();
  }
};

// [S, T] without what was computed to be subtracted.
at::Tensor listed_tokens(std::span<const Pending> forwards, std::vector<at::Tensor> tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = tokens[i].narrow(1, 0, forwards[i].work->packed.token_offsets.back());
  return at::cat(tokens, 1);
}

at::Tensor option_scores(std::span<const Pending> forwards, const std::vector<at::Tensor>& tokens,
                         const std::vector<std::int64_t>& offsets) {
  std::int64_t most = 0;
  for (std::size_t e = 1; e < offsets.size(); ++e)
    most = std::max(most, offsets[e] - offsets[e - 1]);
  if (tokens[0].requires_grad()) {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < forwards.size(); ++i)
      parts.push_back(differentiable_scores(forwards[i].work->packed, tokens[i], most));
    return at::cat(parts, 1);
  }
  Scores scores{at::full({tokens[0].size(0), static_cast<std::int64_t>(offsets.size()) - 1, most},
                         -std::numeric_limits<float>::infinity(), at::TensorOptions(at::kFloat))};
  for (std::size_t i = 0; i < forwards.size(); ++i) scores.add(forwards[i].work->packed, tokens[i]);
  return scores.all;
}

}  // namespace

Pending begin_answering(const Network& network, ParameterSource& source,
                        std::span<const Question* const> questions, const Needs& needs,
                        const TextWriter& writer) {
  Pending pending;
  pending.work = std::make_unique<Pending::Work>();
  Pending::Work& work = *pending.work;
  work.packed = pack(questions);
  work.needs = needs;
  refuse_impossible(network, work.packed);
  if (needs.texts) work.texts = write_texts(source, questions, writer);
  if (!needs.option_scores && !needs.token_log_likelihoods) return pending;
  const bool normalise =
      needs.normalised || needs.token_log_likelihoods || !work.packed.normaliser_cancels;
  StreamOps ops(source, work.packed.batch, &network.adapter);
  ops.read_only(work.packed.wanted);
  work.tokens = guard(network.family, [&] {
    const at::Tensor hidden = network.model->hidden(ops, ops.batch());
    return normalise ? log_likelihoods(network, ops, hidden, work.packed)
                     : logits_of_scored(network, ops, hidden, work.packed);
  });
  return pending;
}

Outputs collect(std::span<const Pending> forwards) {
  Outputs outputs;
  outputs.option_offsets = outputs.token_offsets = {0};
  std::vector<at::Tensor> tokens;
  for (const Pending& p : forwards) {
    append(outputs.option_offsets, p.work->packed.option_offsets);
    append(outputs.token_offsets, p.work->packed.token_offsets);
    if (p.work->tokens.defined()) tokens.push_back(p.work->tokens.cpu().contiguous());
    outputs.texts.resize(p.work->texts.size());
    for (std::size_t s = 0; s < p.work->texts.size(); ++s)
      for (const Generated& made : p.work->texts[s]) outputs.texts[s].push_back(made.text);
  }
  if (forwards.empty()) return outputs;
  const Needs& needs = forwards[0].work->needs;
  if (needs.token_log_likelihoods) outputs.token_log_likelihoods = listed_tokens(forwards, tokens);
  if (!needs.option_scores) return outputs;
  outputs.option_scores = option_scores(forwards, tokens, outputs.option_offsets);
  return outputs;
}

bool has_lost_text(std::span<const Pending> forwards, std::size_t stream) {
  return std::ranges::any_of(forwards, [&](const Pending& p) {
    return !p.work->texts.empty() &&
           std::ranges::any_of(p.work->texts.at(stream), [](const Generated& made) {
             return made.finish == Finish::not_a_number;
           });
  });
}

Outputs answer(const Network& network, ParameterSource& source,
               std::span<const Question* const> questions, const Needs& needs,
               const TextWriter& writer) {
  const Pending pending = begin_answering(network, source, questions, needs, writer);
  return collect({&pending, 1});
}

std::vector<TextPrompt> prompts_of(std::span<const Question* const> questions) {
  std::vector<TextPrompt> prompts;
  for (const Question* q : questions)
    prompts.push_back({q->pieces.at(0).tokens, static_cast<std::uint64_t>(q->row)});
  return prompts;
}

Targets targets_of(std::span<const Question* const> questions) {
  const auto examples = static_cast<std::int64_t>(questions.size());
  std::int64_t most = 0;
  for (const Question* q : questions) most = std::max(most, q->options());
  Targets targets;
  targets.right = at::zeros({examples, most}, at::kBool);
  bool* right = targets.right.mutable_data_ptr<bool>();
  std::vector<std::int64_t> labels;
  for (const Question* q : questions) {
    for (const std::int64_t option : q->right) right[option] = true;
    right += most;
    labels.push_back(q->right.empty() ? -1 : q->right[0]);
    targets.answers.push_back(q->answers);
    targets.rows.push_back(q->row);
  }
  targets.labels = index_tensor(labels);
  return targets;
}

}  // namespace mezo
