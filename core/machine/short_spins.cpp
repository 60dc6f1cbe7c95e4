#include "core/machine/short_spins.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace mezo {

void start_with_short_spins(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
  setenv("GOMP_SPINCOUNT", "3000", 1);
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  if (!none) execv(self.c_str(), argv);  // comes back only if that failed: then it goes on as it is
}

}  // namespace mezo
