#pragma once
// A request for completions in the form of OpenAI's API (POST /v1/completions), as values of their
// own types. What would change a text and is not done here is refused by its name, and so is a
// field that nobody knows; null stands for a field that is absent. No model and no network.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/api.h"

namespace mezo {

struct RequestLimits {
  std::size_t body_bytes = 4 << 20;
  std::size_t prompts = 256;
  std::int64_t prompt_tokens = 1 << 17;  // of all prompts together
  std::int64_t max_tokens = 4096;        // of each text
  std::size_t stops = 16, stop_bytes = 256;
};

// theta + sign * epsilon * z of a probe.
struct AskedStream {
  std::int32_t probe = 0;
  int sign = 0;  // 1 or -1
};

struct CompletionRequest {
  // Text, which what every sequence begins with is put before; or tokens, as they are.
  using Prompt = std::variant<std::string, std::vector<std::int32_t>>;

  std::optional<std::string> model;
  std::vector<Prompt> prompts;  // at least one, none of them without a byte or a token

  // What is not given is as the server was started.
  std::optional<std::int64_t> max_tokens, top_k;  // top_k 0: all tokens
  std::optional<double> temperature, top_p;
  std::optional<std::uint64_t> seed;
  std::optional<std::vector<std::string>> stop;

  // The extension `mezo`: at which step the weights must stand; which stream of it answers, none:
  // the weights themselves; and the row of the first prompt, which sets the draws of prompts apart.
  std::optional<std::uint32_t> step;
  std::optional<AskedStream> stream;
  std::uint64_t row = 0;
};

// Throws RefusedRequest that names the field.
MEZO_API CompletionRequest completion_request(std::string_view body, const RequestLimits& limits);

}  // namespace mezo
