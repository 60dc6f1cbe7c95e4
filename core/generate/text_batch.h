#pragma once
// Texts that are generated together, under every stream of a source: one forward a token. Used by
// Generator, which decides what stands in a batch.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/forward/cached_attention.h"
#include "core/forward/network.h"
#include "core/forward/packed_batch.h"
#include "core/generate/generator.h"

namespace mezo {

class TextBatch {
 public:
  // References are kept. `max_positions` as in Generator.
  TextBatch(const Network& network, ParameterSource& source, const Tokenizer& tokenizer,
            const GenerationRules& rules, std::optional<std::int64_t> max_positions,
            std::span<const TextPrompt* const> prompts, std::uint32_t step);

  // Adds a token to every text that is not finished: the first call reads the prompts. False: there
  // was none left.
  bool advance();

  std::size_t finished() const { return places_.size() - kept_.size(); }  // under every stream
  std::int64_t new_tokens() const { return new_tokens_; }
  std::int64_t cache_bytes() const { return cache_bytes_; }  // of the last forward
  std::vector<Generated> texts(int stream) const;            // in the prompts' order

 private:
  at::Tensor next_logits();
  PackedBatch next_rows() const;
  void take_greedy(const at::Tensor& logits);
  void take_samples(const at::Tensor& logits);
  void take(int stream, std::size_t kept, std::optional<std::int32_t> token);
  void drop_finished();
  TextEnding& text(int stream, std::size_t kept) {
    return texts_[static_cast<std::size_t>(stream)][kept_[kept]];
  }

  const Network& network_;
  ParameterSource& source_;
  const GenerationRules& rules_;
  std::span<const TextPrompt* const> places_;
  std::uint32_t step_;
  CachedAttention cache_;
  std::vector<std::vector<TextEnding>> texts_;  // [S][prompts]
  std::vector<std::size_t> kept_;               // places of the texts that some stream goes on with
  std::vector<std::vector<std::int32_t>> last_;  // [S][kept]: the newest token of each
  std::int64_t new_tokens_ = 0, cache_bytes_ = 0;
};

}  // namespace mezo
