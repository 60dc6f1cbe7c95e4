#include "core/zo/trajectory_format.h"

#include <stdexcept>

#include "core/io/crc.h"

namespace mezo::trajectory_format {

namespace {

using Json = nlohmann::ordered_json;

template <typename Number>
void append(std::string& bytes, Number n) {
  bytes.append(reinterpret_cast<const char*>(&n), sizeof n);
}

const char* scalars_key(std::uint32_t version) { return version == 1 ? "probes" : "scalars"; }

Json json_of(const Segment& s, std::uint32_t version) {
  return {{"first_step", s.first_step},
          {scalars_key(version), s.scalars},
          {"machine", s.machine},
          {"config", s.config}};
}

Json json_of(const TrajectoryHeader& h) {
  Json tensors = Json::array();
  for (const BaseTensor& t : h.tensors)
    tensors.push_back({{"name", t.name},
                       {"shape", t.shape},
                       {"storage", t.storage},
                       {"trained", t.trained},
                       {"sha256", t.sha256}});
  Json json = json_of(h.first, version);
  json["files"] = h.files;
  json["tensors"] = tensors;
  return json;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  throw std::logic_error("[trajectory] a sha256 is 64 hexadecimal digits");
}

}  // namespace

std::int64_t Head::payload_bytes(std::uint32_t scalars) const {
  if (kind == Kind::block) return std::int64_t{4} * scalars * count;
  return kind == Kind::segment ? segment_unit * count : end_bytes;
}

std::optional<Head> read_head(std::string_view bytes) {
  const auto kind = static_cast<std::uint8_t>(bytes[0]);
  const Head head{static_cast<Kind>(kind), number_at<std::uint16_t>(bytes, 1)};
  if (crc8(bytes_of(bytes.substr(0, 3))) != static_cast<std::uint8_t>(bytes[3])) return {};
  if (kind < 1 || kind > 3 || (head.count == 0) != (head.kind == Kind::end)) return {};
  return head;
}

std::string record(Head head, std::string_view payload, std::uint32_t& crc) {
  std::string bytes;
  append(bytes, static_cast<std::uint8_t>(head.kind));
  append(bytes, head.count);
  append(bytes, crc8(bytes_of(bytes)));
  bytes += payload;
  crc = crc32(bytes_of(bytes), crc);
  append(bytes, crc);
  return bytes;
}

std::string header(const TrajectoryHeader& h) {
  const std::string json = json_of(h).dump();
  std::string bytes(magic);
  append(bytes, version);
  append(bytes, static_cast<std::uint32_t>(json.size()));
  bytes += json;
  append(bytes, crc32(bytes_of(bytes)));
  return bytes;
}

std::string block(std::span<const std::vector<float>> steps, std::uint32_t& crc) {
  std::string payload;
  for (const std::vector<float>& scalars : steps)
    for (const float x : scalars) append(payload, x);
  return record({Kind::block, static_cast<std::uint16_t>(steps.size())}, payload, crc);
}

std::string segment(const Segment& s, std::uint32_t version, std::uint32_t& crc) {
  std::string json = json_of(s, version).dump();
  const auto units = (static_cast<std::int64_t>(json.size()) + segment_unit - 1) / segment_unit;
  if (units > most_count)
    throw std::length_error("[trajectory] a configuration of " + std::to_string(json.size()) +
                            " bytes is too long for a segment");
  json.resize(static_cast<std::size_t>(units * segment_unit), ' ');
  return record({Kind::segment, static_cast<std::uint16_t>(units)}, json, crc);
}

std::string end(const EndRecord& e, std::uint32_t& crc) {
  std::string payload;
  append(payload, e.step);
  if (e.sha256.size() != 64) digit('?');
  for (std::size_t i = 0; i < 64; i += 2)
    payload += static_cast<char>(digit(e.sha256[i]) * 16 + digit(e.sha256[i + 1]));
  return record({Kind::end, 0}, payload, crc);
}

Segment segment_of(const nlohmann::json& json, std::uint32_t version) {
  Segment s;
  s.first_step = json.at("first_step").get<std::uint32_t>();
  s.scalars = json.at(scalars_key(version)).get<std::uint32_t>();
  s.config = json.at("config").get<std::string>();
  s.machine = json.at("machine").get<std::map<std::string, std::string>>();
  return s;
}

TrajectoryHeader header_of(const nlohmann::json& json, std::uint32_t version) {
  TrajectoryHeader h;
  h.first = segment_of(json, version);
  h.files = json.at("files").get<std::map<std::string, std::string>>();
  for (const nlohmann::json& t : json.at("tensors"))
    h.tensors.push_back({t.at("name").get<std::string>(),
                         t.at("shape").get<std::vector<std::int64_t>>(),
                         t.at("storage").get<std::string>(), t.at("trained").get<bool>(),
                         t.at("sha256").get<std::string>()});
  return h;
}

EndRecord end_of(std::string_view payload) {
  static constexpr char digits[] = "0123456789abcdef";
  EndRecord e{number_at<std::uint32_t>(payload, 0), ""};
  for (const char c : payload.substr(4)) {
    const auto byte = static_cast<unsigned char>(c);
    e.sha256 += digits[byte >> 4];
    e.sha256 += digits[byte & 15];
  }
  return e;
}

}  // namespace mezo::trajectory_format
