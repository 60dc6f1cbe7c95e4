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

// The option that the example's label names. Throws DataError for a missing field or another value.
std::int64_t label_of(const Example& example, const Task& task, const std::string& where);

// The ids of a text. Throws DataError for a token that the model has no row for.
std::vector<std::int32_t> ids_of(const std::string& text, const Tokenizer& tokenizer,
                                 const std::string& where);

}  // namespace mezo
