#include <doctest/doctest.h>

#include "core/zo/trajectory_format.h"
#include "small_trajectory.h"

using namespace mezo;

namespace {

struct Written {
  ScratchFolder scratch;
  std::string bytes;
  std::vector<std::size_t> ends;  // of the header, then of each record

  Written() {
    TrajectoryWriter writer = TrajectoryWriter::create(file(), small_header(), 3);
    ends.push_back(std::filesystem::file_size(file()));
    for (std::uint32_t step = 0; step < 8; step += 3) {
      go_on(writer, step, std::min(step + 3, 8u));
      writer.flush();
      ends.push_back(std::filesystem::file_size(file()));
    }
    writer.end(small_hash);
    bytes = read_text(file());
    ends.push_back(bytes.size());
  }

  std::filesystem::path file() const { return scratch / "t"; }
  std::string error_of(const std::string& content) const {
    write_text(file(), content);
    return message_of<RunError>([&] { read_trajectory(file()); });
  }
};

}  // namespace

TEST_CASE("cut anywhere, a trajectory keeps its whole records, and goes on to the same bytes") {
  const Written w;
  for (std::size_t length = 0; length <= w.bytes.size(); ++length) {
    CAPTURE(length);
    const std::string error = w.error_of(w.bytes.substr(0, length));
    if (length < w.ends[0]) {
      CHECK(contains(error, (w.file()).string()));
      CHECK((contains(error, "cut off") || contains(error, "not a trajectory")));
      continue;
    }
    REQUIRE(error == "");
    const Trajectory t = read_trajectory(w.file());
    std::size_t whole = 0;
    while (whole + 1 < w.ends.size() && w.ends[whole + 1] <= length) ++whole;
    CHECK(t.torn == static_cast<std::int64_t>(length - w.ends[whole]));
    CHECK(t.steps() == std::min(3 * static_cast<std::uint32_t>(whole), 8u));
    TrajectoryWriter writer(w.file(), t, 3);
    go_on(writer, t.steps(), 8);
    writer.end(small_hash);
    CHECK(read_text(w.file()) == w.bytes);
  }
}

TEST_CASE("what a power cut fills with zeros is torn") {
  const Written w;
  for (std::size_t length = w.ends[2]; length < w.ends[3]; ++length) {
    CAPTURE(length);
    std::string zeros = w.bytes.substr(0, length);
    zeros.resize(w.bytes.size() + 5000, '\0');
    REQUIRE(w.error_of(zeros) == "");
    CHECK(read_trajectory(w.file()).steps() == 6);
  }
}

TEST_CASE("no byte can change unnoticed") {
  const Written w;
  const std::size_t last = w.ends[w.ends.size() - 2];
  for (std::size_t at = 0; at < w.bytes.size(); ++at)
    for (const int change : {0x01, 0x10, 0x80, 0xFF}) {
      CAPTURE(at);
      CAPTURE(change);
      std::string altered = w.bytes;
      altered[at] = static_cast<char>(altered[at] ^ change);
      const std::string error = w.error_of(altered);
      if (error.empty()) {  // only the last record can be taken for torn
        REQUIRE(at >= last);
        const Trajectory t = read_trajectory(w.file());
        CHECK(t.torn == static_cast<std::int64_t>(w.bytes.size() - last));
        CHECK(t.steps() == 8);
        CHECK(!t.end_at(8));
      } else if (at >= w.ends[0]) {
        CHECK(contains(error, "altered"));
        std::size_t record = 0;
        while (w.ends[record] <= at) ++record;
        CHECK(contains(error, "record " + std::to_string(record) + " at byte " +
                                  std::to_string(w.ends[record - 1])));
      }
    }
}

TEST_CASE("records in another order, left out or from another run are refused") {
  const Written w;
  const auto piece = [&](std::size_t i) {
    return w.bytes.substr(w.ends[i - 1], w.ends[i] - w.ends[i - 1]);
  };
  const std::string header = w.bytes.substr(0, w.ends[0]);
  CHECK(contains(w.error_of(header + piece(2) + piece(1) + piece(3) + piece(4)), "record 1 "));
  CHECK(contains(w.error_of(header + piece(1) + piece(3) + piece(4)), "record 2 "));
  CHECK(contains(w.error_of(header + piece(1) + piece(1) + piece(3) + piece(4)), "record 2 "));
  TrajectoryHeader other = small_header();
  other.first.config += "#";
  CHECK(contains(w.error_of(trajectory_format::header(other) + w.bytes.substr(w.ends[0])),
                 "record 1 "));
}

TEST_CASE("a file that is something else is called that") {
  const Written w;
  CHECK(contains(w.error_of(""), "not a trajectory"));
  CHECK(contains(w.error_of("{\"step\": 1}\n"), "not a trajectory"));
  CHECK(contains(w.error_of(std::string(100, '\0')), "not a trajectory"));
  std::string newer = w.bytes;
  newer[8] = 3;
  CHECK(contains(w.error_of(newer), "format version 3 is newer than this mezo reads (up to 2)"));
  CHECK(contains(message_of<RunError>([&] { read_trajectory(w.scratch / "absent"); }),
                 "No such file"));
  CHECK(contains(message_of<RunError>([&] { read_trajectory(w.scratch.path()); }), "is a folder"));
}
