#pragma once
// Crash-safe replacement of a file. Used for everything a run must not lose half of: weights,
// configs, results. What is written goes to a temporary beside the target; commit() syncs it,
// renames it over the target and syncs the folder. Before that, and after any failure, the old file
// is as it was; a failure leaves no temporary behind (a kill may: it is called .NAME.PID-N.tmp).
// Costs two fsyncs a file.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/api.h"
#include "core/io/file_descriptor.h"

namespace mezo {

class MEZO_API AtomicFile {
 public:
  // Opens the temporary; throws RunError, as do the others, with the path and the system's reason.
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  // Without commit() the temporary is removed and the target untouched.
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  // Makes what was written the target, once. When only the last step fails (syncing the folder) the
  // new file is in place but might not survive a power cut, and the error says so.
  void commit();

 private:
  [[noreturn]] void fail(const char* what);

  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty once there is none to remove
  FileDescriptor file_;
};

// The whole of `text` as the new content of `path`, in one go.
MEZO_API void write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace mezo
