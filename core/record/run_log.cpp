#include "core/record/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t most_bytes = std::int64_t{1} << 33;

// Gives each line up to step `steps` to `use`; returns how many bytes they take. A torn last line
// ends it.
std::uintmax_t walk(const std::filesystem::path& path, std::uint32_t steps,
                    const std::function<void(const Json&)>& use) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return 0;
  const std::string text = read_file<RunError>(path, most_bytes, "[resume] ");
  std::size_t kept = 0;
  int number = 0;
  for (std::size_t end; (end = text.find('\n', kept)) != text.npos; kept = end + 1) {
    const std::string place = fmt::format("{}:{}", path.string(), ++number);
    const Json line =
        json_of<RunError, Json>(std::string_view(text).substr(kept, end - kept), place);
    const std::string expected = ": expected a JSON object with a step, as a run writes it";
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_unsigned())
      throw RunError(place + expected);
    if (line["step"].get<std::uint64_t>() > steps) break;
    try {
      use(line);
    } catch (const nlohmann::json::exception& e) {
      throw RunError(place + expected + ": " + json_reason(e));
    }
  }
  return kept;
}

}  // namespace

namespace {

LoggedStep step_of(const Json& line) {
  LoggedStep step{line["step"].get<std::uint32_t>(), std::numeric_limits<double>::quiet_NaN(),
                  line.value("applied", true)};
  if (line["loss"].is_number()) step.loss = line["loss"].get<double>();
  const auto gradients = line.find("projected_gradient");
  if (gradients != line.end() && gradients->is_array() && !gradients->empty())
    step.moved = std::ranges::any_of(*gradients, [](const Json& g) { return g != 0.0; });
  return step;
}

// Numbers by their names, which result tables read. Earlier runs called one of them differently.
Json scores_in(const Json& scores) {
  Json now = Json::object();
  for (const auto& [name, value] : scores.get_ref<const Json::object_t&>()) {
    if (!value.is_null()) static_cast<void>(value.get<double>());
    now[name == "loss" ? "cross_entropy" : name] = value;
  }
  return now;
}

}  // namespace

RunLog read_log(const std::string& folder, std::uint32_t steps) {
  RunLog log;
  walk(std::filesystem::path(folder) / "metrics.jsonl", steps, [&](const Json& line) {
    if (line.contains("before")) log.before = scores_in(line["before"]);
    if (line.contains("dev")) {
      log.dev = log.dev || line["step"] == steps;
      log.devs.push_back({line["step"].get<std::uint32_t>(), scores_in(line["dev"])});
    }
    if (line.contains("loss")) log.steps.push_back(step_of(line));
    if (line.contains("diverged"))
      log.diverged = {line["step"].get<std::uint32_t>(), line.value("last_good", 0u),
                      line.value("diverged", "")};
    log.found = true;
  });
  walk(std::filesystem::path(folder) / "timing.jsonl", steps,
       [&](const Json& line) { log.training_seconds = line.value("training_seconds", 0.0); });
  return log;
}

void cut_log(const std::string& folder, std::uint32_t steps) {
  for (const char* name : {"metrics.jsonl", "timing.jsonl"}) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    std::filesystem::resize_file(path, walk(path, steps, [](const Json&) {}), error);
    if (error)
      throw RunError(fmt::format("{}: cannot cut off what follows step {}: {}", path.string(),
                                 steps, error.message()));
  }
}

}  // namespace mezo
