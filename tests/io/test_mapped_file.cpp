#include <doctest/doctest.h>
#include <sys/stat.h>

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
