#include "core/task/data_faults.h"

#include <cctype>

namespace mezo {

namespace {

constexpr std::size_t most_shown = 20;  // a file in the wrong format is wrong in every line
constexpr std::size_t most_lines = 5;

// "file", "17" and "what is wrong" of "file:17:3: what is wrong", the column being there or not. No
// line where the message has none, or is several.
struct MessageParts {
  std::string file, line, rest;

  explicit MessageParts(const std::string& message) : rest(message) {
    const std::size_t end = message.find(": ");
    if (end == std::string::npos || message.find('\n') != std::string::npos) return;
    const auto digits_before = [&](std::size_t at) {
      std::size_t begin = at;
      while (begin > 0 && std::isdigit(static_cast<unsigned char>(message[begin - 1]))) --begin;
      return begin < at && begin > 1 && message[begin - 1] == ':' ? begin : at;
    };
    std::size_t begin = digits_before(end), past = end;
    if (begin == end) return;
    if (const std::size_t earlier = digits_before(begin - 1); earlier < begin - 1) {
      past = begin - 1;  // what was found is the column
      begin = earlier;
    }
    file = message.substr(0, begin - 1);
    line = message.substr(begin, past - begin);
    rest = message.substr(end);
  }
};

}  // namespace

void DataFaults::add(const std::string& message) {
  const MessageParts place(message);
  if (!place.line.empty()) {
    const auto [known, fresh] = places_.try_emplace(place.file + place.rest, faults_.size());
    if (!fresh) {
      Fault& fault = faults_[known->second];
      if (++fault.more <= most_lines) fault.lines += (fault.more > 1 ? ", " : "") + place.line;
      return;
    }
    if (faults_.size() >= most_shown) places_.erase(known);
  }
  if (faults_.size() < most_shown)
    faults_.push_back({message, "", 0});
  else
    ++untold_;
}

void DataFaults::throw_if_any() const {
  if (faults_.empty()) return;
  std::string text;
  for (const Fault& fault : faults_) {
    text += (text.empty() ? "" : "\n") + fault.message;
    if (fault.more > 0)
      text += " (and in " + std::to_string(fault.more) + " more: line " + fault.lines +
              (fault.more > most_lines ? ", …)" : ")");
  }
  if (untold_ > 0) text += "\nand " + std::to_string(untold_) + " more like these";
  throw DataError(text);
}

}  // namespace mezo
