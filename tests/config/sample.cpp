#include "sample.h"

#include "core/config/emit.h"
#include "core/config/extends.h"
#include "core/config/schema.h"

namespace sample {
namespace {

using namespace mezo;
using Table = std::vector<mezo_parameter>;

const char* const dtypes[] = {"auto", "float32", "float16", "bfloat16", nullptr};
const char* const devices[] = {"auto", "cpu", "cuda", nullptr};
const char* const automatic[] = {"auto", nullptr};
const char* const distributions[] = {"gaussian", "rademacher", nullptr};
const char* const schedules[] = {"constant", "linear", nullptr};
const char* const inits[] = {"text", "random", nullptr};

const Table model = {
    {"path", MEZO_PATH, nullptr, nullptr, nullptr, nullptr, "Hugging Face folder or .gguf file"},
    {"type", MEZO_TEXT, "auto", nullptr, nullptr, nullptr, "model family"},
    {"dtype", MEZO_TEXT, "auto", nullptr, dtypes, nullptr, "type to compute in"},
    {"device", MEZO_TEXT, "auto", nullptr, devices, nullptr, "where the model runs"},
};
const Table peft_host = {{"type", MEZO_TEXT, "full", nullptr, nullptr, nullptr, "what is trained"}};
const Table lora = {
    {"rank", MEZO_INTEGER, "8", "[1, 65536]", nullptr, nullptr, "rank of the update"},
    {"alpha", MEZO_NUMBER, "16", "(0, inf)", nullptr, nullptr, "scale of the update, times rank"},
    {"targets", MEZO_TEXT_LIST, "[q_proj, v_proj]", nullptr, nullptr, nullptr, "matrices to adapt"},
};
const Table prefix = {
    {"tokens", MEZO_INTEGER, "5", "[1, 1024]", nullptr, "tokens", "length of the prefix"},
    {"start", MEZO_TEXT, "text", nullptr, inits, nullptr, "what the prefix starts from"},
};
const Table objective = {
    {"type", MEZO_TEXT, "cross_entropy", nullptr, nullptr, nullptr, "objective to minimise"}};
const Table task = {
    {"file", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr, "task name, or path to a task file"},
    {"train", MEZO_PATH, nullptr, nullptr, nullptr, nullptr, "examples to train on"},
    {"dev", MEZO_PATH, "", nullptr, nullptr, nullptr, "examples to choose the best step by"},
    {"train_size", MEZO_INTEGER, "1000", "[1, inf)", nullptr, "examples", "how many are used"},
    {"max_length", MEZO_INTEGER, "2048", "[1, 1048576]", nullptr, "tokens", "longer texts are cut"},
};
const Table optimizer = {
    {"learning_rate", MEZO_NUMBER, "auto", "[0, inf)", automatic, nullptr, "step size"},
    {"epsilon", MEZO_NUMBER, "auto", "(0, 1]", automatic, nullptr, "size of the perturbation"},
    {"weight_decay", MEZO_NUMBER, "0", "[0, 1)", nullptr, nullptr, "pull towards zero"},
    {"probes", MEZO_INTEGER, "1", "[1, 1024]", nullptr, nullptr, "directions a step"},
    {"distribution", MEZO_TEXT, "gaussian", nullptr, distributions, nullptr, "of the directions"},
    {"schedule", MEZO_TEXT, "constant", nullptr, schedules, nullptr, "of the learning rate"},
};
const Table trainer = {
    {"steps", MEZO_INTEGER, "20000", "[0, inf)", nullptr, "steps", "length of the run"},
    {"batch_size", MEZO_INTEGER, "16", "[1, 65536]", nullptr, "examples", "examples a step"},
    {"eval_every", MEZO_INTEGER, "4000", "[0, inf)", nullptr, "steps", "0: only at the end"},
    {"seed", MEZO_INTEGER, "0", "[0, inf)", nullptr, nullptr, "seed of everything random"},
    {"save", MEZO_BOOLEAN, "true", nullptr, nullptr, nullptr, "whether the weights are written"},
};
const Table top = {
    {"output", MEZO_PATH, nullptr, nullptr, nullptr, nullptr, "run folder"},
};

const std::vector<std::string> blocks = {"model", "peft",      "objective",
                                         "task",  "optimizer", "trainer"};

}  // namespace

std::vector<Table> tables() {
  return {
      model, join(peft_host, lora), join(peft_host, prefix), objective, task, optimizer, trainer,
      top};
}

Checked check_run(const std::string& path, const std::vector<std::string>& texts) {
  const HostSettings host = {{"model", {"path", "dtype", "device"}}};
  Diagnostics d;
  Checked run;
  auto config = read_config(path, host, d);
  if (!config) d.throw_if_any();
  run.notes = config->notes;
  run.tree = std::move(config->tree);
  std::vector<Argument> arguments;
  for (const std::string& text : texts)
    arguments.push_back({static_cast<int>(arguments.size()) + 1, text});
  apply_overrides(run.tree, arguments, host, run.notes, d);

  const Value& tree = run.tree;
  run.top = check_top_level(tree, blocks, top, d);
  const std::vector<std::string> modes = {"full", "lora", "prefix"};
  const std::string mode =
      component_of(tree.find("peft"), "peft", "PEFT mode", modes, "full", d, tree.mark);
  const Table peft = join(peft_host, mode == "lora" ? lora : mode == "prefix" ? prefix : Table{});
  if (!mode.empty()) run.peft = check(tree.find("peft"), "peft", peft, d, tree.mark);
  const std::vector<std::string> objectives = {"accuracy", "cross_entropy", "f1"};
  if (!component_of(tree.find("objective"), "objective", "objective", objectives, "cross_entropy",
                    d, tree.mark)
           .empty())
    run.objective = check(tree.find("objective"), "objective", objective, d, tree.mark);
  run.model = check(tree.find("model"), "model", model, d, tree.mark);
  run.task = check(tree.find("task"), "task", task, d, tree.mark);
  run.optimizer = check(tree.find("optimizer"), "optimizer", optimizer, d, tree.mark);
  run.trainer = check(tree.find("trainer"), "trainer", trainer, d, tree.mark);
  d.throw_if_any();

  Value resolved = Value::map();
  resolved.set("model", to_tree(run.model, model));
  resolved.set("peft", to_tree(run.peft, peft));
  resolved.set("objective", to_tree(run.objective, objective));
  resolved.set("task", to_tree(run.task, task));
  resolved.set("optimizer", to_tree(run.optimizer, optimizer));
  resolved.set("trainer", to_tree(run.trainer, trainer));
  for (const Entry& entry : to_tree(run.top, top).entries) resolved.set(entry.key, entry.value);
  run.resolved = to_yaml(resolved);
  return run;
}

}  // namespace sample
