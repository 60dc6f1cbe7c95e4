#include "core/generate/text_batch.h"

#include <ATen/ops/max.h>

#include <algorithm>
#include <cmath>

#include "core/forward/index_tensor.h"
#include "core/forward/logits.h"
#include "core/forward/stream_ops.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

// Room for keys and values that a text is given at first; it grows where more is needed.
constexpr std::int64_t most_tokens_at_first = 256;

std::int64_t longest(std::span<const TextPrompt* const> prompts) {
  std::size_t most = 0;
  for (const TextPrompt* p : prompts) most = std::max(most, p->tokens.size());
  return static_cast<std::int64_t>(most);
}

}  // namespace

TextBatch::TextBatch(const Network& network, ParameterSource& source, const Tokenizer& tokenizer,
                     const GenerationRules& rules, std::optional<std::int64_t> max_positions,
                     std::span<const TextPrompt* const> prompts, std::uint32_t step)
    : network_(network),
      source_(source),
      rules_(rules),
      places_(prompts),
      step_(step),
      cache_(source.streams(),
             longest(prompts) + std::min(rules.ends.max_new_tokens, most_tokens_at_first),
             source.device(), nullptr, position_shift(&network.adapter) != 0) {
  for (int s = 0; s < source.streams(); ++s) {
    texts_.emplace_back();
    for (const TextPrompt* p : prompts)
      // The last row of a sequence that has every position still predicts a token.
      texts_.back().emplace_back(
          rules.ends, tokenizer,
          max_positions ? *max_positions - static_cast<std::int64_t>(p->tokens.size()) + 1
                        : rules.ends.max_new_tokens);
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) kept_.push_back(i);
}

PackedBatch TextBatch::next_rows() const {
  PackedBatch batch;
  std::vector<std::vector<std::int32_t>> tokens(last_.size(), std::vector<std::int32_t>(1));
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const TextPrompt& prompt = *places_[kept_[i]];
    if (last_.empty()) {
      batch.add(prompt.tokens);
      continue;
    }
    std::size_t generated = 0;
    for (std::size_t s = 0; s < last_.size(); ++s) {
      tokens[s][0] = last_[s][i];
      generated = std::max(generated, texts_[s][kept_[i]].tokens().size());
    }
    batch.add_each(tokens, -1, static_cast<std::int64_t>(prompt.tokens.size() + generated) - 1);
  }
  return batch;
}

// [S * kept, entries] fp32, of what comes behind each sequence.
at::Tensor TextBatch::next_logits() {
  const PackedBatch batch = next_rows();
  cache_.expect(batch);
  StreamOps ops(source_, batch, &network_.adapter, &cache_);
  std::vector<std::int64_t> rows;
  for (int s = 0; s < source_.streams(); ++s)
    for (const Piece& piece : batch.pieces())
      rows.push_back(s * batch.rows() + piece.first_row + piece.length - 1);
  return guard(network_.family, [&] {
    const at::Tensor hidden = network_.model->hidden(ops, ops.batch());
    return logits_of(network_, ops, hidden.index_select(0, index_tensor(rows, hidden.device())),
                     network_.entries);
  });
}

void TextBatch::take(int stream, std::size_t kept, std::optional<std::int32_t> token) {
  TextEnding& own = text(stream, kept);
  if (own.finished()) return;
  if (!token) {
    own.fail();
    return;
  }
  own.add(*token);
  last_[static_cast<std::size_t>(stream)][kept] = *token;
  ++new_tokens_;
}

void TextBatch::take_greedy(const at::Tensor& logits) {
  const auto [most, best] = at::max(logits, 1);
  const at::Tensor values = most.cpu(), tokens = best.cpu();
  const float* value = values.const_data_ptr<float>();
  const std::int64_t* token = tokens.const_data_ptr<std::int64_t>();
  for (int s = 0; s < source_.streams(); ++s)
    for (std::size_t i = 0; i < kept_.size(); ++i, ++value, ++token)
      take(s, i,
           std::isfinite(*value) ? std::optional(static_cast<std::int32_t>(*token)) : std::nullopt);
}

void TextBatch::take_samples(const at::Tensor& logits) {
  const at::Tensor host = logits.cpu().contiguous();
  const auto entries = static_cast<std::size_t>(host.size(1));
  const float* row = host.const_data_ptr<float>();
  for (int s = 0; s < source_.streams(); ++s)
    for (std::size_t i = 0; i < kept_.size(); ++i, row += entries) {
      const TextEnding& own = text(s, i);
      if (own.finished()) continue;
      const bool number = std::all_of(row, row + entries, [](float x) { return x < INFINITY; }) &&
                          std::any_of(row, row + entries, [](float x) { return x > -INFINITY; });
      const double draw = draw_of(rules_.sampling.seed, places_[kept_[i]]->number,
                                  static_cast<std::int64_t>(own.tokens().size()), step_);
      take(s, i,
           number ? std::optional(sample({row, entries}, rules_.sampling, draw)) : std::nullopt);
    }
}

void TextBatch::drop_finished() {
  std::vector<std::int64_t> going;
  for (std::size_t i = 0; i < kept_.size(); ++i)
    for (std::size_t s = 0; s < texts_.size(); ++s)
      if (!texts_[s][kept_[i]].finished()) {
        going.push_back(static_cast<std::int64_t>(i));
        break;
      }
  if (going.size() == kept_.size()) return;
  cache_.keep(going);
  std::vector<std::size_t> kept;
  std::vector<std::vector<std::int32_t>> last(last_.size());
  for (const std::int64_t i : going) {
    kept.push_back(kept_[static_cast<std::size_t>(i)]);
    for (std::size_t s = 0; s < last_.size(); ++s)
      last[s].push_back(last_[s][static_cast<std::size_t>(i)]);
  }
  kept_ = std::move(kept);
  last_ = std::move(last);
}

bool TextBatch::advance() {
  if (kept_.empty()) return false;
  const at::Tensor logits = next_logits();
  cache_bytes_ = cache_.bytes();  // before finished texts leave
  if (last_.empty()) last_.assign(texts_.size(), std::vector<std::int32_t>(kept_.size(), 0));
  if (rules_.sampling.greedy())
    take_greedy(logits);
  else
    take_samples(logits);
  drop_finished();
  return true;
}

std::vector<Generated> TextBatch::texts(int stream) const {
  std::vector<Generated> made;
  for (const TextEnding& own : texts_[static_cast<std::size_t>(stream)])
    made.push_back(own.result());
  return made;
}

}  // namespace mezo
