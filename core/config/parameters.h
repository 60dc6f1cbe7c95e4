#pragma once
// The checked values of one parameter table: what a component's factory receives and what the run
// reads of its blocks. Made by check() in core/config/schema.h; every row of the table has a value,
// and it has passed its type, range and choices.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

class MEZO_API Parameters {
 public:
  // Each accessor throws std::logic_error for a name that the table lacks or a value of another
  // type: a fault of the caller.
  bool boolean(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& text(
      const std::string& name) const;  // MEZO_TEXT and MEZO_PATH (already made absolute), or a word
  const std::vector<std::string>& list(const std::string& name) const;

  // True where a number was given as one of the words that its row allows (`auto`); text() then
  // holds the word.
  bool is_word(const std::string& name) const;
  bool has(const std::string& name) const;
  // Whether somebody gave the value; else it is the table's default. std::logic_error for an
  // unknown name.
  bool given(const std::string& name) const;

  struct Value {
    enum class Kind { boolean, integer, number, text, list, word } kind = Kind::text;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0;
    std::string
        text;  // also the spelling of numbers as the user wrote them, for the resolved config
    std::vector<std::string> list;
    bool is_default = false;
  };
  void set(const std::string& name, Value value);
  const std::map<std::string, Value>& values() const { return values_; }

 private:
  const Value& at(const std::string& name, Value::Kind kind) const;
  std::map<std::string, Value> values_;
};

}  // namespace mezo
