#include "core/generate/generator.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>

#include "core/error.h"
#include "core/forward/held_source.h"
#include "core/generate/text_batch.h"
#include "core/machine/device.h"

namespace mezo {

namespace {

// Rows of prompts that one forward reads, of all streams: enough to keep a processor busy.
constexpr std::int64_t prompt_rows = 8192, gpu_prompt_rows = 32768;

// From the longest prompt to the shortest, so that those of a batch are alike and the memory that
// is needed is needed first.
std::vector<std::size_t> by_length(std::span<const TextPrompt> prompts) {
  std::vector<std::size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return prompts[a].tokens.size() > prompts[b].tokens.size();
  });
  return order;
}

}  // namespace

GenerationCost& GenerationCost::operator+=(const GenerationCost& other) {
  prompt_tokens += other.prompt_tokens;
  new_tokens += other.new_tokens;
  seconds += other.seconds;
  cache_bytes = std::max(cache_bytes, other.cache_bytes);
  copy_bytes = std::max(copy_bytes, other.copy_bytes);
  copies = std::max(copies, other.copies);
  return *this;
}

std::string text_of(const GenerationCost& cost) {
  const auto gigabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  std::string text = fmt::format(
      "{} tokens in {:.1f} s ({:.0f} tokens/s), keys and values up to {:.2f} GB", cost.new_tokens,
      cost.seconds, static_cast<double>(cost.new_tokens) / std::max(cost.seconds, 1e-9),
      gigabytes(cost.cache_bytes));
  if (cost.copies > 0)
    text += fmt::format(", {} {} of the weights held ({:.2f} GB)", cost.copies,
                        cost.copies == 1 ? "copy" : "copies", gigabytes(cost.copy_bytes));
  return text;
}

int copies_at_once(std::int64_t bytes, int streams, at::Device device) {
  constexpr double most_of_free = 0.6;
  const auto room = static_cast<std::int64_t>(
      most_of_free * static_cast<double>(device_memory(device).free_bytes));
  return streams * bytes <= room ? streams : bytes <= room ? 1 : 0;
}

Generator::Generator(const Network& network, std::span<const ParameterSpec> specs,
                     const Tokenizer& tokenizer, GenerationRules rules,
                     std::optional<std::int64_t> max_positions)
    : network_(network),
      specs_(specs),
      tokenizer_(tokenizer),
      rules_(std::move(rules)),
      max_positions_(max_positions) {
  if (!network.causal)
    throw ModelError("[generate] the model is not causal: it fills masks and continues no text");
}

void Generator::check(const TextPrompt& prompt) const {
  if (prompt.tokens.empty())
    throw DataError(
        "[generate] a prompt without a token: the text is empty, and nothing stands before it "
        "(the tokenizer has no start, or task.bos is none)");
  if (max_positions_ && static_cast<std::int64_t>(prompt.tokens.size()) > *max_positions_)
    throw DataError("[generate] a prompt of " + std::to_string(prompt.tokens.size()) +
                    " tokens, and the model has positions for " + std::to_string(*max_positions_));
}

bool Generator::generate(ParameterSource& source, std::span<const TextPrompt> prompts,
                         std::uint32_t step, const GenerationProgress& progress, Texts& texts) {
  const std::vector<std::size_t> order = by_length(prompts);
  const std::int64_t rows_at_once =
      (source.device().is_cuda() ? gpu_prompt_rows : prompt_rows) / source.streams();
  std::size_t done = 0;
  std::int64_t tokens = 0;
  while (done < order.size()) {
    std::vector<const TextPrompt*> batch;
    std::int64_t rows = 0;
    while (done + batch.size() < order.size() &&
           static_cast<std::int64_t>(batch.size()) < rules_.texts_at_once) {
      const TextPrompt& next = prompts[order[done + batch.size()]];
      rows += static_cast<std::int64_t>(next.tokens.size());
      if (!batch.empty() && rows > rows_at_once) break;
      batch.push_back(&next);
    }
    TextBatch together(network_, source, tokenizer_, rules_, max_positions_, batch, step);
    while (together.advance()) {
      cost_.cache_bytes = std::max(cost_.cache_bytes, together.cache_bytes());
      if (progress && !progress(done + together.finished(), tokens + together.new_tokens()))
        return false;
    }
    for (int s = 0; s < source.streams(); ++s) {
      std::vector<Generated> made = together.texts(s);
      for (std::size_t i = 0; i < batch.size(); ++i)
        texts[static_cast<std::size_t>(s)][order[done + i]] = std::move(made[i]);
    }
    for (const TextPrompt* p : batch)
      cost_.prompt_tokens += source.streams() * static_cast<std::int64_t>(p->tokens.size());
    cost_.new_tokens += together.new_tokens();
    tokens += together.new_tokens();
    done += batch.size();
  }
  return true;
}

std::vector<std::vector<Generated>> Generator::operator()(ParameterSource& source,
                                                          std::span<const TextPrompt> prompts,
                                                          std::uint32_t step,
                                                          const GenerationProgress& progress) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  const auto start = std::chrono::steady_clock::now();
  for (const TextPrompt& p : prompts) check(p);
  const auto streams = static_cast<std::size_t>(source.streams());
  Texts texts(streams, std::vector<Generated>(prompts.size()));
  const std::int64_t bytes = held_bytes(source, specs_);
  const int copies = bytes == 0 ? 0 : copies_at_once(bytes, source.streams(), source.device());
  cost_.copies = std::max(cost_.copies, copies);
  cost_.copy_bytes = std::max(cost_.copy_bytes, copies * bytes);
  bool whole = true;
  if (copies == source.streams()) {
    HeldSource held(source);
    whole = generate(held, prompts, step, progress, texts);
  } else if (copies == 0) {
    whole = generate(source, prompts, step, progress, texts);
  } else {
    for (std::size_t s = 0; s < streams && whole; ++s) {
      OneStream one(source, static_cast<int>(s));
      HeldSource held(one);
      Texts own(1, std::vector<Generated>(prompts.size()));
      whole = generate(held, prompts, step, progress, own);
      texts[s] = std::move(own[0]);
    }
  }
  cost_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!whole) return {};
  return texts;
}

}  // namespace mezo
