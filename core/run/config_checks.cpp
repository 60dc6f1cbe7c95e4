#include "core/run/config_checks.h"

#include "core/error.h"
#include "core/run/best_step.h"

namespace mezo {

void say_notes(const RunConfig& config, Console& console) {
  for (const std::string& note : config.notes) console.note(note);
  for (const std::string& remark : config.task.remarks())
    console.warning(config.task.path + ": " + remark);
}

void require_data(const RunConfig& config, bool training) {
  const TaskSettings& task = config.settings.task;
  if (training && config.settings.trainer.steps > 0 && task.train.empty())
    throw ConfigError(
        "[task] train: no file is given, and `mezo run` trains; `mezo eval` and trainer.steps=0 "
        "only evaluate");
  if (task.test.empty() && !task.has_dev())
    throw ConfigError("[task] neither test nor dev is given, so there is nothing to measure on");
}

void require_judge(const RunConfig& config) {
  const TrainerSettings& trainer = config.settings.trainer;
  if (trainer.keep == Keep::last || trainer.steps == 0) return;
  if (!config.settings.task.has_dev())
    throw ConfigError(
        "[trainer] keep: best is the step that is best on dev, and no dev is given: task.dev=FILE, "
        "or task.dev_from=train for rows of train");
  if (trainer.eval_every == 0)
    throw ConfigError(
        "[trainer] keep: best chooses among evaluations of dev, and eval_every is 0: never");
  if (!judge_of(trainer.keep, config.task))
    throw ConfigError("[trainer] best_by: loss, and texts, which the task " + config.task.name +
                      " asks for, have none; best_by=metric takes " + config.task.metric);
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
