#include <doctest/doctest.h>

#include "small_trajectory.h"
#include "tests/io/full_disk.h"

using namespace mezo;

TEST_CASE("a trajectory is read as it was written") {
  const ScratchFolder scratch;
  write_small(scratch / "t");
  const Trajectory t = read_trajectory(scratch / "t");
  REQUIRE(t.header.tensors.size() == 2);
  CHECK(t.header.tensors[0].name == "a.weight");
  CHECK(t.header.tensors[0].shape == std::vector<std::int64_t>{3, 5});
  CHECK(t.header.tensors[0].storage == "float32");
  CHECK(t.header.tensors[0].trained);
  CHECK(!t.header.tensors[1].trained);
  CHECK(t.header.tensors[1].sha256 == std::string(64, '2'));
  CHECK(t.header.files == small_header().files);
  CHECK(t.latest().config == small_header().first.config);
  CHECK(t.latest().machine == small_header().first.machine);
  REQUIRE(t.steps() == 8);
  for (std::uint32_t step = 0; step < 8; ++step)
    CHECK(same_bits(t.gradients[step], small_gradients(step)));
  REQUIRE(t.end_at(8));
  CHECK(t.end_at(8)->sha256 == small_hash);
  CHECK(!t.end_at(7));
  CHECK(t.torn == 0);
}

TEST_CASE("20,000 steps at the usual interval take less than 100,000 bytes beyond the header") {
  const ScratchFolder scratch;
  {
    TrajectoryWriter writer = TrajectoryWriter::create(scratch / "t", small_header(1), 20);
    const auto header = std::filesystem::file_size(scratch / "t");
    // Written without a flush in between but for what a run would do; syncing each is not timed.
    go_on(writer, 0, 20000, 1);
    writer.end(small_hash);
    CHECK(std::filesystem::file_size(scratch / "t") - header < 100000);
  }
  CHECK(read_trajectory(scratch / "t").steps() == 20000);
}

TEST_CASE("wherever a run stops, going on gives the bytes of a run that was not disturbed") {
  const ScratchFolder scratch;
  write_small(scratch / "whole");
  const std::string whole = read_text(scratch / "whole");
  for (std::uint32_t stop = 0; stop <= 8; ++stop)
    for (const bool politely : {false, true}) {
      CAPTURE(stop);
      CAPTURE(politely);
      {
        TrajectoryWriter writer = TrajectoryWriter::create(scratch / "t", small_header(), 3);
        go_on(writer, 0, stop);
        if (politely) writer.end(std::string(64, 'f'));
      }
      for (int times = 0; times < 2; ++times) {  // the second time nothing came of it
        const Trajectory past = read_trajectory(scratch / "t");
        CHECK(past.steps() == (politely ? stop : stop - stop % 3));
        TrajectoryWriter writer(scratch / "t", past, 3);
        if (times == 0) continue;
        go_on(writer, past.steps(), 8);
        writer.end(small_hash);
      }
      CHECK(read_text(scratch / "t") == whole);
    }
}

TEST_CASE("a step that waits is kept back until its block is whole or flushed") {
  const ScratchFolder scratch;
  TrajectoryWriter writer = TrajectoryWriter::create(scratch / "t", small_header(), 3);
  go_on(writer, 0, 5);
  CHECK(read_trajectory(scratch / "t").steps() == 3);
  writer.flush();
  CHECK(read_trajectory(scratch / "t").steps() == 5);
}

TEST_CASE("a segment keeps the past as it is and may have other probes") {
  const ScratchFolder scratch;
  {
    TrajectoryWriter writer = TrajectoryWriter::create(scratch / "t", small_header(), 3);
    go_on(writer, 0, 5);
    writer.end(small_hash);
  }
  const std::string before = read_text(scratch / "t");
  {
    TrajectoryWriter writer(scratch / "t", read_trajectory(scratch / "t"), 3);
    writer.segment({5, 1, std::string(1000, 'x'), {}});
    go_on(writer, 5, 7, 1);
    writer.end(small_hash);
  }
  const std::string after = read_text(scratch / "t");
  CHECK(after.substr(0, before.size()) == before);
  const Trajectory t = read_trajectory(scratch / "t");
  REQUIRE(t.steps() == 7);
  CHECK(t.gradients[4].size() == 2);
  CHECK(same_bits(t.gradients[6], small_gradients(6, 1)));
  CHECK(&t.segment_of(4) == &t.segments[0]);
  CHECK(&t.segment_of(5) == &t.segments[1]);
  CHECK(t.latest().config == std::string(1000, 'x'));
  CHECK(t.end_at(5));
  CHECK(t.end_at(7));
  // The second segment is killed before anything of it was flushed, then goes on by itself.
  std::filesystem::resize_file(scratch / "t", after.size() - 1);
  TrajectoryWriter writer(scratch / "t", read_trajectory(scratch / "t"), 3);
  writer.end(small_hash);
  CHECK(read_text(scratch / "t") == after);
}

TEST_CASE("a full disk leaves the file as it was, and later the run goes on") {
  const ScratchFolder scratch;
  write_small(scratch / "whole");
  const std::string whole = read_text(scratch / "whole");
  TrajectoryWriter writer = TrajectoryWriter::create(scratch / "t", small_header(), 3);
  go_on(writer, 0, 3);
  const std::string before = read_text(scratch / "t");
  go_on(writer, 3, 5);
  for (const std::size_t room : {0, 1, 4, 10, 23}) {
    const std::string message = message_when_full(before.size() + room, [&] { writer.flush(); });
    CHECK(contains(message, "cannot write: File too large; the steps up to 3 are in it"));
    CHECK(contains(message, (scratch / "t").string()));
    CHECK(read_text(scratch / "t") == before);
  }
  writer.flush();
  const std::string shorter = read_text(scratch / "t");
  CHECK(shorter.size() > before.size());
  TrajectoryWriter again(scratch / "t", read_trajectory(scratch / "t"), 3);
  again.add(small_gradients(5));
  CHECK(message_when_full(shorter.size(), [&] { again.flush(); }) != "");
  CHECK(read_text(scratch / "t") == shorter);  // the short block that was to be replaced
  again.flush();
  go_on(again, 6, 8);
  again.end(small_hash);
  CHECK(read_text(scratch / "t") == whole);
}
