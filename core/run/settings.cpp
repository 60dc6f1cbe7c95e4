#include "core/run/settings.h"

#include "core/config/schema.h"

namespace mezo {

namespace {

constexpr const char* automatic[] = {"auto", nullptr};
constexpr const char* all[] = {"all", nullptr};
constexpr const char* none[] = {"none", nullptr};
constexpr const char* automatic_or_none[] = {"auto", "none", nullptr};
constexpr const char* dtypes[] = {"auto", "float32", "float16", "bfloat16", nullptr};
constexpr const char* devices[] = {"auto", "cpu", "cuda", nullptr};
constexpr const char* storages[] = {"auto",       "float32", "float16", "bfloat16",
                                    "bfloat16+8", "file",    nullptr};
constexpr const char* distributions[] = {"gaussian", "rademacher", nullptr};
constexpr const char* schedules[] = {"constant", "linear", "cosine", nullptr};
constexpr const char* estimates[] = {"two_sided", "one_sided", nullptr};
constexpr const char* streams[] = {"auto", "turns", "together", nullptr};

constexpr mezo_parameter top[] = {
    {"output", MEZO_PATH, nullptr, nullptr, nullptr, nullptr,
     "the run folder; a finished run in it is never overwritten"},
    {"plugins", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr,
     "plugins to load beside those in the plugin folders: names or paths"}};

constexpr mezo_parameter model[] = {
    {"path", MEZO_PATH, nullptr, nullptr, nullptr, nullptr,
     "a Hugging Face folder or a .gguf file"},
    {"type", MEZO_TEXT, "auto", nullptr, nullptr, nullptr,
     "model family; auto: the one that serves the model's architecture"},
    {"dtype", MEZO_TEXT, "auto", nullptr, dtypes, nullptr,
     "type to compute in; auto: float32 on the CPU, the file's own on a GPU"},
    {"device", MEZO_TEXT, "auto", nullptr, devices, nullptr,
     "where to compute; auto: the first GPU that is visible, or the CPU"}};

constexpr mezo_parameter peft[] = {
    {"type", MEZO_TEXT, "full", nullptr, nullptr, nullptr, "what trains: a PEFT mode"}};

constexpr mezo_parameter objective[] = {{"type", MEZO_TEXT, "cross_entropy", nullptr, nullptr,
                                         nullptr, "what is minimised: an objective"}};

constexpr mezo_parameter task[] = {
    {"file", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr,
     "a task by name, or the path of a task file"},
    {"train", MEZO_PATH, "", nullptr, nullptr, nullptr, "examples to train on, .jsonl or .tsv"},
    {"dev", MEZO_PATH, "", nullptr, nullptr, nullptr, "examples to look at while training"},
    {"test", MEZO_PATH, "", nullptr, nullptr, nullptr,
     "examples that the result is measured on, before and after"},
    {"train_size", MEZO_INTEGER, "1000", "[1, inf)", all, "examples",
     "how many rows of train are used"},
    {"dev_size", MEZO_INTEGER, "500", "[1, inf)", all, "examples", "how many rows of dev are used"},
    {"test_size", MEZO_INTEGER, "1000", "[1, inf)", all, "examples",
     "how many rows of test are used"},
    {"split_seed", MEZO_INTEGER, "none", "[0, inf)", none, nullptr,
     "choose the rows at random by this seed; none: the first rows"},
    {"max_length", MEZO_INTEGER, "2048", "[2, 1048576]", nullptr, "tokens",
     "longer sequences lose their beginning; the model's own limit holds too"},
    {"bos", MEZO_INTEGER, "auto", "[0, 2147483647]", automatic_or_none, nullptr,
     "id of the token that every sequence begins with; auto: as the tokenizer says"}};

constexpr mezo_parameter optimizer[] = {
    {"learning_rate", MEZO_NUMBER, "auto", "[0, 1e6]", automatic, nullptr,
     "step size; auto: what the PEFT mode recommends"},
    {"epsilon", MEZO_NUMBER, "auto", "[1e-12, 1e6]", automatic, nullptr,
     "size of the perturbation; auto: what the PEFT mode recommends"},
    {"weight_decay", MEZO_NUMBER, "0", "[0, 1e6]", nullptr, nullptr,
     "decoupled decay of matrices and embeddings"},
    {"probes", MEZO_INTEGER, "1", "[1, 1024]", nullptr, nullptr,
     "directions a step; each costs two forwards"},
    {"distribution", MEZO_TEXT, "gaussian", nullptr, distributions, nullptr,
     "of the directions; rademacher: every element +1 or -1"},
    {"estimate", MEZO_TEXT, "two_sided", nullptr, estimates, nullptr,
     "one_sided: against the loss at the weights themselves, probes + 1 forwards a step"},
    {"streams", MEZO_TEXT, "auto", nullptr, streams, nullptr,
     "turns: two perturbed forwards at a time; together: all probes' (more memory); auto: together "
     "where the model's matrices do not train, and all streams share them"},
    {"clip", MEZO_NUMBER, "none", "(0, 1e30]", none, nullptr,
     "a projected gradient beyond it counts as it"},
    {"schedule", MEZO_TEXT, "constant", nullptr, schedules, nullptr,
     "of the learning rate; linear, cosine: falls to 0 at the last step"},
    {"warmup", MEZO_INTEGER, "0", "[0, 4294967295]", nullptr, "steps",
     "the learning rate rises linearly over the first steps"},
    {"storage", MEZO_TEXT, "auto", nullptr, storages, nullptr,
     "type that matrices are kept in; file: as the model's file has them; auto: file where none "
     "trains, else float32 on the CPU; on a GPU a float16 file's own, bfloat16+8 for bfloat16"}};

constexpr mezo_parameter trainer[] = {
    {"steps", MEZO_INTEGER, "20000", "[0, 4294967295]", nullptr, "steps", "length of the training"},
    {"batch_size", MEZO_INTEGER, "16", "[1, 65536]", nullptr, "examples", "examples a step"},
    {"micro_batch", MEZO_INTEGER, "all", "[1, 65536]", all, "examples",
     "how many of them share a forward; the objective sees the whole batch"},
    {"eval_every", MEZO_INTEGER, "4000", "[0, inf)", nullptr, "steps",
     "how often dev is evaluated; 0: never"},
    {"log_every", MEZO_INTEGER, "1", "[1, inf)", nullptr, "steps",
     "how often a line goes to metrics.jsonl"},
    {"flush_every", MEZO_INTEGER, "20", "[1, 65535]", nullptr, "steps",
     "how often steps are made safe in trajectory.mezo"},
    {"seed", MEZO_INTEGER, "0", "[0, inf)", nullptr, nullptr,
     "decides the directions and the order of the examples"}};

}  // namespace

std::span<const mezo_parameter> top_settings() { return top; }
std::span<const mezo_parameter> model_settings() { return model; }
std::span<const mezo_parameter> peft_settings() { return peft; }
std::span<const mezo_parameter> objective_settings() { return objective; }
std::span<const mezo_parameter> task_settings() { return task; }
std::span<const mezo_parameter> optimizer_settings() { return optimizer; }
std::span<const mezo_parameter> trainer_settings() { return trainer; }

std::vector<mezo_parameter> table_of_block(std::span<const mezo_parameter> host,
                                           const Component& component) {
  return join(host, {component.descriptor->parameters, component.descriptor->parameter_count});
}

const std::vector<std::string>& block_names() {
  static const std::vector<std::string> names = {"model", "peft",      "objective",
                                                 "task",  "optimizer", "trainer"};
  return names;
}

const HostSettings& host_settings() {
  static const HostSettings host = {{"model", {"path", "dtype", "device"}}};
  return host;
}

}  // namespace mezo
