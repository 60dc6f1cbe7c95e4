#include "core/run/completions.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/run/generation_rules.h"
#include "core/serve/api_error.h"

namespace mezo {

namespace {

std::string sign_of(float epsilon) { return std::signbit(epsilon) ? "-1" : "1"; }

}  // namespace

Completions::Completions(AnsweringModel answering, std::string name)
    : answering_(std::move(answering)),
      rules_(rules_of(answering_.generation, answering_.text_task(), answering_.model)),
      max_length_(answering_.longest()),
      start_(answering_.settings.bos.tokens(answering_.model.tokenizer)),
      served_{std::move(name), std::time(nullptr)},
      weights_(answering_.model, answering_.streams ? &*answering_.streams : nullptr) {
  if (!answering_.model.network.causal)
    throw ModelError("[serve] this model is not causal: it fills masks and continues no text");
  limits_.max_tokens = std::max(limits_.max_tokens, rules_.ends.max_new_tokens);
  if (!answering_.streams) return;
  served_.step = answering_.streams->step;
  served_.streams = answering_.streams->streams;
}

std::vector<std::int32_t> Completions::tokens_of(const CompletionRequest::Prompt& prompt) const {
  const Tokenizer& tokenizer = answering_.model.tokenizer;
  if (const auto* given = std::get_if<std::vector<std::int32_t>>(&prompt)) {
    for (const std::int32_t token : *given)
      if (token >= tokenizer.vocabulary_size())
        throw RefusedRequest(fmt::format("prompt: token {} is none of the model's, 0 to {}", token,
                                         tokenizer.vocabulary_size() - 1),
                             "prompt");
    return *given;
  }
  std::vector<std::int32_t> tokens = start_;
  try {
    const std::vector<std::int32_t> text = tokenizer.encode(std::get<std::string>(prompt));
    tokens.insert(tokens.end(), text.begin(), text.end());
  } catch (const DataError& error) {
    throw RefusedRequest(std::string("prompt: ") + error.what(), "prompt");
  }
  return tokens;
}

// A prompt is never cut: whoever asks would not know what was read.
std::vector<TextPrompt> Completions::prompts_of(const CompletionRequest& request,
                                                std::int64_t new_tokens) const {
  std::vector<TextPrompt> prompts;
  std::int64_t all = 0;
  for (const CompletionRequest::Prompt& one : request.prompts) {
    prompts.push_back({tokens_of(one), request.row + prompts.size()});
    const auto length = static_cast<std::int64_t>(prompts.back().tokens.size());
    const std::size_t number = prompts.size() - 1;
    if (length == 0)
      throw RefusedRequest(fmt::format("prompt {} has no token that a text could follow", number),
                           "prompt");
    if (length + new_tokens > max_length_)
      throw RefusedRequest(
          fmt::format("prompt {} has {} tokens, and with max_tokens ({}) that is more than the {} "
                      "that a sequence may have (the model's positions, or task.max_length)",
                      number, length, new_tokens, max_length_),
          "prompt", "context_length_exceeded");
    all += length;
  }
  if (all > limits_.prompt_tokens)
    throw RefusedRequest(fmt::format("the prompts have {} tokens together, at most {} are answered "
                                     "in one request",
                                     all, limits_.prompt_tokens),
                         "prompt");
  return prompts;
}

GenerationRules Completions::rules_for(const CompletionRequest& request) const {
  GenerationRules rules = rules_;
  Sampling& sampling = rules.sampling;
  rules.ends.max_new_tokens = request.max_tokens.value_or(rules.ends.max_new_tokens);
  if (request.stop) rules.ends.stop = *request.stop;
  sampling.temperature = request.temperature.value_or(sampling.temperature);
  sampling.top_k = request.top_k.value_or(sampling.top_k);
  sampling.top_p = request.top_p.value_or(sampling.top_p);
  sampling.seed = request.seed.value_or(sampling.seed);
  return rules;
}

std::optional<Stream> Completions::stream_for(const CompletionRequest& request) const {
  if (!request.step) return {};
  if (!answering_.streams)
    throw RefusedRequest("mezo.step: a model is served; only a run has steps and streams",
                         "mezo.step");
  const RunStreams& run = *answering_.streams;
  if (*request.step != run.step)
    throw RefusedRequest(
        fmt::format("mezo.step: the weights stand at step {}, got {}; `mezo serve RUN --step {}` "
                    "serves that one",
                    run.step, *request.step, *request.step),
        "mezo.step");
  if (!request.stream) return {};
  for (const Stream& stream : run.streams)
    if (stream.probe == request.stream->probe &&
        std::signbit(stream.epsilon) == (request.stream->sign < 0))
      return stream;
  std::vector<std::string> known;
  for (const Stream& stream : run.streams)
    known.push_back(fmt::format("probe {} sign {}", stream.probe, sign_of(stream.epsilon)));
  if (known.size() > 8) known.resize(8), known.emplace_back("…");
  throw RefusedRequest(
      fmt::format("mezo: step {} of this run has no stream of probe {} sign {} (it has {})",
                  run.step, request.stream->probe, request.stream->sign, fmt::join(known, ", ")),
      "mezo.probe");
}

// Draws of training depend on the step; those of `mezo predict` do not.
std::vector<Generated> Completions::texts_of(const std::vector<TextPrompt>& prompts,
                                             Generator& generator,
                                             const std::optional<Stream>& stream) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  auto texts = generator(weights_.of(stream), prompts, stream ? *served_.step : 0,
                         [](std::size_t, std::int64_t) { return !Interrupt::stop(); });
  if (texts.empty()) throw RefusedRequest("the server ends", "", "server_ends", 503);
  return std::move(texts[0]);
}

Completions::Answer Completions::operator()(const CompletionRequest& request) {
  if (request.model && *request.model != served_.name)
    throw RefusedRequest(
        fmt::format("there is no model '{}' here, but '{}'", *request.model, served_.name), "model",
        "model_not_found", 404);
  CompletionAnswer answer;
  answer.rules = rules_for(request);
  answer.stream = stream_for(request);
  const std::vector<TextPrompt> prompts = prompts_of(request, answer.rules.ends.max_new_tokens);
  LoadedModel& model = answering_.model;
  Generator generator(model.network, model.specs, model.tokenizer, answer.rules,
                      model.max_positions);
  answer.texts = texts_of(prompts, generator, answer.stream);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    answer.prompt_tokens += static_cast<std::int64_t>(prompts[i].tokens.size());
    if (answer.texts[i].finish == Finish::not_a_number)
      throw RefusedRequest(fmt::format("the model's logits behind prompt {} are no numbers: its "
                                       "weights are damaged or diverged",
                                       i),
                           "", "not_a_number", 500);
  }
  answer.number = answers_++;
  answer.created = std::time(nullptr);
  return {completion_body(answer, served_), generator.cost()};
}

}  // namespace mezo
