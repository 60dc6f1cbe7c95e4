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

// The option that the example's label names; none where the task's examples have no label. Throws
// DataError for a missing field or another value.
std::vector<std::int64_t> right_of(const Example& example, const Task& task,
                                   const std::string& where);

// The texts that are right, of a field with one or a list of them; none where the task's examples
// have no answers. Throws DataError for a missing field and an empty list.
std::vector<std::string> answers_of(const Example& example, const Task& task,
                                    const std::string& where);

// The prompt of an example. Throws DataError for a missing field.
std::string prompt_of(const Example& example, const Task& task, const std::string& where);

// The ids of a text. Throws DataError for a token that the model has no row for.
std::vector<std::int32_t> ids_of(const std::string& text, const Tokenizer& tokenizer,
                                 const std::string& where);

}  // namespace mezo
