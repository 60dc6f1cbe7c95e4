#pragma once
// A folder that appears whole or not at all. Used for what is several files and of no use in part:
// an exported model, an adapter. Its files are written into a temporary folder beside the target;
// commit() renames that to the target. A failure leaves nothing behind, and what stood at the
// target is never touched. A kill leaves .NAME.PID-N.tmp, which the next one for the same target
// removes.

#include <filesystem>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

class MEZO_API NewFolder {
 public:
  // Makes the temporary, and the folders above it that are missing. Throws RunError, as commit()
  // does, with the path and the system's reason; also when `target` is there already, unless it is
  // an empty folder.
  explicit NewFolder(const std::filesystem::path& target);
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  // Without commit() the temporary is removed, with the folders that were made above it.
  ~NewFolder();

  // Where to write until then.
  const std::filesystem::path& path() const { return temporary_; }

  // Makes what was written the target, once. The files must have been synced (atomic_file.h does).
  void commit();

 private:
  void make_parents();
  void remove_leftovers() const;
  void make_temporary();
  void remove() noexcept;
  [[noreturn]] void fail(const char* what, int error);

  std::filesystem::path target_;
  std::filesystem::path temporary_;          // empty once there is none to remove
  std::vector<std::filesystem::path> made_;  // above it, the outermost first
};

}  // namespace mezo
