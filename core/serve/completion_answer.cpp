#include "core/serve/completion_answer.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace mezo {

namespace {

using Ordered = nlohmann::ordered_json;

std::string written(const Ordered& json) {
  return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

Ordered described(const Stream& stream) {
  return {{"probe", stream.probe},
          {"sign", std::signbit(stream.epsilon) ? -1 : 1},
          {"epsilon", std::abs(stream.epsilon)}};
}

Ordered described(const GenerationRules& rules) {
  const Sampling& sampling = rules.sampling;
  return {{"max_tokens", rules.ends.max_new_tokens},
          {"temperature", sampling.temperature},
          {"top_p", sampling.top_p},
          {"top_k", sampling.top_k},
          {"seed", sampling.seed},
          {"stop", rules.ends.stop}};
}

}  // namespace

std::string models_body(const ServedModel& model) {
  Ordered one = {
      {"id", model.name}, {"object", "model"}, {"created", model.created}, {"owned_by", "mezo"}};
  if (model.step) {
    Ordered streams = Ordered::array();
    for (const Stream& stream : model.streams) streams.push_back(described(stream));
    one["mezo"] = {{"step", *model.step}, {"streams", streams}};
  }
  return written({{"object", "list"}, {"data", Ordered::array({one})}});
}

std::string completion_body(const CompletionAnswer& answer, const ServedModel& model) {
  Ordered choices = Ordered::array();
  std::int64_t new_tokens = 0;
  for (const Generated& text : answer.texts) {
    new_tokens += static_cast<std::int64_t>(text.tokens.size());
    choices.push_back({{"text", text.text},
                       {"index", choices.size()},
                       {"logprobs", nullptr},
                       {"finish_reason", text.finish == Finish::length ? "length" : "stop"}});
  }
  Ordered made = {{"step", model.step ? Ordered(*model.step) : Ordered()},
                  {"stream", answer.stream ? described(*answer.stream) : Ordered()},
                  {"generation", described(answer.rules)}};
  return written({{"id", fmt::format("cmpl-{}-{}", model.created, answer.number)},
                  {"object", "text_completion"},
                  {"created", answer.created},
                  {"model", model.name},
                  {"choices", choices},
                  {"usage",
                   {{"prompt_tokens", answer.prompt_tokens},
                    {"completion_tokens", new_tokens},
                    {"total_tokens", answer.prompt_tokens + new_tokens}}},
                  {"mezo", made}});
}

}  // namespace mezo
