#include "core/serve/completion_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/config/interval.h"
#include "core/config/nearest.h"
#include "core/io/json_text.h"
#include "core/serve/api_error.h"
#include "core/settings/host_rows.h"

namespace mezo {

namespace {

using Sent = nlohmann::json;  // by a client

// How a message shows a value: as JSON, cut.
std::string shown_json(const Sent& value) {
  std::string text = value.dump(-1, ' ', true, Sent::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "…";
  return text;
}

[[noreturn]] void refuse_value(const std::string& field, const std::string& expected,
                               const Sent& value) {
  throw RefusedRequest(fmt::format("{} must be {}, got {}", field, expected, shown_json(value)),
                       field);
}

// The range of a setting of the block `generation`, where it stands once.
Interval range_of(std::string_view setting) {
  for (const mezo_parameter& row : generation_settings())
    if (row.name == setting) return *parse_interval(row.range);
  throw std::logic_error("[serve] no setting generation." + std::string(setting));
}

// An object of which every member must be asked for by its name.
class Fields {
 public:
  Fields(const Sent& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  // Null where the field is absent or null.
  const Sent* find(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::string name(const char* field) const { return prefix_ + field; }

  std::optional<std::int64_t> integer(const char* field, std::int64_t low, std::int64_t high) {
    const Sent* value = find(field);
    if (!value) return {};
    // An unsigned number may be beyond what is signed.
    const bool fits = value->is_number_integer() &&
                      !(value->is_number_unsigned() &&
                        value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max());
    const std::int64_t number = fits ? value->get<std::int64_t>() : 0;
    if (!fits || number < low || number > high)
      refuse_value(name(field),
                   high == std::numeric_limits<std::int64_t>::max()
                       ? fmt::format("an integer from {} on", low)
                       : fmt::format("an integer from {} to {}", low, high),
                   *value);
    return number;
  }

  std::optional<double> number(const char* field, const Interval& range) {
    const Sent* value = find(field);
    if (!value) return {};
    if (!value->is_number() || !range.contains(value->get<double>()))
      refuse_value(name(field), fmt::format("a number with {}", range.constraint(field)), *value);
    return value->get<double>();
  }

  // Fields that change a text or an answer, and may only have the value that changes nothing.
  void only(const char* field, const Sent& neutral, const char* why) {
    const Sent* value = find(field);
    if (value && *value != neutral)
      throw RefusedRequest(fmt::format("{} is not supported: {}", field, why), field,
                           "unsupported_parameter");
  }

  void refuse_others() const {
    for (const auto& [key, value] : object_.items())
      if (std::ranges::find(known_, key) == known_.end())
        throw RefusedRequest(
            fmt::format("unknown field {}{}", shown_json(prefix_ + key), did_you_mean(key, known_)),
            prefix_ + key, "unknown_parameter");
  }

 private:
  const Sent& object_;
  std::string prefix_;
  std::vector<std::string> known_;
};

constexpr const char* prompt_forms =
    "a text, a list of texts, a list of token ids or a list of such lists";

std::vector<std::int32_t> tokens_of(const Sent& list) {
  std::vector<std::int32_t> tokens;
  for (const Sent& token : list) {
    if (!token.is_number_integer() || token < 0 || token > std::numeric_limits<std::int32_t>::max())
      refuse_value("prompt", prompt_forms, token);
    tokens.push_back(token.get<std::int32_t>());
  }
  return tokens;
}

std::vector<CompletionRequest::Prompt> prompts_of(Fields& fields, const RequestLimits& limits) {
  const Sent* value = fields.find("prompt");
  if (!value) throw RefusedRequest(fmt::format("prompt is missing: {}", prompt_forms), "prompt");
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array() || value->empty()) refuse_value("prompt", prompt_forms, *value);
  if (value->front().is_number()) return {tokens_of(*value)};
  if (value->size() > limits.prompts)
    throw RefusedRequest(
        fmt::format("prompt: at most {} prompts a request, got {}", limits.prompts, value->size()),
        "prompt");
  std::vector<CompletionRequest::Prompt> prompts;
  for (const Sent& one : *value) {
    if (one.type() != value->front().type() || !(one.is_string() || one.is_array()))
      refuse_value("prompt", prompt_forms, one);
    if (one.is_string())
      prompts.emplace_back(one.get<std::string>());
    else
      prompts.emplace_back(tokens_of(one));
  }
  return prompts;
}

std::optional<std::vector<std::string>> stops_of(Fields& fields, const RequestLimits& limits) {
  const Sent* value = fields.find("stop");
  if (!value) return {};
  const Sent list = value->is_array() ? *value : Sent::array({*value});
  if (list.size() > limits.stops)
    throw RefusedRequest(fmt::format("stop: at most {} strings, got {}", limits.stops, list.size()),
                         "stop");
  std::vector<std::string> stops;
  for (const Sent& one : list) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty() ||
        one.get_ref<const std::string&>().size() > limits.stop_bytes)
      refuse_value(
          "stop",
          fmt::format("a text or a list of texts, each of 1 to {} bytes", limits.stop_bytes), one);
    stops.push_back(one.get<std::string>());
  }
  return stops;
}

void read_extension(const Sent& object, CompletionRequest& request) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (!object.is_object()) refuse_value("mezo", "an object with step, probe, sign or row", object);
  Fields fields(object, "mezo.");
  const auto step = fields.integer("step", 0, most), probe = fields.integer("probe", 0, most),
             sign = fields.integer("sign", -1, 1), row = fields.integer("row", 0, most);
  fields.refuse_others();
  if (probe.has_value() != sign.has_value() || (probe && !step))
    throw RefusedRequest(
        "mezo: a stream is given by step, probe and sign together (sign 1: theta + epsilon z, "
        "-1: theta - epsilon z); step alone asks for the weights themselves",
        "mezo");
  if (sign == 0) refuse_value("mezo.sign", "1 or -1", *sign);
  if (step) request.step = static_cast<std::uint32_t>(*step);
  if (probe) request.stream = {static_cast<std::int32_t>(*probe), static_cast<int>(*sign)};
  request.row = static_cast<std::uint64_t>(row.value_or(0));
}

void refuse_what_is_not_done(Fields& fields) {
  fields.only("stream", false, "an answer comes whole");
  fields.only("stream_options", nullptr, "an answer comes whole");
  fields.only(
      "n", 1,
      "a prompt gets one text; a list may have it several times, each with draws of its own");
  fields.only("best_of", 1, "a prompt gets one text");
  fields.only("echo", false, "an answer is the text behind the prompt");
  fields.only("logprobs", nullptr, "answers hold texts alone");
  fields.only("suffix", "", "text is continued, not filled in");
  fields.only("logit_bias", Sent::object(), "tokens are drawn from the model's own logits");
  fields.only("presence_penalty", 0, "tokens are drawn from the model's own logits");
  fields.only("frequency_penalty", 0, "tokens are drawn from the model's own logits");
  fields.find("user");  // says who asks, and changes nothing
}

std::int64_t whole(double end) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return end < static_cast<double>(most) ? static_cast<std::int64_t>(end) : most;
}

}  // namespace

CompletionRequest completion_request(std::string_view body, const RequestLimits& limits) {
  const Sent json = mezo::json_of<RefusedRequest>(body, "body");
  if (!json.is_object())
    throw RefusedRequest(
        fmt::format("body: expected a JSON object with a prompt, got {}", shown_json(json)));
  Fields fields(json, "");
  CompletionRequest request;
  if (const Sent* model = fields.find("model")) {
    if (!model->is_string()) refuse_value("model", "a text", *model);
    request.model = model->get<std::string>();
  }
  request.prompts = prompts_of(fields, limits);
  request.max_tokens = fields.integer("max_tokens", 1, limits.max_tokens);
  request.temperature = fields.number("temperature", range_of("temperature"));
  request.top_p = fields.number("top_p", range_of("top_p"));
  // Elsewhere -1 and 0 both stand for all tokens.
  if (const auto top_k = fields.integer("top_k", -1, whole(range_of("top_k").high)))
    request.top_k = std::max<std::int64_t>(*top_k, 0);
  if (const auto seed = fields.integer("seed", 0, whole(range_of("seed").high)))
    request.seed = static_cast<std::uint64_t>(*seed);
  request.stop = stops_of(fields, limits);
  if (const Sent* extension = fields.find("mezo")) read_extension(*extension, request);
  refuse_what_is_not_done(fields);
  fields.refuse_others();
  return request;
}

}  // namespace mezo
