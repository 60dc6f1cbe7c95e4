#pragma once
// A task as data: how an example becomes a prompt, which texts may answer it, and how answers are
// measured. Read from a YAML file (configs/tasks), so that a new classification task needs no code.
//
//   prompt: "{sentence} It was"            # core/text/template.h
//   options: {0: " terrible", 1: " great"} # value of the label field: text that follows the prompt
//   label: label                           # the field that holds the right option's value
//   metric: accuracy
//
// For a model that fills a mask the prompt has <mask> once, where each option, one token, may
// stand. A task without options is answered by text that the model generates:
//
//   prompt: "Question: {question}\nAnswer:"
//   answers: answers.text                  # the field of the texts that are right: one, or a list
//   max_new_tokens: 50
//   stop: ["\n"]                           # strings that end the text and are no part of it
//   metric: f1

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/error.h"
#include "core/text/template.h"

namespace mezo {

struct Option {
  std::string label;  // as the data spells it
  std::string text;
};

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

  bool generates() const { return options.empty(); }

  // What is allowed and seldom meant: an option that would be glued to the prompt's last word.
  MEZO_API std::vector<std::string> remarks() const;
};

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
