#pragma once
// Texts that a model continues, many at a time and under every stream of a source at once: the
// prompts in one forward, then a token of each sequence a forward, whose keys and values are kept
// (core/forward/cached_attention.h). What a text is does not depend on the texts that it is
// generated beside, but for the last bits of logits. Used by `mezo predict`, by evaluation and by
// objectives that ask for texts.
//
// Memory: keys and values of `texts_at_once` sequences a stream and, where the source makes its
// matrices anew each time, copies of them while it generates (core/forward/held_source.h): of all
// streams where they fit into what is free, else of one stream after the other, else none, which
// is slow.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/forward/network.h"
#include "core/generate/sampling.h"
#include "core/generate/text_ending.h"
#include "core/model/parameter_source.h"
#include "core/text/tokenizer.h"

namespace mezo {

struct GenerationRules {
  TextEnds ends;
  Sampling sampling;
  std::int64_t texts_at_once = 64;
};

struct TextPrompt {
  std::vector<std::int32_t> tokens;  // not empty
  std::uint64_t number = 0;          // sets its draws apart from another prompt's
};

// What a call of a Generator cost.
struct GenerationCost {
  std::int64_t prompt_tokens = 0, new_tokens = 0;  // of all streams
  double seconds = 0;
  std::int64_t cache_bytes = 0;  // most that keys and values took
  std::int64_t copy_bytes = 0;   // of copies of matrices that were held
  int copies = 0;                // of the model that were held at once
  GenerationCost& operator+=(const GenerationCost& other);
};

// "1234 tokens in 1.2 s (1028 tokens/s), keys and values up to 0.01 GB, 2 copies of the weights
// held (0.24 GB)".
MEZO_API std::string text_of(const GenerationCost& cost);

// Told after each token of a batch of texts: prompts that are finished, and new tokens so far;
// false stops.
using GenerationProgress = std::function<bool(std::size_t prompts, std::int64_t tokens)>;

// How many streams' copies of `bytes` each are held at once: all, where they take no more than 0.6
// of what is free on the device, else 1, else 0. The rest is for keys, values and activations.
MEZO_API int copies_at_once(std::int64_t bytes, int streams, at::Device device);

class MEZO_API Generator {
 public:
  // `max_positions`: of a sequence; nothing: no limit. Keeps references. Throws ModelError for a
  // model that is not causal.
  Generator(const Network& network, std::span<const ParameterSpec> specs,
            const Tokenizer& tokenizer, GenerationRules rules,
            std::optional<std::int64_t> max_positions);

  // [S][prompts] in their order, S = source.streams(); nothing where progress said stop.
  // `step` sets a step's draws apart from another's. Throws DataError for a prompt that is empty or
  // has more tokens than the model has positions for.
  std::vector<std::vector<Generated>> operator()(ParameterSource& source,
                                                 std::span<const TextPrompt> prompts,
                                                 std::uint32_t step = 0,
                                                 const GenerationProgress& progress = {});

  const GenerationRules& rules() const { return rules_; }
  const GenerationCost& cost() const { return cost_; }  // of all calls so far

 private:
  using Texts = std::vector<std::vector<Generated>>;
  bool generate(ParameterSource& source, std::span<const TextPrompt> prompts, std::uint32_t step,
                const GenerationProgress& progress, Texts& texts);
  void check(const TextPrompt& prompt) const;

  const Network& network_;
  std::span<const ParameterSpec> specs_;
  const Tokenizer& tokenizer_;
  GenerationRules rules_;
  std::optional<std::int64_t> max_positions_;
  GenerationCost cost_;
};

}  // namespace mezo
