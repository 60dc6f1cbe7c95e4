#pragma once
// A file that shrinks while it is mapped answers a read with SIGBUS, anywhere, on any thread. A
// process that asked for it ends then as it does for a damaged model: the file's name on stderr,
// and exit code 5.

#include <cstddef>
#include <span>

#include "core/api.h"

namespace mezo {

// From now on; other SIGBUS end the process as before. Called once, by a program.
MEZO_API void name_shrunk_files();

// That these bytes are mapped from the file of this name. At most 4096 files at a time are known.
void remember_mapped(std::span<const std::byte> bytes, const char* path);
void forget_mapped(std::span<const std::byte> bytes);

}  // namespace mezo
