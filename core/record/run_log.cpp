#include "core/record/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "core/error.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

// Gives each line up to step `steps` to `use`; returns how many bytes they take. A torn last line
// ends it.
std::uintmax_t walk(const std::filesystem::path& path, std::uint32_t steps,
                    const std::function<void(const Json&)>& use) {
  std::ifstream in(path, std::ios::binary);
  std::uintmax_t kept = 0;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // without its line end
    ++number;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number_unsigned())
      throw RunError(fmt::format("{}:{}: expected a JSON object with a step, as a run writes it",
                                 path.string(), number));
    if (json["step"].get<std::uint64_t>() > steps) break;
    use(json);
    kept += line.size() + 1;
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

}  // namespace

RunLog read_log(const std::string& folder, std::uint32_t steps) {
  RunLog log;
  walk(std::filesystem::path(folder) / "metrics.jsonl", steps, [&](const Json& line) {
    if (line.contains("before")) log.before = line["before"];
    if (line.contains("dev") && line["step"] == steps) log.dev = true;
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
