#pragma once
// A forward's activations, megabytes each, come and go a thousand times a step. By default the C
// library gives such memory back to the system each time and faults every page in anew, which makes
// a step up to a third slower; programs that run the model call this first.

#include "core/api.h"

namespace mezo {

// From now on freed memory stays with the process, for its next allocation.
MEZO_API void keep_freed_pages();

}  // namespace mezo
