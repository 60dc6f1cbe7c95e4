#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "golden_files.h"

using namespace mezo;

TEST_CASE("a mapped file shows the bytes of the file and survives a move") {
  const ScratchFolder scratch;
  write_text(scratch / "w", "abc");
  MappedFile first(scratch / "w");
  MappedFile second(std::move(first));
  CHECK(first.bytes().empty());
  REQUIRE(second.bytes().size() == 3);
  CHECK(second.bytes()[2] == std::byte{'c'});
  CHECK(second.path() == (scratch / "w").string());
  MappedFile third("memory", to_bytes("xy"));
  third = std::move(second);
  CHECK(third.bytes()[0] == std::byte{'a'});
}

TEST_CASE("what was read of a mapped file can be given back, and is still there") {
  const auto resident = [] {  // pages of files that this process holds
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0, all = 0, files = 0;
    statm >> size >> all >> files;
    return files * ::sysconf(_SC_PAGESIZE);
  };
  constexpr std::int64_t size = 8 << 20;
  const ScratchFolder scratch;
  write_text(scratch / "w", std::string(size, 'a'));
  const MappedFile file(scratch / "w");
  const auto is_a = [](std::byte b) { return b == std::byte{'a'}; };
  CHECK(std::ranges::all_of(file.bytes(), is_a));
  const std::int64_t before = resident();
  file.release(file.bytes().subspan(1));  // all pages but the first
  CHECK(before - resident() > size * 9 / 10);
  CHECK(std::ranges::all_of(file.bytes(), is_a));
  file.release(file.bytes().subspan(5, 100));  // no whole page
  file.release({});
  const MappedFile memory("memory", to_bytes("xy"));
  memory.release(memory.bytes());
  CHECK(memory.bytes()[1] == std::byte{'y'});
}

TEST_CASE("a file that cannot be mapped is refused with its path and the reason") {
  const ScratchFolder scratch;
  write_text(scratch / "empty", "");
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  const auto reason = [&](const std::filesystem::path& path) {
    const std::string text = message_of<ModelError>([&] { MappedFile{path}; });
    CHECK(contains(text, path.string()));
    return text;
  };
  CHECK(contains(reason(scratch / "missing"), "No such file"));
  CHECK(contains(reason(scratch.path()), "Is a directory"));
  CHECK(contains(reason(scratch / "empty"), "empty"));
  CHECK(contains(reason(scratch / "pipe"), "regular file"));
}
