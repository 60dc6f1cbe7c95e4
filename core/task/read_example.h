#pragma once
// What every encoder asks of an example, with the place in its file in the error. `where` begins a
// message: place_of().

#include <cstdint>
#include <string>
#include <vector>

#include "core/task/examples.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo {

// "file:line: ".
std::string place_of(const Example& example, const std::string& path);

// One option of an example. Two texts of a list that are the same are one option.
struct OptionText {
  std::string name;  // the label, or of a list's option the text in the list
  std::string text;  // what follows the prompt
};

// Throws DataError for a missing field, and a list of no text.
std::vector<OptionText> options_of(const Example& example, const Task& task,
                                   const std::string& where);

// The options that the example's label or answers name, the first answer's first; none where the
// task's examples say nothing of the kind. Throws DataError for a missing field, another value, or
// answers of which none is an option.
std::vector<std::int64_t> right_of(const Example& example, const Task& task,
                                   const std::vector<OptionText>& options,
                                   const std::string& where);

// The texts that are right, of a field with one or a list of them; none where the task's examples
// have no answers. Throws DataError for a missing field and an empty list.
std::vector<std::string> answers_of(const Example& example, const Task& task,
                                    const std::string& where);

// The answer that is taught: the first right option, or a task's text for the first right answer,
// in whose template the answers' field stands for that. Throws DataError where nothing is right.
OptionText taught_answer(const Example& example, const Task& task, const std::string& where);

// A template of the task filled in. Throws DataError for a missing field, and one that cannot be
// changed.
std::string text_of(const PromptTemplate& source, const PromptTemplate::Fields& fields,
                    const Task& task, const std::string& where);

// The ids of a text. Throws DataError for a token that the model has no row for.
std::vector<std::int32_t> ids_of(const std::string& text, const Tokenizer& tokenizer,
                                 const std::string& where);

}  // namespace mezo
