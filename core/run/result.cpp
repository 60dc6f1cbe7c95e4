#include "core/run/result.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <filesystem>

#include "core/io/sha256.h"
#include "core/version.h"

namespace mezo {

using Json = nlohmann::ordered_json;

std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

Json scores_of(const Evaluation& e) {
  return {{"accuracy", e.accuracy}, {"loss", e.loss}, {"examples", e.predictions.size()}};
}

std::string percent(const Evaluation& e) { return fmt::format("{:.1f}%", 100 * e.accuracy); }

std::string percent(const Json& scores) {
  return fmt::format("{:.1f}%", 100 * scores.at("accuracy").get<double>());
}

WeightHashes hash_weights(const LoadedModel& model) {
  WeightHashes hashes;
  for (const std::string& file : model.files)
    hashes[std::filesystem::path(file).filename().string()] = sha256_of_file(file);
  return hashes;
}

Json describe_run(const RunConfig& config, const LoadedModel& model, const WeightHashes& hashes,
                  const std::string& method) {
  Json files = Json::object();
  for (const auto& [file, hash] : hashes) files[file] = "sha256:" + hash;
  Json plugins = Json::object();
  for (const Component& c : {model.component, config.peft_component, config.objective_component})
    plugins[std::string(c.plugin->descriptor->name)] = std::string(c.plugin->descriptor->version);
  return {{"method", method},
          {"task", config.task_file->name},
          {"metric", config.task_file->metric},
          {"mezo", version_text},
          {"model_type", model.type},
          {"model_hash", files},
          {"plugins", plugins}};
}

void print_table(const RunConfig& config, const Json& before, const Json& after,
                 std::uint32_t steps, double seconds_a_step) {
  const std::string method = "MeZO " + std::string(config.peft_component.id());
  fmt::print("{:<24} {:>9} {:>9}\n", config.task_file->name, "accuracy", "loss");
  fmt::print("{:<24} {:>9} {:>9.4f}\n", "zero-shot", percent(before),
             before.at("loss").get<double>());
  fmt::print("{:<24} {:>9} {:>9.4f}\n", fmt::format("{}, {} steps", method, steps), percent(after),
             after.at("loss").get<double>());
  fmt::print("{:.3f} s a step, peak memory {:.2f} GB\n", seconds_a_step,
             static_cast<double>(peak_memory_bytes()) / 1e9);
}

}  // namespace mezo
