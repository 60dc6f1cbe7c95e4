#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/scratch_folder.h"
#include "core/io/mapped_file.h"
#include "core/io/read_file.h"
#include "core/io/shrunk_file.h"

namespace {

// What a process says on stderr in which `call` runs, and how it ended.
struct Child {
  std::string text;
  int status = 0;
};

template <class Call>
Child in_a_child(Call&& call) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    call();
    ::_exit(0);
  }
  ::close(ends[1]);
  Child child;
  char part[256];
  for (ssize_t got; (got = ::read(ends[0], part, sizeof part)) > 0;)
    child.text.append(part, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(pid, &child.status, 0);
  return child;
}

}  // namespace

TEST_CASE("a file that shrinks while it is mapped is named, and ends the process as a bad model") {
  const mezo::ScratchFolder folder;
  const auto path = folder.path() / "model.safetensors";
  std::ofstream(path) << std::string(1 << 20, 'x');
  const Child child = in_a_child([&] {
    mezo::name_shrunk_files();
    mezo::MappedFile moved(path);
    const mezo::MappedFile file(std::move(moved));
    std::filesystem::resize_file(path, 4096);
    volatile std::byte last = file.bytes().back();
    static_cast<void>(last);
  });
  REQUIRE(WIFEXITED(child.status));
  CHECK(WEXITSTATUS(child.status) == 5);
  CHECK(child.text.find("model.safetensors: the file became shorter") != std::string::npos);
}

TEST_CASE("only regular files of a sensible size are read") {
  const mezo::ScratchFolder folder;
  std::string bytes, problem;
  std::ofstream(folder.path() / "a") << "text";
  CHECK(mezo::read_file(folder.path() / "a", 4, bytes, problem));
  CHECK(bytes == "text");
  CHECK(!mezo::read_file(folder.path() / "a", 3, bytes, problem));
  CHECK(problem == "has 4 bytes or more, and at most 3 are read");
  CHECK(!mezo::read_file(folder.path(), 3, bytes, problem));
  CHECK(problem == "is a folder");
  CHECK(!mezo::read_file(folder.path() / "b", 3, bytes, problem));
  CHECK(problem == "cannot be read: No such file or directory");
  CHECK(!mezo::read_file("/dev/zero", 3, bytes, problem));
  CHECK(problem == "is a device, and no regular file");
  CHECK(!mezo::read_file("/proc/cpuinfo", 3, bytes, problem));  // which says that it has 0 bytes
  CHECK(problem.find("at most 3 are read") != std::string::npos);
}
