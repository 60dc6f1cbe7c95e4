#include "core/zo/trajectory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/io/crc.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"
#include "core/zo/trajectory_format.h"

namespace mezo {

namespace format = trajectory_format;

namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 33;

// Walks through the records of a file once.
class Reader {
 public:
  Reader(std::string path, std::string bytes) : path_(std::move(path)), bytes_(std::move(bytes)) {}

  Trajectory read() {
    header();
    while (record()) ++number_;
    out_.torn = size() - out_.next.offset;
    return std::move(out_);
  }

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }
  std::string_view piece(std::int64_t from, std::int64_t length) const {
    return std::string_view(bytes_).substr(static_cast<std::size_t>(from),
                                           static_cast<std::size_t>(length));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw RunError(fmt::format("[trajectory] {}: {}", path_, what));
  }
  [[noreturn]] void refuse_record(const std::string& what) const {
    refuse(
        fmt::format("record {} at byte {}, after step {}, {}: the file was altered since it was "
                    "written",
                    number_, out_.next.offset, out_.steps(), what));
  }

  void header();
  bool record();
  bool only_zeros_from(std::int64_t at) const {
    return at >= size() ||
           bytes_.find_first_not_of('\0', static_cast<std::size_t>(at)) == std::string::npos;
  }
  void take(format::Head head, std::string_view payload);
  void take_block(format::Head head, std::string_view payload);
  void take_segment(std::string_view payload);
  void take_end(std::string_view payload);

  std::string path_, bytes_;
  Trajectory out_;
  std::int64_t number_ = 1;
};

void Reader::header() {
  const std::size_t known = std::min(bytes_.size(), format::magic.size());
  if (known == 0 || piece(0, static_cast<std::int64_t>(known)) != format::magic.substr(0, known))
    refuse("this is not a trajectory (it does not begin like one)");
  if (size() < format::prologue_bytes)
    refuse("the header is cut off: the file was not copied whole");
  const auto version = format::number_at<std::uint32_t>(bytes_, format::magic.size());
  if (version > format::version)
    refuse(
        fmt::format("format version {} is newer than this mezo reads (up to {}); a newer mezo is "
                    "needed",
                    version, format::version));
  if (version == 0) refuse("the header was altered: there is no format version 0");
  out_.version = version;
  const std::int64_t length = format::number_at<std::uint32_t>(bytes_, format::magic.size() + 4);
  const std::int64_t end = format::prologue_bytes + length;
  if (end + format::check_bytes > size())
    refuse(fmt::format("the header is cut off or altered: it takes {} bytes, the file has {}",
                       end + format::check_bytes, size()));
  const std::uint32_t crc = crc32(format::bytes_of(piece(0, end)));
  if (crc != format::number_at<std::uint32_t>(bytes_, static_cast<std::size_t>(end)))
    refuse("the header was altered: its checksum differs");
  try {
    out_.header = format::header_of(
        json_of<RunError>(piece(format::prologue_bytes, length), "[trajectory] " + path_), version);
  } catch (const nlohmann::json::exception& e) {
    refuse("the header is not as this format has it: " + json_reason(e));
  }
  if (out_.header.first.first_step != 0 || out_.header.first.scalars == 0)
    refuse(
        "the header is not as this format has it: it must begin at step 0, with a scalar or more");
  out_.segments.push_back(out_.header.first);
  out_.next = {end + format::check_bytes, crc};
}

// False at the end of what can be read. What ends the file is torn if it is too short for a record,
// or a last record whose check fails or whose end reads as zeros (a power cut can keep a file's
// length and lose its bytes); anything else is damage.
bool Reader::record() {
  const std::int64_t at = out_.next.offset;
  if (at + format::head_bytes > size()) return false;
  const auto head = format::read_head(piece(at, format::head_bytes));
  if (!head) {
    if (only_zeros_from(at + format::head_bytes)) return false;
    refuse_record("does not begin like one");
  }
  const std::int64_t bytes = format::head_bytes + head->payload_bytes(out_.latest().scalars);
  const std::int64_t end = at + bytes + format::check_bytes;
  if (end > size()) return false;
  const std::uint32_t crc = crc32(format::bytes_of(piece(at, bytes)), out_.next.crc);
  if (crc != format::number_at<std::uint32_t>(bytes_, static_cast<std::size_t>(at + bytes))) {
    if (only_zeros_from(end)) return false;
    refuse_record("has another checksum than was written");
  }
  take(*head, piece(at + format::head_bytes, bytes - format::head_bytes));
  out_.next = {end, crc};
  return true;
}

void Reader::take(format::Head head, std::string_view payload) {
  try {
    if (head.kind == format::Kind::block) take_block(head, payload);
    if (head.kind == format::Kind::segment) take_segment(payload);
    if (head.kind == format::Kind::end) take_end(payload);
  } catch (const nlohmann::json::exception& e) {
    refuse_record(std::string("is not as this format has it (") + json_reason(e) + ")");
  }
}

void Reader::take_block(format::Head head, std::string_view payload) {
  out_.last_block = {
      out_.next, out_.steps(),
      static_cast<std::int64_t>(payload.size()) + format::head_bytes + format::check_bytes};
  out_.last_end.reset();
  const std::size_t count = out_.latest().scalars;
  for (std::size_t step = 0; step < head.count; ++step) {
    std::vector<float> scalars(count);
    std::memcpy(scalars.data(), payload.data() + 4 * count * step, 4 * count);
    out_.scalars.push_back(std::move(scalars));
  }
}

void Reader::take_segment(std::string_view payload) {
  Segment segment =
      format::segment_of(json_of<RunError>(payload, "[trajectory] " + path_), out_.version);
  if (segment.first_step != out_.steps() || segment.scalars == 0)
    refuse_record(fmt::format("is a segment that begins at step {}", segment.first_step));
  out_.segments.push_back(std::move(segment));
  out_.last_block.reset();
  out_.last_end.reset();
}

void Reader::take_end(std::string_view payload) {
  EndRecord end = format::end_of(payload);
  if (end.step != out_.steps()) refuse_record(fmt::format("is the end of step {}", end.step));
  out_.ends.push_back(std::move(end));
  out_.last_end = out_.next;
}

}  // namespace

const Segment& Trajectory::segment_of(std::uint32_t step) const {
  std::size_t i = segments.size() - 1;
  while (segments[i].first_step > step) --i;
  return segments[i];
}

const EndRecord* Trajectory::end_at(std::uint32_t steps) const {
  for (auto end = ends.rbegin(); end != ends.rend(); ++end)
    if (end->step == steps) return &*end;
  return nullptr;
}

Trajectory read_trajectory(const std::filesystem::path& path) {
  return Reader(path.string(), read_file<RunError>(path, most_bytes, "[trajectory] ")).read();
}

}  // namespace mezo
