#pragma once
// A configuration in memory: nulls, scalars, sequences and maps in the order of the file, each with
// the place it was written at. Scalars stay text; core/config/schema.h gives them types, because
// only a setting's row knows whether `1e3` is meant as an integer or as a name. Values are plain
// and copyable; nothing here knows YAML.

#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/config/source.h"

namespace mezo {

struct Entry;

struct MEZO_API Value {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  Mark mark;
  std::string text;  // scalar: the text without quotes and escapes
  bool quoted =
      false;  // scalar: written in quotes or as a block, so it is text whatever it looks like
  std::vector<Value> items;    // sequence
  std::vector<Entry> entries;  // map; keys are unique

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }

  static Value scalar(std::string text, bool quoted = false, Mark mark = {});
  static Value sequence(Mark mark = {});
  static Value map(Mark mark = {});

  // The entry or value of a key, or nullptr; of anything but a map, nullptr.
  const Entry* entry(std::string_view key) const;
  Entry* entry(std::string_view key);
  const Value* find(std::string_view key) const;

  // Adds a key to a map, or replaces its value and mark.
  void set(std::string key, Value value, Mark key_mark = {});
  void erase(std::string_view key);
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Value value;
};

// Same kinds, texts, keys and order, whatever the marks and quotes.
MEZO_API bool same(const Value& a, const Value& b);

}  // namespace mezo
