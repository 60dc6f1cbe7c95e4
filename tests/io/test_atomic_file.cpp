#include <doctest/doctest.h>
#include <sys/stat.h>

#include "core/io/atomic_file.h"
#include "core/io/line_file.h"
#include "core/io/safetensors.h"
#include "full_disk.h"
#include "golden_files.h"

using namespace mezo;

TEST_CASE("an atomic file replaces the old one only when it is committed") {
  const ScratchFolder scratch;
  write_text(scratch / "w", "old");
  ::chmod((scratch / "w").c_str(), 0640);
  {
    AtomicFile file(scratch / "w");
    file.write("half of it");
  }
  CHECK(read_text(scratch / "w") == "old");
  CHECK(scratch.names().size() == 1);
  write_file_atomically(scratch / "w", "new");
  CHECK(read_text(scratch / "w") == "new");
  CHECK(scratch.names().size() == 1);
  struct stat status {};
  ::stat((scratch / "w").c_str(), &status);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a full disk leaves the old file and no temporary") {
  const ScratchFolder scratch;
  write_text(scratch / "w", "old");
  const std::string text = message_when_full(
      1000, [&] { write_file_atomically(scratch / "w", std::string(5000, 'x')); });
  CHECK(contains(text, (scratch / "w").string()));
  CHECK(contains(text, "File too large"));
  CHECK(read_text(scratch / "w") == "old");
  CHECK(scratch.names().size() == 1);
}

TEST_CASE("a full disk leaves the old safetensors file") {
  const ScratchFolder scratch;
  write_text(scratch / "m.safetensors", "old");
  const Bytes data(4096);
  const std::vector<TensorView> tensors = {{"w", DType::F32, {1024}, data}};
  CHECK(contains(
      message_when_full(1000, [&] { write_safetensors(scratch / "m.safetensors", tensors); }),
      "File too large"));
  CHECK(read_text(scratch / "m.safetensors") == "old");
  CHECK(scratch.names().size() == 1);
}

TEST_CASE("a folder that cannot be written or a target that is a folder is a RunError") {
  const ScratchFolder scratch;
  CHECK(contains(message_of<RunError>([&] { write_file_atomically(scratch / "none/w", "x"); }),
                 "No such file"));
  std::filesystem::create_directory(scratch / "w");
  CHECK(contains(message_of<RunError>([&] { write_file_atomically(scratch / "w", "x"); }),
                 "directory"));
  CHECK(scratch.names().size() == 1);
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may write to a read-only folder");
    return;
  }
  ::chmod((scratch / "w").c_str(), 0555);
  CHECK(contains(message_of<RunError>([&] { write_file_atomically(scratch / "w/x", "x"); }),
                 "Permission denied"));
}

TEST_CASE("a line file appends whole lines and keeps those that are there") {
  const ScratchFolder scratch;
  LineFile(scratch / "m.jsonl").append("{\"step\":1}");
  LineFile again(scratch / "m.jsonl");
  CHECK(again.torn() == 0);
  again.append("");
  again.append("{\"step\":2}");
  again.sync();
  CHECK(read_text(scratch / "m.jsonl") == "{\"step\":1}\n\n{\"step\":2}\n");
  CHECK(contains(message_of<RunError>([&] { again.append("a\nb"); }), "one line"));
  CHECK(contains(message_of<RunError>([&] { LineFile(scratch / "none/m"); }), "No such file"));
}

TEST_CASE("a torn last line is cut off and reported") {
  const ScratchFolder scratch;
  for (const size_t torn : {size_t{1}, size_t{4095}, size_t{4096}, size_t{10000}}) {
    write_text(scratch / "m", "whole\n" + std::string(torn, 'x'));
    LineFile file(scratch / "m");
    CHECK(file.torn() == static_cast<int64_t>(torn));
    file.append("next");
    CHECK(read_text(scratch / "m") == "whole\nnext\n");
  }
  write_text(scratch / "m", "no newline at all");
  CHECK(LineFile(scratch / "m").torn() == 17);
  CHECK(read_text(scratch / "m").empty());
}

TEST_CASE("a full disk leaves no half line") {
  const ScratchFolder scratch;
  LineFile file(scratch / "m");
  file.append("first");
  const std::string part = message_when_full(10, [&] { file.append("does not fit"); });
  CHECK(contains(part, "only 4 of 13 bytes"));
  CHECK(read_text(scratch / "m") == "first\n");
  CHECK(contains(message_when_full(6, [&] { file.append("x"); }), "File too large"));
  file.append("second");
  CHECK(read_text(scratch / "m") == "first\nsecond\n");
}
