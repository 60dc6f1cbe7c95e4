#pragma once
// An exception of unknown origin in words. Used wherever code of a plugin returns to the host.

#include <string>

#include "core/api.h"

namespace mezo {

// The type and the message of the exception that is being handled: `std::runtime_error: no rows`,
// `int: 42`. Call it only inside a catch block. Without the list of stack frames that torch
// appends.
MEZO_API std::string what_was_thrown();

}  // namespace mezo
