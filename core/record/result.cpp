#include "core/record/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/settings/optimizers.h"
#include "core/version.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

// " lora"; a probe trains nothing of the model.
std::string what_trained(const RunConfig& config, const OptimizerKind& kind) {
  return kind.way == Way::probe ? "" : " " + std::string(config.peft.component.id());
}

std::string error_key(const Metric& metric) { return std::string(metric.name) + "_stderr"; }

// NaN where there is no such number: null in JSON, or nothing in logs of a mezo without it.
double number_in(const Json& scores, const std::string& name) {
  const auto score = scores.find(name);
  return score != scores.end() && score->is_number() ? score->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Json scores_of(const Evaluation& e) {
  Json scores = Json::object();
  for (const Measurement& m : e.measurements) {
    scores[m.metric->name] = m.estimate.value;
    scores[error_key(*m.metric)] = m.estimate.standard_error;
  }
  scores["examples"] = e.predictions.size();
  return scores;
}

std::string text_of(const Evaluation& e) {
  std::string text;
  for (const Measurement& m : e.measurements)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", m.metric->name,
                        shown(*m.metric, m.estimate));
  return text;
}

Json describe_run(const RunConfig& config, const LoadedModel& model, const WeightHashes& hashes,
                  const std::string& method) {
  Json files = Json::object();
  for (const auto& [file, hash] : hashes) files[file] = "sha256:" + hash;
  Json plugins = Json::object();
  for (const Component& c :
       {model.network.family, config.peft.component, config.objective.component})
    plugins[std::string(c.plugin->descriptor->name)] = std::string(c.plugin->descriptor->version);
  return {{"method", method},
          {"task", config.task.name},
          {"metric", config.task.metric},
          {"mezo", version_text},
          {"model_type", std::string(model.network.family.id())},
          {"model_hash", files},
          {"dtype", name_of_dtype(model.dtype)},
          {"storage", name_of(model.store.storage())},
          {"plugins", plugins}};
}

std::string method_of(const RunConfig& config) {
  const OptimizerKind& kind = optimizer_kind(config.settings.optimizer.type);
  return kind.method + what_trained(config, kind);
}

std::string untrained_method(const RunConfig& config, const LoadedModel& model) {
  if (const AttachedAdapter& attached = model.network.adapter)
    return std::string(attached.component.id()) + " adapter";
  return config.settings.task.demonstrations > 0 ? "in-context" : "zero-shot";
}

std::vector<std::string> lines_of(const WeightHashes& hashes) {
  std::vector<std::string> lines;
  for (const auto& [file, hash] : hashes) lines.push_back("sha256 " + hash + "  " + file);
  return lines;
}

std::string result_table(const RunConfig& config, const LoadedModel& model, const Json& result,
                         const MemoryUse& memory) {
  const OptimizerKind& kind = optimizer_kind(config.settings.optimizer.type);
  const bool probe = kind.way == Way::probe;
  const std::string method = kind.title + what_trained(config, kind);
  std::vector<const Metric*> columns = metrics_for(config.task.metric);
  const auto width = [](const Metric& m) { return std::max<std::size_t>(15, std::strlen(m.name)); };
  if (result.at("after").contains(answer_cross_entropy().name))
    columns.push_back(&answer_cross_entropy());
  const auto row = [&](const std::string& name, const Json& scores) {
    std::string cells;
    for (const Metric* m : columns) {
      const Estimate estimate{number_in(scores, m->name), number_in(scores, error_key(*m))};
      cells +=
          fmt::format(" {:>{}}", std::isnan(estimate.value) ? "-" : shown(*m, estimate), width(*m));
    }
    return fmt::format("{:<24}{}\n", name, cells);
  };
  std::string head = fmt::format("{:<24}", config.task.name);
  for (const Metric* m : columns) head += fmt::format(" {:>{}}", m->name, width(*m));
  const auto steps = result.at("steps").get<std::uint32_t>();
  std::string best;
  if (const auto step = result.find("best_step"); step != result.end())
    best = fmt::format("step {} of ", step->get<std::uint32_t>());
  // A prefix, or an adapter from a folder, has its part in the scores from the start.
  return head + "\n" +
         row(model.network.adapter ? "before training" : untrained_method(config, model),
             result.at("before")) +
         (probe ? row(method, result.at("after"))
          : steps == 0
              ? ""
              : row(fmt::format("{}, {}{} steps", method, best, steps), result.at("after"))) +
         (probe ? fmt::format("{:.3f} s", result.at("seconds").get<double>())
                : fmt::format("{:.3f} s a step", result.at("seconds_per_step").get<double>())) +
         ", " + memory.text() + "\n";
}

}  // namespace mezo
