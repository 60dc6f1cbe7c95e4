#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "core/config/table.h"
#include "core/settings/host_rows.h"
#include "core/zo/estimators.h"

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
                        {"optimizer", mezo::optimizer_settings()},
                        {"optimizer of type spsa", mezo::estimator_kind("spsa").settings},
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

TEST_CASE(
    "every setting says what it decides, and a component's own decide what their block does") {
  using enum mezo::Decides;
  CHECK(mezo::decides("output") == place);
  CHECK(mezo::decides("model.path") == place);
  CHECK(mezo::decides("peft.adapter") == place);
  CHECK(mezo::decides("trainer.seed") == past);
  CHECK(mezo::decides("optimizer.distribution") == past);
  CHECK(mezo::decides("task.bos") == past);
  CHECK(mezo::decides("optimizer.learning_rate") == future);
  CHECK(mezo::decides("optimizer.probes") == future);
  CHECK(mezo::decides("objective.margin") == future);
  CHECK(mezo::decides("peft.rank") == past);
  CHECK(mezo::decides("model.type") == past);
  CHECK(mezo::decides("trainer.log_every") == nothing);
  CHECK(mezo::decides("something.else") == past);  // what is not known must not change
}
