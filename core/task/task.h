#pragma once
// A task as data: how an example becomes a prompt, which texts may answer it, and how answers are
// measured. Read from a YAML file (configs/tasks), so that a new task needs no code.
//
//   prompt: "{sentence} It was"            # core/text/template.h
//   options: {0: " terrible", 1: " great"} # value of the label field: text that follows the prompt
//   label: label                           # the field that holds the right option's value
//   metric: accuracy
//
// Options are templates too: {0: " {choice1}", 1: " {choice2}"}. Where an example brings a list of
// them, there is one template, in which the list's name stands for one of its texts:
//
//   each: entities                         # the field of the list: an option for each text in it
//   options: " {query|replace('@placeholder', entities)}"
//   answers: answers                       # the field of the texts that are right; or label:
//   FIELD,
//                                          # which has the place in the list, from 0
//
// For a model that fills a mask the prompt has <mask> once, where each option, one token, may
// stand. A task without options is answered by text that the model generates:
//
//   prompt: "Question: {question}\nAnswer:"
//   answers: answers.text                  # the field of the texts that are right: one, or a list
//   max_new_tokens: 50
//   stop: ["\n"]                           # strings that end the text and are no part of it
//   target: " {answers.text}\n"            # what training on the right answer teaches; this is
//   auto metric: f1

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/config/parameter.h"
#include "core/error.h"
#include "core/text/template.h"

namespace mezo {

struct Option {
  Option(std::string of_label, std::string in_file)
      : label(std::move(of_label)), source(std::move(in_file)), text(source) {}

  std::string label;   // as the data spells it; "" of the one template of a list's options
  std::string source;  // as the task file has it
  PromptTemplate text;
};

// What an option's score is, of the log-probabilities of its tokens: their mean, their sum, or
// their sum less that behind a prompt that says nothing (Holtzman et al. 2021).
enum class OptionScore { mean, sum, calibrated };

MEZO_API OptionScore option_score_named(const std::string& name);  // one of those three

struct Task {
  std::string name;  // the file's name without its extension
  std::string path;
  PromptTemplate prompt;
  std::vector<Option> options;  // in the order of the file; none: text is generated
  std::string label_field;      // "": examples have no label
  std::string metric;
  std::string answers_field = {};  // "": examples have no answers
  std::optional<std::int64_t> max_new_tokens = {};
  std::vector<std::string> stop = {};
  std::string each_field = {};  // the list whose texts are options, by the only one of `options`
  OptionScore score = OptionScore::mean;
  std::optional<PromptTemplate> neutral_prompt = {};  // says nothing; of a calibrated score
  std::optional<std::int64_t> max_length = {};        // longer sequences are cut
  std::optional<PromptTemplate> target = {};          // the text that is taught, of right answers

  // The field that says what is right; "": nothing does.
  const std::string& right_field() const {
    return answers_field.empty() ? label_field : answers_field;
  }
  bool generates() const { return options.empty(); }
  // Why its options cannot have the score that it asks for; "": they can.
  std::string score_problem() const;

  // What is allowed and seldom meant: an option that would be glued to the prompt's last word.
  MEZO_API std::vector<std::string> remarks() const;
};

// The keys of a task file, but for `options`, whose own keys are the task's.
MEZO_API std::span<const mezo_parameter> task_file_settings();

// Reads and checks a task file; everything wrong with it is thrown as one ConfigError, or added to
// `diagnostics`. A file that cannot be read is reported at `from`, the value that names it, if that
// has a source.
MEZO_API Task load_task(const std::string& path);
MEZO_API std::optional<Task> load_task(const std::string& path, Diagnostics& diagnostics,
                                       const Mark& from = {});

// No task has the name that was asked for.
class MEZO_API UnknownTask : public ConfigError {
 public:
  using ConfigError::ConfigError;
  ~UnknownTask() override;
};

// The file that `task.file` means: a path (anything with a slash or ending in .yaml; not looked for
// here), or a name in one of `folders`, with .yaml put behind it. Throws UnknownTask with near
// names when there is none.
MEZO_API std::string find_task(const std::string& name_or_path,
                               const std::vector<std::string>& folders);

}  // namespace mezo
