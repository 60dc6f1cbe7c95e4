#pragma once
// Names the plugin whose code runs when the process ends in a way that no exception tells of: a
// crash, or a call of exit().

#include <filesystem>

#include "core/api.h"

namespace mezo {

// While one of these lives, the code of this file may run; of no file, the program's own. Not
// nested; one thread.
class Blame {
 public:
  explicit Blame(const std::filesystem::path& plugin);
  ~Blame();
  Blame(const Blame&) = delete;
  Blame& operator=(const Blame&) = delete;
};

// From now on a crash inside a Blame names its plugin before the process dies of it, and an exit()
// that the program did not announce by leaving_now() becomes exit code 3 with a message. Called
// once, by a program.
MEZO_API void blame_plugins();
MEZO_API void leaving_now();

}  // namespace mezo
