#include "core/settings/run_settings.h"

#include <algorithm>

#include "core/config/emit.h"
#include "core/config/schema.h"
#include "core/settings/host_rows.h"
#include "core/zo/estimators.h"

namespace mezo {

namespace {

// A block as it was checked: its values, and the table that they were checked against.
struct Checked {
  Parameters values;
  std::vector<mezo_parameter> table;
  Value tree() const { return to_tree(values, table); }
};

Checked check_block(const Value& tree, const char* name, std::span<const mezo_parameter> host,
                    std::span<const mezo_parameter> component, Diagnostics& diagnostics) {
  std::vector<mezo_parameter> table = join(host, component);
  Parameters values = check(tree.find(name), name, table, diagnostics, tree.mark);
  return {std::move(values), std::move(table)};
}

std::vector<std::string> ids(const Registry& registry, mezo_kind kind) {
  std::vector<std::string> names;
  for (const Component* c : registry.components(kind)) names.emplace_back(c->id());
  return names;
}

// What the component that a block names could be in, had it been loaded.
std::string broken_for(const Value& tree, const char* block, const Registry& registry) {
  const Value* map = tree.find(block);
  const Value* type = map ? map->find("type") : nullptr;
  return registry.broken_for(type && type->is_scalar() ? type->text : "");
}

// A block whose `type` names a component; without one after an error.
struct CheckedComponent {
  Component component;
  Checked block;
};

CheckedComponent check_component(const Value& tree, const char* name, mezo_kind kind,
                                 const char* what, const char* otherwise,
                                 std::span<const mezo_parameter> host, const Registry& registry,
                                 Diagnostics& diagnostics) {
  const std::string id = component_of(tree.find(name), name, what, ids(registry, kind), otherwise,
                                      diagnostics, tree.mark, broken_for(tree, name, registry));
  if (id.empty()) return {};
  const Component& component = registry.find(kind, id);
  return {component, check_block(tree, name, host, component.settings(), diagnostics)};
}

CheckedComponent check_peft(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  return check_component(tree, "peft", MEZO_PEFT, "PEFT mode", "full", peft_settings(), registry,
                         diagnostics);
}

// With `type: auto` the family is known only once config.json is read, and its settings keep their
// defaults.
Checked check_model(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  std::vector<std::string> known = ids(registry, MEZO_MODEL);
  known.emplace_back("auto");
  const std::string id = component_of(tree.find("model"), "model", "model family", known, "auto",
                                      diagnostics, tree.mark, broken_for(tree, "model", registry));
  const bool named = !id.empty() && id != "auto";
  return check_block(
      tree, "model", model_settings(),
      named ? registry.find(MEZO_MODEL, id).settings() : std::span<const mezo_parameter>(),
      diagnostics);
}

// A required setting, which may be missing after an error.
std::string required(const Parameters& p, const char* name) {
  return p.has(name) ? p.text(name) : std::string();
}

std::optional<at::ScalarType> dtype_named(const std::string& name) {
  if (name == "auto") return {};
  return name == "float16" ? at::kHalf : name == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

// A number, or nothing for the word that its row allows.
std::optional<double> number_unless_word(const Parameters& p, const char* name) {
  return p.is_word(name) ? std::nullopt : std::optional(p.number(name));
}

std::int64_t rows_or_all(const Parameters& p, const char* name) {
  return p.is_word(name) ? 0 : p.integer(name);
}

SequenceStart start_of(const Parameters& p) {
  if (!p.is_word("bos"))
    return {SequenceStart::Kind::id, static_cast<std::int32_t>(p.integer("bos"))};
  return {p.text("bos") == "none" ? SequenceStart::Kind::none : SequenceStart::Kind::tokenizer, 0};
}

ModelSettings model_of(const Parameters& p) {
  return {required(p, "path"), p.text("type"), dtype_named(p.text("dtype")), p.text("device"),
          p.text("type") == "auto" ? std::nullopt : std::optional(p)};
}

TaskSettings task_of(const Parameters& p) {
  TaskSettings task;
  task.file = required(p, "file");
  task.train = p.text("train");
  task.dev = p.text("dev");
  task.test = p.text("test");
  task.train_size = rows_or_all(p, "train_size");
  task.dev_size = rows_or_all(p, "dev_size");
  task.test_size = rows_or_all(p, "test_size");
  if (!p.is_word("split_seed"))
    task.split_seed = static_cast<std::uint64_t>(p.integer("split_seed"));
  task.dev_from_train = p.text("dev_from") == "train";
  if (!p.is_word("train_per_class")) task.train_per_class = p.integer("train_per_class");
  task.demonstrations = p.integer("demonstrations");
  task.max_length = p.integer("max_length");
  task.bos = start_of(p);
  if (p.text("score") != "task") task.score = option_score_named(p.text("score"));
  return task;
}

Checked check_generation(const Value& tree, Diagnostics& diagnostics) {
  Checked block = check_block(tree, "generation", generation_settings(), {}, diagnostics);
  if (std::ranges::find(block.values.list("stop"), "") != block.values.list("stop").end())
    diagnostics.error(Code::out_of_range, mark_of(tree, "generation", "stop"),
                      "generation.stop: an empty string would end every text at its first token");
  return block;
}

GenerationSettings generation_of(const Parameters& p) {
  GenerationSettings generation;
  if (!p.is_word("max_new_tokens")) generation.max_new_tokens = p.integer("max_new_tokens");
  generation.stop = p.list("stop");
  generation.sampling = {p.number("temperature"), rows_or_all(p, "top_k"), p.number("top_p"),
                         static_cast<std::uint64_t>(p.integer("seed"))};
  generation.texts_at_once = p.integer("texts_at_once");
  return generation;
}

Checked check_optimizer(const Value& tree, Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const EstimatorKind& kind : estimator_kinds()) known.emplace_back(kind.id);
  const std::string id = component_of(tree.find("optimizer"), "optimizer", "estimator", known,
                                      "spsa", diagnostics, tree.mark);
  if (id.empty()) return {};
  const EstimatorKind& kind = estimator_kind(id);
  Checked block = check_block(tree, "optimizer", optimizer_settings(), kind.settings, diagnostics);
  if (const auto problem = kind.problem(block.values))
    diagnostics.error(Code::out_of_range, mark_of(tree, "optimizer", problem->first.c_str()),
                      problem->second);
  return block;
}

OptimizerSettings optimizer_of(const Parameters& p) {
  if (!p.has("type")) return {};  // no estimator was named, which is an error by now
  const std::string &decay = p.text("schedule"), &storage = p.text("storage");
  return {
      p.text("type"),
      number_unless_word(p, "learning_rate"),
      p.number("weight_decay"),
      p.text("distribution") == "rademacher" ? Distribution::rademacher : Distribution::gaussian,
      decay == "linear"   ? Decay::linear
      : decay == "cosine" ? Decay::cosine
                          : Decay::constant,
      static_cast<std::uint32_t>(p.integer("warmup")),
      {storage_named(storage), storage == "file"},
      p};
}

TrainerSettings trainer_of(const Parameters& p) {
  return {static_cast<std::uint32_t>(p.integer("steps")),
          static_cast<std::uint32_t>(p.integer("batch_size")),
          static_cast<std::uint32_t>(rows_or_all(p, "micro_batch")),
          p.integer("eval_every"),
          p.integer("log_every"),
          static_cast<std::uint32_t>(p.integer("flush_every")),
          static_cast<std::uint64_t>(p.integer("seed")),
          p.text("guard") == "on",
          p.text("keep") == "last"      ? Keep::last
          : p.text("best_by") == "loss" ? Keep::best_loss
                                        : Keep::best_metric};
}

Parameters check_top(const Value& tree, Diagnostics& diagnostics) {
  return check_top_level(tree, block_names(), top_settings(), diagnostics);
}

TopSettings top_of(const Parameters& p) { return {required(p, "output"), p.list("plugins")}; }

}  // namespace

Mark mark_of(const Value& tree, const char* block, const char* key) {
  const Value* b = tree.find(block);
  const Value* v = b ? b->find(key) : nullptr;
  return v ? v->mark : b ? b->mark : tree.mark;
}

TopSettings read_top(const Value& tree, Diagnostics& diagnostics) {
  return top_of(check_top(tree, diagnostics));
}

ModelSettings read_model(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  return model_of(check_model(tree, registry, diagnostics).values);
}

ComponentSettings read_peft(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  CheckedComponent peft = check_peft(tree, registry, diagnostics);
  return {std::move(peft.component), std::move(peft.block.values)};
}

TaskSettings read_task(const Value& tree, Diagnostics& diagnostics) {
  return task_of(check_block(tree, "task", task_settings(), {}, diagnostics).values);
}

GenerationSettings read_generation(const Value& tree, Diagnostics& diagnostics) {
  return generation_of(check_generation(tree, diagnostics).values);
}

OptimizerSettings read_optimizer(const Value& tree, Diagnostics& diagnostics) {
  return optimizer_of(check_optimizer(tree, diagnostics).values);
}

TrainerSettings read_trainer(const Value& tree, Diagnostics& diagnostics) {
  return trainer_of(check_block(tree, "trainer", trainer_settings(), {}, diagnostics).values);
}

RunSettings read_settings(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  Diagnostics said_already;  // by read_top(), which comes before a registry
  const Parameters top = check_top(tree, said_already);
  const Checked model = check_model(tree, registry, diagnostics);
  CheckedComponent peft = check_peft(tree, registry, diagnostics);
  CheckedComponent objective =
      check_component(tree, "objective", MEZO_OBJECTIVE, "objective", "cross_entropy",
                      objective_settings(), registry, diagnostics);
  const Checked task = check_block(tree, "task", task_settings(), {}, diagnostics);
  const Checked generation = check_generation(tree, diagnostics);
  const Checked optimizer = check_optimizer(tree, diagnostics);
  const Checked trainer = check_block(tree, "trainer", trainer_settings(), {}, diagnostics);

  RunSettings settings{top_of(top),
                       model_of(model.values),
                       {peft.component, peft.block.values},
                       {objective.component, objective.block.values},
                       task_of(task.values),
                       generation_of(generation.values),
                       optimizer_of(optimizer.values),
                       trainer_of(trainer.values),
                       Value::map()};
  settings.tree.set("model", model.tree());
  settings.tree.set("peft", peft.block.tree());
  settings.tree.set("objective", objective.block.tree());
  settings.tree.set("task", task.tree());
  settings.tree.set("generation", generation.tree());
  settings.tree.set("optimizer", optimizer.tree());
  settings.tree.set("trainer", trainer.tree());
  for (const Entry& entry : to_tree(top, top_settings()).entries)
    settings.tree.set(entry.key, entry.value);
  return settings;
}

}  // namespace mezo
