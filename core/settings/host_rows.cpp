#include "core/settings/host_rows.h"

#include <algorithm>
#include <array>

namespace mezo {

namespace {

struct Row {
  mezo_parameter row;
  Decides decides;
};

constexpr const char* automatic[] = {"auto", nullptr};
constexpr const char* all[] = {"all", nullptr};
constexpr const char* none[] = {"none", nullptr};
constexpr const char* automatic_or_none[] = {"auto", "none", nullptr};
constexpr const char* dtypes[] = {"auto", "float32", "float16", "bfloat16", nullptr};
constexpr const char* devices[] = {"auto", "cpu", "cuda", nullptr};
constexpr const char* storages[] = {"auto",       "float32", "float16", "bfloat16",
                                    "bfloat16+8", "file",    nullptr};
constexpr const char* distributions[] = {"gaussian", "rademacher", nullptr};
constexpr const char* task_says[] = {"task", nullptr};
constexpr const char* scores[] = {"task", "mean", "sum", "calibrated", nullptr};
constexpr const char* dev_sources[] = {"file", "train", nullptr};
constexpr const char* kept_steps[] = {"last", "best", nullptr};
constexpr const char* judges[] = {"loss", "metric", nullptr};
constexpr const char* on_or_off[] = {"on", "off", nullptr};
constexpr const char* schedules[] = {"constant", "linear", "cosine", nullptr};

constexpr Row top[] = {{{"output", MEZO_PATH, nullptr, nullptr, nullptr, nullptr,
                         "the run folder; a finished run in it is never overwritten"},
                        Decides::place},
                       {{"plugins", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr,
                         "plugins to load beside those in the plugin folders: names or paths"},
                        Decides::place}};

constexpr Row model[] = {{{"path", MEZO_PATH, nullptr, nullptr, nullptr, nullptr,
                           "a Hugging Face folder or a .gguf file"},
                          Decides::place},
                         {{"type", MEZO_TEXT, "auto", nullptr, nullptr, nullptr,
                           "model family; auto: the one that serves the model's architecture"},
                          Decides::past},
                         {{"dtype", MEZO_TEXT, "auto", nullptr, dtypes, nullptr,
                           "type to compute in; auto: float32 on the CPU, the file's own on a GPU"},
                          Decides::future},
                         {{"device", MEZO_TEXT, "auto", nullptr, devices, nullptr,
                           "where to compute; auto: the first GPU that is visible, or the CPU"},
                          Decides::place}};

constexpr Row peft[] = {
    {{"type", MEZO_TEXT, "full", nullptr, nullptr, nullptr, "what trains: a PEFT mode"},
     Decides::past}};

constexpr Row objective[] = {{{"type", MEZO_TEXT, "cross_entropy", nullptr, nullptr, nullptr,
                               "what is minimised: an objective"},
                              Decides::future}};

constexpr Row task[] = {
    {{"file", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr,
      "a task by name, or the path of a task file"},
     Decides::place},
    {{"train", MEZO_PATH, "", nullptr, nullptr, nullptr, "examples to train on, .jsonl or .tsv"},
     Decides::place},
    {{"dev", MEZO_PATH, "", nullptr, nullptr, nullptr, "examples to look at while training"},
     Decides::place},
    {{"dev_from", MEZO_TEXT, "file", nullptr, dev_sources, nullptr,
      "train: dev is rows of train's file that train does not use, the last ones"},
     Decides::past},
    {{"test", MEZO_PATH, "", nullptr, nullptr, nullptr,
      "examples that the result is measured on, before and after"},
     Decides::place},
    {{"train_size", MEZO_INTEGER, "1000", "[1, inf)", all, "examples",
      "how many rows of train are used"},
     Decides::past},
    {{"train_per_class", MEZO_INTEGER, "none", "[1, inf)", none, "examples",
      "instead of train_size, so many rows of each label; and as many others for dev from train"},
     Decides::past},
    {{"dev_size", MEZO_INTEGER, "500", "[1, inf)", all, "examples",
      "how many rows of dev are used"},
     Decides::past},
    {{"test_size", MEZO_INTEGER, "1000", "[1, inf)", all, "examples",
      "how many rows of test are used"},
     Decides::past},
    {{"split_seed", MEZO_INTEGER, "none", "[0, inf)", none, nullptr,
      "choose the rows at random by this seed; none: the first rows"},
     Decides::past},
    {{"demonstrations", MEZO_INTEGER, "0", "[0, 65536]", nullptr, "examples",
      "rows of train that stand before every prompt of dev and test, with their answers"},
     Decides::past},
    {{"max_length", MEZO_INTEGER, "2048", "[2, 1048576]", nullptr, "tokens",
      "longer sequences lose their beginning; the model's own limit holds too"},
     Decides::past},
    {{"bos", MEZO_INTEGER, "auto", "[0, 2147483647]", automatic_or_none, nullptr,
      "id of the token that every sequence begins with; auto: as the tokenizer says"},
     Decides::past},
    {{"score", MEZO_TEXT, "task", nullptr, scores, nullptr,
      "what an option's log-probabilities make; task: what its file says, else their mean"},
     Decides::past}};

constexpr Row generation[] = {
    {{"max_new_tokens", MEZO_INTEGER, "task", "[1, 1048576]", task_says, "tokens",
      "most that a generated text has; task: what its file says, else 64"},
     Decides::future},
    {{"stop", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr,
      "strings that end a text and are no part of it, beside the task's"},
     Decides::future},
    {{"temperature", MEZO_NUMBER, "0", "[0, 1e6]", nullptr, nullptr,
      "divides the logits before a token is drawn; 0: always the likeliest token"},
     Decides::future},
    {{"top_k", MEZO_INTEGER, "all", "[1, 1048576]", all, "tokens",
      "draw among so many likeliest tokens"},
     Decides::future},
    {{"top_p", MEZO_NUMBER, "1", "(0, 1]", nullptr, nullptr,
      "draw among the likeliest tokens that together have this probability"},
     Decides::future},
    {{"seed", MEZO_INTEGER, "0", "[0, inf)", nullptr, nullptr, "decides what is drawn"},
     Decides::future},
    {{"texts_at_once", MEZO_INTEGER, "64", "[1, 65536]", nullptr, "texts",
      "how many are generated together"},
     Decides::nothing}};

constexpr Row optimizer[] = {
    {{"type", MEZO_TEXT, "spsa", nullptr, nullptr, nullptr,
      "how a step is estimated: an estimator"},
     Decides::future},
    {{"learning_rate", MEZO_NUMBER, "auto", "[0, 1e6]", automatic, nullptr,
      "step size; auto: what the PEFT mode recommends"},
     Decides::future},
    {{"weight_decay", MEZO_NUMBER, "0", "[0, 1e6]", nullptr, nullptr,
      "decoupled decay of matrices and embeddings"},
     Decides::future},
    {{"distribution", MEZO_TEXT, "gaussian", nullptr, distributions, nullptr,
      "of the directions; rademacher: every element +1 or -1"},
     Decides::past},
    {{"schedule", MEZO_TEXT, "constant", nullptr, schedules, nullptr,
      "of the learning rate; linear, cosine: falls to 0 at the last step"},
     Decides::future},
    {{"warmup", MEZO_INTEGER, "0", "[0, 4294967295]", nullptr, "steps",
      "the learning rate rises linearly over the first steps"},
     Decides::future},
    {{"storage", MEZO_TEXT, "auto", nullptr, storages, nullptr,
      "type that matrices are kept in; file: as the model's file has them; auto: file where none "
      "trains, else float32 on the CPU; on a GPU a float16 file's own, bfloat16+8 for bfloat16"},
     Decides::past}};

constexpr Row trainer[] = {
    {{"steps", MEZO_INTEGER, "20000", "[0, 4294967295]", nullptr, "steps",
      "length of the training"},
     Decides::future},
    {{"batch_size", MEZO_INTEGER, "16", "[1, 65536]", nullptr, "examples", "examples a step"},
     Decides::future},
    {{"micro_batch", MEZO_INTEGER, "all", "[1, 65536]", all, "examples",
      "how many of them share a forward; the objective sees the whole batch"},
     Decides::future},
    {{"eval_every", MEZO_INTEGER, "4000", "[0, inf)", nullptr, "steps",
      "how often dev is evaluated; 0: never"},
     Decides::nothing},
    {{"keep", MEZO_TEXT, "last", nullptr, kept_steps, nullptr,
      "the step whose weights are the result: the last, or that which is best on dev"},
     Decides::nothing},
    {{"best_by", MEZO_TEXT, "loss", nullptr, judges, nullptr,
      "what of dev's scores says which step is best: the loss, or the task's metric"},
     Decides::nothing},
    {{"log_every", MEZO_INTEGER, "1", "[1, inf)", nullptr, "steps",
      "how often a line goes to metrics.jsonl"},
     Decides::nothing},
    {{"flush_every", MEZO_INTEGER, "20", "[1, 65535]", nullptr, "steps",
      "how often steps are made safe in trajectory.mezo"},
     Decides::nothing},
    {{"seed", MEZO_INTEGER, "0", "[0, inf)", nullptr, nullptr,
      "decides the directions and the order of the examples"},
     Decides::past},
    {{"guard", MEZO_TEXT, "on", nullptr, on_or_off, nullptr,
      "stop a run that has diverged; off: only say so"},
     Decides::nothing}};

// The rows as the checks of core/config take them.
template <const auto& Rows>
std::span<const mezo_parameter> table_of() {
  static constexpr auto table = [] {
    std::array<mezo_parameter, std::size(Rows)> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = Rows[i].row;
    return all;
  }();
  return table;
}

struct Block {
  std::string_view name;
  std::span<const Row> rows;
  Decides components;           // what the settings of its component decide
  const char* place = nullptr;  // but for this one: the folder that an adapter starts from
};

constexpr Block blocks[] = {{"", top, Decides::past},
                            {"model", model, Decides::past},
                            {"peft", peft, Decides::past, "adapter"},
                            {"objective", objective, Decides::future},
                            {"task", task, Decides::past},
                            {"generation", generation, Decides::future},
                            {"optimizer", optimizer, Decides::future},
                            {"trainer", trainer, Decides::past}};

}  // namespace

std::span<const mezo_parameter> top_settings() { return table_of<top>(); }
std::span<const mezo_parameter> model_settings() { return table_of<model>(); }
std::span<const mezo_parameter> peft_settings() { return table_of<peft>(); }
std::span<const mezo_parameter> objective_settings() { return table_of<objective>(); }
std::span<const mezo_parameter> task_settings() { return table_of<task>(); }
std::span<const mezo_parameter> generation_settings() { return table_of<generation>(); }
std::span<const mezo_parameter> optimizer_settings() { return table_of<optimizer>(); }
std::span<const mezo_parameter> trainer_settings() { return table_of<trainer>(); }

Decides decides(std::string_view key) {
  const std::size_t dot = key.find('.');
  const std::string_view of = dot == key.npos ? "" : key.substr(0, dot),
                         name = dot == key.npos ? key : key.substr(dot + 1);
  for (const Block& block : blocks) {
    if (block.name != of) continue;
    for (const Row& row : block.rows)
      if (name == row.row.name) return row.decides;
    return block.place && name == block.place ? Decides::place : block.components;
  }
  return Decides::past;
}

std::vector<std::string> places_of(std::span<const std::string_view> of) {
  std::vector<std::string> places;
  const auto add = [&](const Block& block, const char* name) {
    places.push_back(std::string(block.name) + (block.name.empty() ? "" : ".") + name);
  };
  for (const Block& block : blocks) {
    if (std::ranges::find(of, block.name) == of.end()) continue;
    for (const Row& row : block.rows)
      if (row.decides == Decides::place) add(block, row.row.name);
    if (block.place) add(block, block.place);
  }
  return places;
}

const std::vector<std::string>& block_names() {
  static const std::vector<std::string> names = {"model",      "peft",      "objective", "task",
                                                 "generation", "optimizer", "trainer"};
  return names;
}

const HostSettings& host_settings() {
  static const HostSettings host = {
      {"model", {"path", "dtype", "device"}},
      {"optimizer",
       {"learning_rate", "weight_decay", "distribution", "schedule", "warmup", "storage"}}};
  return host;
}

}  // namespace mezo
