#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/io/crc.h"
#include "core/zo/trajectory_format.h"
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
    CHECK(same_bits(t.scalars[step], small_scalars(step)));
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

TEST_CASE("a segment keeps the past as it is and may have other scalars") {
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
  CHECK(t.scalars[4].size() == 2);
  CHECK(same_bits(t.scalars[6], small_scalars(6, 1)));
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
  again.add(small_scalars(5));
  CHECK(message_when_full(shorter.size(), [&] { again.flush(); }) != "");
  CHECK(read_text(scratch / "t") == shorter);  // the short block that was to be replaced
  again.flush();
  go_on(again, 6, 8);
  again.end(small_hash);
  CHECK(read_text(scratch / "t") == whole);
}

namespace {

// The same trajectory as format 1 has it, made from its description: another version number, a
// step's scalars called its probes, and every check anew.
std::string as_version_1(const std::string& bytes, std::uint32_t scalars) {
  namespace format = trajectory_format;
  const auto length = format::number_at<std::uint32_t>(bytes, 12);
  auto json = nlohmann::ordered_json::parse(bytes.substr(16, length));
  nlohmann::ordered_json old = nlohmann::ordered_json::object();
  for (const auto& [key, value] : json.items()) old[key == "scalars" ? "probes" : key] = value;
  const auto append = [](std::string& to, std::uint32_t n) {
    to.append(reinterpret_cast<const char*>(&n), 4);
  };
  std::string out = bytes.substr(0, 8);
  append(out, 1);
  append(out, static_cast<std::uint32_t>(old.dump().size()));
  out += old.dump();
  std::uint32_t crc = crc32(format::bytes_of(out));
  append(out, crc);
  for (std::size_t at = 16 + length + 4; at < bytes.size();) {
    const auto head = format::read_head(std::string_view(bytes).substr(at, 4));
    const auto size = static_cast<std::size_t>(4 + head->payload_bytes(scalars));
    crc = crc32(format::bytes_of(std::string_view(bytes).substr(at, size)), crc);
    out += bytes.substr(at, size);
    append(out, crc);
    at += size + 4;
  }
  return out;
}

}  // namespace

TEST_CASE("a file of format 1 is read, and goes on as it began") {
  const ScratchFolder scratch;
  write_small(scratch / "new");
  const std::string old = as_version_1(read_text(scratch / "new"), 2);
  std::ofstream(scratch / "old", std::ios::binary) << old;
  const Trajectory t = read_trajectory(scratch / "old");
  CHECK(t.version == 1);
  CHECK(t.steps() == 8);
  CHECK(t.header.first.scalars == 2);
  CHECK(same_bits(t.scalars[3], small_scalars(3)));
  TrajectoryWriter writer(scratch / "old", t, 3);
  writer.segment({8, 1, "more", {}});
  go_on(writer, 8, 11, 1);
  writer.flush();
  const std::string longer = read_text(scratch / "old");
  CHECK(longer.substr(0, old.size()) == old);
  CHECK(contains(longer.substr(old.size()), "\"probes\":1"));
  CHECK(read_trajectory(scratch / "old").steps() == 11);
}
