#include "core/run/config_checks.h"

#include "core/error.h"

namespace mezo {

void say_notes(const RunConfig& config, Console& console) {
  for (const std::string& note : config.notes) console.note(note);
  for (const std::string& remark : config.task.remarks())
    console.warning(config.task.path + ": " + remark);
}

void require_data(const RunConfig& config, bool training) {
  const TaskSettings& task = config.settings.task;
  if (training && task.train.empty())
    throw ConfigError(
        "[task] train: no file is given, and `mezo run` trains; `mezo eval` only evaluates");
  if (task.test.empty() && task.dev.empty())
    throw ConfigError("[task] neither test nor dev is given, so there is nothing to measure on");
}

void require_fitting(const RunConfig& config) {
  const Needs needs = needs_of(config.objective);
  const std::string objective(config.objective.component.id());
  if (needs.texts && !config.task.generates())
    throw ConfigError("[objective] " + objective + " reads generated texts, and the task " +
                      config.task.name + " has options instead of answers");
  if (needs.texts && needs.right_answer)
    throw PluginError("[objective " + objective +
                      "] needs() asks for texts and right answers at once: a text would follow the "
                      "answer (plugin " +
                      config.objective.component.plugin->path.string() + ")");
  if (config.task.generates() && !needs.right_answer &&
      (needs.option_scores || needs.token_log_likelihoods))
    throw ConfigError(
        "[objective] " + objective + " reads scores of options, and the task " + config.task.name +
        " has none: its answers are texts. objective.type=f1 reads those that the model "
        "generates, and cross_entropy with over: answer the tokens of the right one");
}

}  // namespace mezo
