#include "core/run/generation_rules.h"

namespace mezo {

namespace {
constexpr std::int64_t tokens_unless_said = 64;
}

std::int64_t new_tokens_of(const GenerationSettings& settings, const Task* task) {
  if (settings.max_new_tokens) return *settings.max_new_tokens;
  return task && task->max_new_tokens ? *task->max_new_tokens : tokens_unless_said;
}

GenerationRules rules_of(const GenerationSettings& settings, const Task* task,
                         const TextModel& model) {
  GenerationRules rules;
  rules.ends = {new_tokens_of(settings, task), model.end_tokens, settings.stop};
  if (task) rules.ends.stop.insert(rules.ends.stop.end(), task->stop.begin(), task->stop.end());
  rules.sampling = settings.sampling;
  rules.texts_at_once = settings.texts_at_once;
  return rules;
}

}  // namespace mezo
