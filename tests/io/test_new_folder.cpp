#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io/atomic_file.h"
#include "core/io/new_folder.h"
#include "golden_files.h"

using namespace mezo;

TEST_CASE("a new folder appears when it is committed") {
  const ScratchFolder scratch;
  {
    NewFolder folder(scratch / "out");
    write_file_atomically(folder.path() / "file", "text");
    CHECK_FALSE(std::filesystem::exists(scratch / "out"));
    folder.commit();
  }
  CHECK(read_text(scratch / "out/file") == "text");
  CHECK(scratch.names() == std::vector<std::string>{"out"});
}

TEST_CASE("a new folder that is not committed leaves nothing, not even the folders above it") {
  const ScratchFolder scratch;
  {
    NewFolder folder(scratch / "a/b/out");
    write_file_atomically(folder.path() / "file", "text");
  }
  CHECK(scratch.names().empty());
}

TEST_CASE("a new folder takes the place of an empty one, whatever its path looks like") {
  const ScratchFolder scratch;
  std::filesystem::create_directory(scratch / "real");
  std::filesystem::create_symlink("real", scratch / "link");
  NewFolder folder(scratch / "link/");
  write_file_atomically(folder.path() / "file", "text");
  folder.commit();
  CHECK(read_text(scratch / "real/file") == "text");
  NewFolder(scratch / "real/../a/./b/").commit();
  CHECK(std::filesystem::is_directory(scratch / "a/b"));
}

TEST_CASE("a new folder touches nothing that is there") {
  const ScratchFolder scratch;
  const auto error = [&](const char* name) {
    return message_of<RunError>([&] { NewFolder(scratch / name).commit(); });
  };
  write_text(scratch / "file", "text");
  std::filesystem::create_directory(scratch / "full");
  write_text(scratch / "full/file", "text");
  std::filesystem::create_symlink("nowhere", scratch / "dangling");
  CHECK(contains(error("file"), "file: expected a new folder, got a file of this name"));
  CHECK(contains(error("dangling"), "dangling: expected a new folder, got a file of this name"));
  CHECK(contains(error("full"), "full: expected a new folder, got one with files in it"));
  CHECK(contains(error("file/below"), "cannot make a folder beside it: Not a directory"));
  CHECK(scratch.names().size() == 3);
  CHECK(read_text(scratch / "full/file") == "text");
}

TEST_CASE("a folder that is filled while a new one is written is kept") {
  const ScratchFolder scratch;
  std::filesystem::create_directory(scratch / "out");
  {
    NewFolder folder(scratch / "out");
    write_text(scratch / "out/theirs", "text");
    CHECK(contains(message_of<RunError>([&] { folder.commit(); }), "Directory not empty"));
  }
  CHECK(read_text(scratch / "out/theirs") == "text");
  CHECK(scratch.names().size() == 1);
}

TEST_CASE("a place that cannot be written is told with the system's reason") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may write to a read-only folder");
    return;
  }
  const ScratchFolder scratch;
  ::chmod(scratch.path().c_str(), 0555);
  const std::string text = message_of<RunError>([&] { NewFolder(scratch / "out"); });
  ::chmod(scratch.path().c_str(), 0755);
  CHECK(contains(text, "cannot make a folder beside it: Permission denied"));
}
