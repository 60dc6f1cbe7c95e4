#pragma once
// A file that grows by whole lines: metrics.jsonl, timing.jsonl, predictions.jsonl. Used by a run's
// logging. A line is one write(2) to a file opened for appending, so a reader that follows the
// file, or a kill, sees whole lines; nothing is buffered. Not for several writers at once.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/api.h"
#include "core/io/file_descriptor.h"

namespace mezo {

class MEZO_API LineFile {
 public:
  // Opens `path` for appending, creating it if need be. A last line without its newline (a power
  // cut tore it) is cut off; torn() tells how many bytes, so that the caller can report it. Throws
  // RunError, as do the others, with the path and the reason.
  explicit LineFile(std::filesystem::path path);

  int64_t torn() const { return torn_; }

  // Appends `line`, which must hold no newline, and a newline. When the disk takes only part of it
  // that part is removed again before the error is thrown; the error says when that failed too.
  void append(std::string_view line);

  // Returns when what was appended is on the disk.
  void sync();

 private:
  int64_t size() const;
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  int64_t torn_ = 0;
};

}  // namespace mezo
