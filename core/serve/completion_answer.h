#pragma once
// What a client is answered, in the form of OpenAI's API, as JSON. `mezo` in it is an extension
// that says what an answer was made of.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/generate/generator.h"
#include "core/generate/text_ending.h"
#include "core/serve/completion_request.h"
#include "core/zo/kernel.h"

namespace mezo {

// Which weights are served. `step` and `streams` are a run's: those that its next step evaluates.
struct ServedModel {
  std::string name;
  std::int64_t created = 0;  // seconds since 1970
  std::optional<std::uint32_t> step = {};
  std::vector<Stream> streams = {};
};

// GET /v1/models.
std::string models_body(const ServedModel& model);

struct CompletionAnswer {
  std::int64_t number = 0;   // of the answer, for its id
  std::int64_t created = 0;  // seconds since 1970
  std::vector<Generated> texts;
  std::int64_t prompt_tokens = 0;
  GenerationRules rules;         // that made them
  std::optional<Stream> stream;  // none: the weights themselves
};

// POST /v1/completions.
std::string completion_body(const CompletionAnswer& answer, const ServedModel& model);

}  // namespace mezo
