#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/table.h"
#include "core/settings/host_rows.h"
#include "core/settings/optimizers.h"

namespace {

struct Block {
  const char* name;
  std::span<const mezo_parameter> table;
};

const Block blocks[] = {{"beside the blocks", mezo::top_settings()},
                        {"model", mezo::model_settings()},
                        {"peft", mezo::peft_settings()},
                        {"objective", mezo::objective_settings()},
                        {"task", mezo::task_settings()},
                        {"generation", mezo::generation_settings()},
                        {"optimizer", mezo::optimizer_settings()},
                        {"optimizer of type spsa", mezo::optimizer_kind("spsa").settings},
                        {"optimizer of type adam", mezo::optimizer_kind("adam").settings},
                        {"trainer", mezo::trainer_settings()}};

}  // namespace

TEST_CASE("every table of settings is sound") {
  for (const Block& block : blocks) {
    CAPTURE(block.name);
    CHECK(mezo::check_table(block.table) == "");
  }
}

TEST_CASE("docs/configuration.md states the tables as they are") {
  std::ifstream in(MEZO_SOURCE_DIR "/docs/configuration.md");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  for (const Block& block : blocks) {
    const std::string expected =
        std::string("## ") + block.name + "\n\n```\n" + mezo::describe(block.table) + "```\n";
    if (text.find(expected) == std::string::npos)
      FAIL_CHECK("docs/configuration.md should have:\n" << expected);
  }
}

TEST_CASE("what a setting decides for a run that goes on") {
  using enum mezo::Decides;
  const std::map<std::string, mezo::Decides> expected = {
      {"output", place},
      {"plugins", place},
      {"model.path", place},
      {"model.type", past},
      {"model.dtype", future},
      {"model.device", place},
      {"peft.type", past},
      {"objective.type", future},
      {"task.file", place},
      {"task.train", place},
      {"task.dev", place},
      {"task.dev_from", past},
      {"task.test", place},
      {"task.train_size", past},
      {"task.train_per_class", past},
      {"task.dev_size", past},
      {"task.test_size", past},
      {"task.split_seed", past},
      {"task.demonstrations", past},
      {"task.max_length", past},
      {"task.bos", past},
      {"task.score", past},
      {"generation.max_new_tokens", future},
      {"generation.stop", future},
      {"generation.temperature", future},
      {"generation.top_k", future},
      {"generation.top_p", future},
      {"generation.seed", future},
      {"generation.texts_at_once", nothing},
      {"optimizer.type", future},
      {"optimizer.learning_rate", future},
      {"optimizer.weight_decay", future},
      {"optimizer.distribution", past},
      {"optimizer.schedule", future},
      {"optimizer.warmup", future},
      {"optimizer.storage", past},
      {"trainer.steps", future},
      {"trainer.batch_size", future},
      {"trainer.micro_batch", future},
      {"trainer.eval_every", nothing},
      {"trainer.keep", nothing},
      {"trainer.best_by", nothing},
      {"trainer.log_every", nothing},
      {"trainer.flush_every", nothing},
      {"trainer.seed", past},
      {"trainer.guard", nothing},
  };
  std::size_t rows = 0;
  for (const Block& block : blocks) {
    if (std::string(block.name).starts_with("optimizer of type ")) continue;
    const bool top = std::string(block.name) == "beside the blocks";
    for (const mezo_parameter& row : block.table) {
      const std::string key = (top ? "" : std::string(block.name) + ".") + row.name;
      CAPTURE(key);
      REQUIRE(expected.contains(key));
      CHECK(mezo::decides(key) == expected.at(key));
      ++rows;
    }
  }
  CHECK(rows == expected.size());
}

TEST_CASE("a component's own settings decide what their block does") {
  using enum mezo::Decides;
  CHECK(mezo::decides("model.scale") == past);
  CHECK(mezo::decides("peft.rank") == past);
  CHECK(mezo::decides("peft.adapter") == place);
  CHECK(mezo::decides("objective.margin") == future);
  CHECK(mezo::decides("optimizer.probes") == future);
  CHECK(mezo::decides("something.else") == past);  // what is not known must not change
}

TEST_CASE("places are listed by their full names") {
  constexpr std::string_view of[] = {"", "peft", "model"};
  CHECK(mezo::places_of(of) == std::vector<std::string>{"output", "plugins", "model.path",
                                                        "model.device", "peft.adapter"});
}
