#include "core/config/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/config/display.h"
#include "core/config/reader.h"

namespace mezo {

Mark TreeBuilder::place(const YAML::Mark& mark) const {
  const auto& lines = source_->lines;
  if (mark.is_null() || lines.empty()) return {source_, 0, 0};
  // yaml-cpp counts bytes from 0, and its end of file lies a line below the last.
  std::size_t line = std::max(mark.line, 0);
  std::size_t byte = std::max(mark.column, 0) + (line == 0 ? skip_ : 0);
  const auto empty = [&](std::size_t i) {
    return i >= lines.size() || lines[i].find_first_not_of(' ') == std::string::npos;
  };
  // An error at the end of a file is shown behind the last text, not on the empty line after it.
  for (; line > 0 && empty(line); byte = lines[line].size()) --line;
  return {source_, static_cast<int>(line) + 1, column_at(lines[line], byte)};
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 1) return;
  Mark at = place(mark);
  const bool marked = at.line > 0 && source_->lines[at.line - 1].starts_with("---");
  const bool after = at.line > 1 && source_->lines[at.line - 2].starts_with("---");
  if (marked || after)
    throw Stop{{Code::second_document,
                at,
                "a second YAML document starts here, but a file holds one",
                "remove the line '---', or put the second part into a file of its own",
                {},
                {}}};
  throw Stop{{Code::syntax,
              at,
              "this does not belong to what stands before it",
              "check the indentation, and for a bracket or a quote too many",
              {},
              {}}};
}

namespace {

// yaml-cpp expands "!!int".
std::string as_written(const std::string& tag) {
  constexpr std::string_view prefix = "tag:yaml.org,2002:";
  return tag.starts_with(prefix) ? "!!" + tag.substr(prefix.size()) : tag;
}

// Walks over the characters of a source, line ends included.
struct Cursor {
  const std::vector<std::string>& lines;
  std::size_t line;
  std::size_t byte;

  bool end() const { return line >= lines.size(); }
  char get() const { return byte < lines[line].size() ? lines[line][byte] : '\n'; }
  void next() {
    if (byte++ < lines[line].size()) return;
    ++line;
    byte = 0;
  }
};

// Moves over what may stand before a value: blanks, comments, an anchor, a tag.
void skip_properties(Cursor& at) {
  const auto blank = [&] { return at.get() == ' ' || at.get() == '\t' || at.get() == '\n'; };
  while (!at.end()) {
    if (blank()) {
      at.next();
    } else if (at.get() == '#') {
      at.byte = at.lines[at.line].size();
    } else if (at.get() == '&' || at.get() == '!') {
      while (!at.end() && !blank()) at.next();
    } else {
      return;
    }
  }
}

// Moves from an opening quote behind the closing one; false where there is none.
bool skip_quoted(Cursor& at) {
  const char quote = at.get();
  for (at.next(); !at.end(); at.next()) {
    if (at.get() == '\\' && quote == '"') {
      at.next();
      if (at.end()) return false;
    } else if (at.get() == quote) {
      at.next();
      // Two single quotes stand for one.
      if (quote == '"' || at.end() || at.get() != quote) return true;
    }
  }
  return false;
}

}  // namespace

// yaml-cpp takes the end of a file for a missing closing quote, and everything up to there for the
// text.
void TreeBuilder::check_closed(const YAML::Mark& mark) const {
  const std::size_t skipped = mark.line == 0 ? skip_ : 0;
  Cursor at{source_->lines, static_cast<std::size_t>(mark.line), mark.column + skipped};
  skip_properties(at);
  if (at.end() || (at.get() != '"' && at.get() != '\'')) return;
  const Mark start{source_, static_cast<int>(at.line) + 1, column_at(at.lines[at.line], at.byte)};
  if (!skip_quoted(at))
    throw Stop{{Code::syntax, start, "a quote is opened here but never closed", "", {}, {}}};
}

void TreeBuilder::check_tag(const Mark& mark, const std::string& tag) {
  // "?" and "!" are yaml-cpp's marks for plain and quoted values without a tag.
  if (tag.empty() || tag == "?" || tag == "!") return;
  diagnostics_.error(Code::tag, mark,
                     fmt::format("YAML tags are not supported, got {}", shown(as_written(tag))),
                     "remove the tag; quotes make a value text");
}

void TreeBuilder::count(std::size_t values, const Mark& mark) {
  values_ += values;
  if (values_ > max_values)
    throw Stop{{Code::too_many_values,
                mark,
                fmt::format("more than {} values, counting each use of an alias", max_values),
                "a configuration this large is usually data: keep it in a file that the "
                "configuration names",
                {},
                {}}};
}

void TreeBuilder::check_depth(int depth, const Mark& mark) {
  if (depth > max_depth)
    throw Stop{{Code::too_deep,
                mark,
                fmt::format("values nested more than {} levels deep", max_depth),
                "",
                {},
                {}}};
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  Value value;
  value.mark = place(mark);
  // Where a value is missing, yaml-cpp points at whatever comes next, often on another line; the
  // key says more.
  if (!frames_.empty() && frames_.back().has_key && value.mark.line != frames_.back().key_mark.line)
    value.mark = frames_.back().key_mark;
  count(1, value.mark);
  add({std::move(value)}, anchor);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& text) {
  Value value = Value::scalar(text, tag == "!", place(mark));
  check_tag(value.mark, tag);
  if (tag != "?") check_closed(mark);
  // The file was valid UTF-8; yaml-cpp turns these two escapes, and nothing else, into something
  // that is not.
  if (find_invalid_utf8(text) != std::string::npos)
    throw Stop{{Code::bad_encoding,
                value.mark,
                "the escapes \\N and \\_ are not supported",
                "write \\u0085 or \\u00a0",
                {},
                {}}};
  count(1, value.mark);
  add({std::move(value)}, anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const Mark at = place(mark);
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    throw Stop{
        {Code::bad_alias, at, "this alias stands inside the value that it refers to", "", {}, {}}};
  count(found->second.count, at);
  check_depth(static_cast<int>(frames_.size()) + found->second.depth, at);
  Anchored copy = found->second;
  copy.value.mark = at;
  add(std::move(copy), 0);
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  const Mark at = place(mark);
  check_tag(at, tag);
  open(Value::sequence(at), anchor);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  const Mark at = place(mark);
  check_tag(at, tag);
  open(Value::map(at), anchor);
}

void TreeBuilder::open(Value value, YAML::anchor_t anchor) {
  count(1, value.mark);
  check_depth(static_cast<int>(frames_.size()) + 1, value.mark);
  Frame frame;
  frame.node.value = std::move(value);
  frame.anchor = anchor;
  frames_.push_back(std::move(frame));
}

void TreeBuilder::close() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  add(std::move(frame.node), frame.anchor);
}

void TreeBuilder::add(Anchored node, YAML::anchor_t anchor) {
  if (anchor != 0) anchors_[anchor] = node;
  if (frames_.empty()) {
    root_ = std::move(node.value);
    return;
  }
  Frame& frame = frames_.back();
  frame.node.count += node.count;
  frame.node.depth = std::max(frame.node.depth, node.depth + 1);
  if (frame.node.value.is_sequence()) {
    frame.node.value.items.push_back(std::move(node.value));
  } else if (!frame.has_key) {
    take_key(frame, node.value);
  } else {
    frame.has_key = false;
    if (frame.key_usable)
      frame.node.value.entries.push_back(
          {std::move(frame.key), std::move(frame.key_mark), std::move(node.value)});
  }
}

void TreeBuilder::take_key(Frame& frame, const Value& key) {
  frame.has_key = true;
  frame.key_usable = false;
  frame.key = key.text;
  frame.key_mark = key.mark;
  if (!key.is_scalar() || key.text.empty()) {
    diagnostics_.error(
        Code::bad_key, key.mark, "a key must be text",
        "a list, a map or nothing cannot be a key; quote text that only looks like one");
  } else if (key.text.size() > max_key_bytes) {
    diagnostics_.error(Code::bad_key, key.mark,
                       fmt::format("a key of {} bytes; the longest possible has {}",
                                   key.text.size(), max_key_bytes));
  } else if (key.text == "<<" && !key.quoted) {
    diagnostics_.error(Code::merge_key, key.mark, "merge keys ('<<') are not supported",
                       "share settings between files with 'extends: FILE', or repeat them");
  } else if (const auto [first, added] =
                 frame.seen.try_emplace(key.text, frame.node.value.entries.size());
             !added) {
    Mark earlier = frame.node.value.entries[first->second].mark;
    diagnostics_.error({Code::duplicate_key, key.mark,
                        fmt::format("key {} is given twice", shown(key.text)),
                        "keep one of the two", std::move(earlier), "first given here"});
  } else {
    frame.key_usable = true;
  }
}

}  // namespace mezo
