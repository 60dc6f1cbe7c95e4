#pragma once
// What a model that answers says to a request for completions: which tokens, under which weights,
// by which rules. Used by `mezo serve`.

#include <cstdint>
#include <string>

#include "core/run/answering_model.h"
#include "core/run/served_weights.h"
#include "core/serve/completion_answer.h"
#include "core/serve/completion_request.h"

namespace mezo {

class Completions {
 public:
  // `name`: what clients call the model. Throws ModelError for a model that is not causal.
  Completions(AnsweringModel answering, std::string name);

  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  const ServedModel& served() const { return served_; }
  const RequestLimits& limits() const { return limits_; }

  struct Answer {
    std::string body;     // JSON
    GenerationCost cost;  // of its texts
  };

  // Throws RefusedRequest, of status 503 where a signal came before the texts were whole.
  Answer operator()(const CompletionRequest& request);

 private:
  std::vector<TextPrompt> prompts_of(const CompletionRequest& request,
                                     std::int64_t new_tokens) const;
  std::vector<std::int32_t> tokens_of(const CompletionRequest::Prompt& prompt) const;
  GenerationRules rules_for(const CompletionRequest& request) const;
  std::optional<Stream> stream_for(const CompletionRequest& request) const;
  std::vector<Generated> texts_of(const std::vector<TextPrompt>& prompts, Generator& generator,
                                  const std::optional<Stream>& stream);

  AnsweringModel answering_;
  GenerationRules rules_;  // of a request that says nothing
  RequestLimits limits_;
  std::int64_t max_length_;
  std::vector<std::int32_t> start_;  // of every sequence
  ServedModel served_;
  ServedWeights weights_;  // of answering_
  std::int64_t answers_ = 0;
};

}  // namespace mezo
