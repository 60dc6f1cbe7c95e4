#include <doctest/doctest.h>

#include "core/config/emit.h"
#include "core/config/extends.h"
#include "core/config/overrides.h"
#include "sample.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

Config config_of(const std::string& path, const HostSettings& host = {}) {
  Diagnostics d;
  auto config = read_config(path, host, d);
  REQUIRE_MESSAGE(!d.has_errors(), d.render());
  return *config;
}

struct Result {
  std::string yaml;
  std::vector<std::string> notes;
};

Result overridden(Config config, const std::vector<std::string>& texts,
                  const HostSettings& host = {}) {
  std::vector<Argument> arguments;
  for (const std::string& text : texts)
    arguments.push_back({static_cast<int>(arguments.size()) + 1, text});
  Diagnostics d;
  apply_overrides(config.tree, arguments, host, config.notes, d);
  REQUIRE_MESSAGE(!d.has_errors(), d.render());
  return {to_yaml(config.tree), config.notes};
}

const char* const run =
    "model: {path: a, type: opt, layers: 2}\npeft: {type: lora, rank: 8, targets: [q, v]}\n";

}  // namespace

TEST_CASE("extends merges maps, replaces lists, and values keep the file they came from") {
  ScratchFolder folder;
  folder.write("base/root.yaml", "task: {train: ../data/a, size: 1}\nlist: [a, b]\n");
  folder.write("base.yaml", "extends: base/root.yaml\ntask: {size: 2}\n");
  const Config config =
      config_of(folder.write("a.yaml", "extends: base.yaml\ntask: {dev: d}\nlist: [c]\n"));
  CHECK(to_yaml(config.tree) == "task:\n  train: \"../data/a\"\n  size: 2\n  dev: d\nlist: [c]\n");
  const Value& task = *config.tree.find("task");
  CHECK(task.find("train")->mark.source->folder == folder.path() / "base");
  CHECK(task.find("size")->mark.source->name == (folder.path() / "base.yaml").string());
  CHECK(config.notes.empty());
}

TEST_CASE("a new type drops the old type's settings and says which") {
  ScratchFolder folder;
  const std::string path = folder.write("a.yaml", run);
  const Result result = overridden(config_of(path), {"peft.type=prefix"});
  CHECK(result.yaml.find("peft:\n  type: prefix\n") != std::string::npos);
  CHECK(result.yaml.find("rank") == std::string::npos);
  REQUIRE(result.notes.size() == 1);
  CHECK(result.notes[0] ==
        "argument 1: peft.type is 'prefix' instead of 'lora'; dropped the settings of 'lora': rank "
        "(" +
            path + ":2:20), targets (" + path + ":2:29)");
}

TEST_CASE("a new type keeps what other arguments give and what belongs to the host") {
  ScratchFolder folder;
  const Config config = config_of(folder.write("a.yaml", run));
  CHECK(overridden(config, {"peft.tokens=5", "peft.type=prefix"}).yaml.find("tokens: 5") !=
        std::string::npos);
  CHECK(overridden(config, {"peft={type: prefix, tokens: 5}", "peft.start=text"})
            .yaml.ends_with("peft:\n  type: prefix\n  tokens: 5\n  start: text\n"));
  CHECK(overridden(config, {"peft={type: full, rank: 4}", "peft.type=lora"})
            .yaml.ends_with("peft:\n  type: lora\n  rank: 4\n  targets: [q, v]\n"));
  const Result model = overridden(config, {"model.type=llama"}, {{"model", {"path"}}});
  CHECK(model.yaml.starts_with("model:\n  path: a\n  type: llama\npeft:"));
  CHECK(overridden(config, {"peft.type=lora"}).notes.empty());
  CHECK(overridden(config, {"peft.rank=4"}).yaml.find("rank: 4\n  targets: [q, v]") !=
        std::string::npos);
}

TEST_CASE("extends resets a block of another type too") {
  ScratchFolder folder;
  folder.write("base.yaml", run);
  const Config config =
      config_of(folder.write("a.yaml", "extends: base.yaml\npeft: {type: prefix, tokens: 3}\n"));
  CHECK(to_yaml(*config.tree.find("peft")) == "type: prefix\ntokens: 3\n");
  CHECK(config.notes.size() == 1);
}

TEST_CASE("overrides make blocks, replace lists, and the last one wins") {
  ScratchFolder folder;
  const Config config = config_of(folder.write("a.yaml", "a: {b: [1, 2]}\nm:\n"));
  CHECK(overridden(config, {"a.b=[3]", "c.d.e=1", "a.x=1", "a.x=2", "m.z=", "s=a=b"}).yaml ==
        "a:\n  b: [3]\n  x: 2\nm:\n  z: \"\"\nc:\n  d:\n    e: 1\ns: \"a=b\"\n");
}

TEST_CASE("a sweep sets dotted paths") {
  Value tree = Value::map();
  Diagnostics d;
  CHECK(assign(tree, "optimizer.learning_rate", Value::scalar("1e-6"), {}, d));
  CHECK(assign(tree, "trainer.seed", Value::scalar("1"), {}, d));
  CHECK_FALSE(assign(tree, "trainer.seed.x", Value::scalar("1"), {}, d));
  CHECK_FALSE(assign(tree, "trainer..x", Value::scalar("1"), {}, d));
  CHECK(to_yaml(tree) == "optimizer:\n  learning_rate: 1e-6\ntrainer:\n  seed: 1\n");
  CHECK(d.errors().size() == 2);
}

TEST_CASE("paths start at the folder of the file, or at the working folder for an argument") {
  ScratchFolder folder;
  folder.write("base/base.yaml",
               "model: {path: models/a}\ntask: {file: sst2, train: t}\noutput: out\n");
  const std::string path = folder.write("a.yaml", "extends: base/base.yaml\ntask: {dev: d}\n");
  const sample::Checked run = sample::check_run(path, {"output=runs/x"});
  CHECK(run.model.text("path") == (folder.path() / "base/models/a").string());
  CHECK(run.task.text("dev") == (folder.path() / "d").string());
  CHECK(run.top.text("output") == (std::filesystem::current_path() / "runs/x").string());
}
