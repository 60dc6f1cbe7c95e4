#include "core/config/tree.h"

#include <algorithm>

namespace mezo {

Value Value::scalar(std::string text, bool quoted, Mark mark) {
  Value value;
  value.kind = Kind::scalar;
  value.text = std::move(text);
  value.quoted = quoted;
  value.mark = std::move(mark);
  return value;
}

Value Value::sequence(Mark mark) {
  Value value;
  value.kind = Kind::sequence;
  value.mark = std::move(mark);
  return value;
}

Value Value::map(Mark mark) {
  Value value;
  value.kind = Kind::map;
  value.mark = std::move(mark);
  return value;
}

const Entry* Value::entry(std::string_view key) const {
  for (const Entry& e : entries)
    if (e.key == key) return &e;
  return nullptr;
}

Entry* Value::entry(std::string_view key) {
  return const_cast<Entry*>(static_cast<const Value*>(this)->entry(key));
}

const Value* Value::find(std::string_view key) const {
  const Entry* e = entry(key);
  return e ? &e->value : nullptr;
}

void Value::set(std::string key, Value value, Mark key_mark) {
  if (Entry* e = entry(key)) {
    e->mark = std::move(key_mark);
    e->value = std::move(value);
  } else {
    entries.push_back({std::move(key), std::move(key_mark), std::move(value)});
  }
}

void Value::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& e) { return e.key == key; });
}

bool same(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.text != b.text) return false;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const Entry& x, const Entry& y) {
                      return x.key == y.key && same(x.value, y.value);
                    });
}

}  // namespace mezo
