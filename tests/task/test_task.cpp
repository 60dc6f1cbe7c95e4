#include <doctest/doctest.h>

#include "core/task/task.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

Task task_of(const std::string& text) {
  const ScratchFolder folder;
  return load_task(folder.write("toy.yaml", text));
}

// The report without the folder that the file lies in.
std::string config_error(const std::string& text) {
  const ScratchFolder folder;
  try {
    load_task(folder.write("toy.yaml", text));
  } catch (const ConfigError& e) {
    std::string message = e.what();
    const std::string prefix = folder.path().string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;)
      message.erase(at, prefix.size());
    return message;
  }
  return "no error";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a task file gives prompt, options in its order, label field and metric") {
  const Task task =
      task_of("prompt: \"{text} It was\"\noptions: {b: \" bad\", a: \" good\"}\nlabel: stars\n");
  CHECK(task.name == "toy");
  CHECK(task.prompt.render({{"text", "Hm."}}) == "Hm. It was");
  REQUIRE(task.options.size() == 2);
  CHECK(task.options[0].label == "b");
  CHECK(task.options[1].source == " good");
  CHECK(task.label_field == "stars");
  CHECK(task.metric == "accuracy");
}

TEST_CASE("everything wrong with a task file is one report") {
  const std::string report =
      config_error("promt: x\noptions: {0: yes}\nmetric: accurracy\nlabel: [a]\n");
  CHECK(holds(
      report,
      "toy.yaml:1:1: error[C012]: unknown key 'promt'; did you mean 'prompt'?\n  promt: x\n  ^"));
  CHECK(holds(report, "required setting prompt is missing"));
  CHECK(holds(report, "toy.yaml:2:10: error[C018]: options: expected a map of at least two"));
  CHECK(holds(report,
              "toy.yaml:3:9: error[C022]: metric cannot be 'accurracy'; did you mean 'accuracy'?"));
  CHECK(holds(report, "toy.yaml:4:8: error"));
  CHECK(report.ends_with("5 errors"));
}

TEST_CASE("options must be there, at least two, each once and each with its own text") {
  CHECK(holds(config_error("prompt: x\n"), "options: expected a map of at least two"));
  CHECK(holds(config_error("prompt: x\noptions: [a, b]\n"), "toy.yaml:2:10: error[C018]"));
  CHECK(holds(config_error("prompt: x\noptions: {0: a, 0: b}\n"), "toy.yaml:2:17: error[C013]"));
  CHECK(holds(config_error("prompt: x\noptions: {0: a, 1: a}\n"),
              "toy.yaml:2:20: error[C022]: the options for '0' and '1' are the same text"));
  CHECK(holds(config_error("prompt: x\noptions: {0: a, 1: ''}\n"),
              "toy.yaml:2:20: error[C019]: the option for '1' must be text"));
}

TEST_CASE("options may be templates, one for each text of a list too") {
  const Task list = task_of(
      "prompt: \"{text}\"\neach: names\noptions: \" {text|replace('@', names)}\"\nanswers: "
      "right\n");
  CHECK(list.each_field == "names");
  CHECK(list.options.size() == 1);
  CHECK(list.right_field() == "right");
  CHECK(list.metric == "accuracy");
  CHECK(!list.generates());
  CHECK(task_of("prompt: x\neach: names\noptions: \" {names}\"\n").right_field() == "label");
  CHECK(holds(config_error("prompt: x\neach: a\noptions: {0: a, 1: b}\n"),
              "toy.yaml:3:10: error[C018]: options: expected one text, as each names a list"));
  CHECK(holds(config_error("prompt: x\neach: a\noptions: ' {a}'\nanswers: b\nlabel: c\n"),
              "toy.yaml:5:8: error[C022]: label: answers says what is right"));
  CHECK(holds(config_error("prompt: x<mask>\neach: a\noptions: ' {a}'\n"), "each: a <mask> is"));
  CHECK(holds(config_error("prompt: x\noptions: {0: a, 1: 'b{'}\n"),
              "toy.yaml:2:22: error[C019]: the option for '1': [template] column 2: '{' is not"));
}

TEST_CASE("a calibrated score needs the prompt that says nothing") {
  const Task task =
      task_of("prompt: x\noptions: {0: a, 1: b}\nscore: calibrated\nneutral_prompt: ''\n");
  CHECK(task.score == OptionScore::calibrated);
  CHECK(task.neutral_prompt->render({}).empty());
  CHECK(holds(config_error("prompt: x\noptions: {0: a, 1: b}\nscore: calibrated\n"),
              "toy.yaml:3:8: error[C022]: score: calibrated needs the task's neutral_prompt"));
  CHECK(
      holds(config_error("prompt: x\nanswers: a\nscore: sum\n"), "score: the task has no options"));
  CHECK(holds(config_error("prompt: x<mask>\noptions: {0: a, 1: b}\nscore: calibrated\n"),
              "score: calibrated is for options that follow a prompt"));
}

TEST_CASE("tokens of fields are cut in a prompt with a mask alone") {
  CHECK(
      task_of("prompt: '{a|first_tokens(3)}<mask>'\noptions: {0: a, 1: b}\n").prompt.cuts_tokens());
  CHECK(holds(
      config_error("prompt: '{a|first_tokens(3)}'\noptions: {0: a, 1: b}\n"),
      "toy.yaml:1:9: error[C022]: prompt: first_tokens() cuts fields of a prompt with <mask>"));
}

TEST_CASE("a malformed template is reported at the character that is wrong") {
  const std::string report = config_error("options: {0: a, 1: b}\nprompt: \"A {text It was\"\n");
  CHECK(
      holds(report, "toy.yaml:2:12: error[C019]: prompt: [template] column 3: '{' is not closed"));
  CHECK(holds(report, "  prompt: \"A {text It was\"\n             ^"));
  CHECK(holds(config_error("options: {0: a, 1: b}\nprompt: {a: b}\n"), "toy.yaml:2:9: error"));
}

TEST_CASE("a file that is absent, empty or no map says so") {
  CHECK_THROWS_AS(load_task("/absent/toy.yaml"), ConfigError);
  CHECK(holds(config_error(""), "the file holds no settings"));
  CHECK(holds(config_error("- a\n"), "a configuration is a map of settings, got a list"));
}

TEST_CASE("a task is found by name in the folders, and anything that looks like a path is one") {
  const ScratchFolder folder;
  const std::string file = folder.write("tasks/sentiment.yaml", "x");
  const std::vector<std::string> folders = {"/absent", (folder.path() / "tasks").string()};
  CHECK(find_task("sentiment", folders) == file);
  CHECK(find_task("./sentiment", folders) == "./sentiment");
  CHECK(find_task("other.yaml", folders) == "other.yaml");
  CHECK_THROWS_WITH_AS(
      find_task("sentimant", folders),
      "no task called 'sentimant'; did you mean 'sentiment'? (known: sentiment; or give a path)",
      UnknownTask);
  CHECK_THROWS_WITH_AS(find_task("sentiment", {"/absent", "/gone"}),
                       "no task called 'sentiment' (no task files in /absent /gone; give a path)",
                       UnknownTask);
}
