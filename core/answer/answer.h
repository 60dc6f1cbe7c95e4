#pragma once
// Answers questions: packs them into one forward, asks the model for the rows that predict what is
// scored, and makes of their logits what was asked for. Used by training (two streams) and
// evaluation (one) alike.

#include <cstdint>
#include <memory>
#include <span>

#include "core/forward/network.h"
#include "core/generate/generator.h"
#include "core/model/parameter_source.h"
#include "core/task/objective.h"
#include "core/task/question.h"

namespace mezo {

// Who generates what is asked for as text, and at which step: draws differ from step to step.
struct TextWriter {
  Generator* generator = nullptr;
  std::uint32_t step = 0;
};

// A forward that has been asked for; on a GPU it may still be running. Questions of one step that
// are computed in several forwards are collected together, so that the host waits once.
struct MEZO_API Pending {
  Pending();
  Pending(Pending&&) noexcept;
  Pending& operator=(Pending&&) noexcept;
  ~Pending();
  struct Work;
  std::unique_ptr<Work> work;
};

// Throws ModelError where a piece follows another and the model is not causal, which would give
// wrong scores; std::logic_error where texts are needed and there is no writer. A text follows the
// first piece of its question.
MEZO_API Pending begin_answering(const Network& network, ParameterSource& source,
                                 std::span<const Question* const> questions, const Needs& needs,
                                 const TextWriter& writer = {});

// The questions of all forwards, which had the same needs, in their order; S = source.streams().
MEZO_API Outputs collect(std::span<const Pending> forwards);

// Whether a text of this stream ended because logits were no numbers.
MEZO_API bool has_lost_text(std::span<const Pending> forwards, std::size_t stream);

// Both in one.
MEZO_API Outputs answer(const Network& network, ParameterSource& source,
                        std::span<const Question* const> questions, const Needs& needs,
                        const TextWriter& writer = {});

// What a text is to follow, of each question: its first piece.
std::vector<TextPrompt> prompts_of(std::span<const Question* const> questions);

MEZO_API Targets targets_of(std::span<const Question* const> questions);

}  // namespace mezo
