#include "core/task/json_row.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/config/display.h"

namespace mezo {

RowError::~RowError() = default;

namespace {

using Json = nlohmann::json;

// What the parser found, without the name and place that it puts in front.
std::string reason_of(const Json::exception& error) {
  const std::string text = error.what();
  const std::size_t begin = text.find(": ");
  return shown(begin == std::string::npos ? text : text.substr(begin + 2), 200);
}

class RowReader : public nlohmann::json_sax<Json> {
 public:
  JsonRow row;

  bool null() override { return nothing("null"); }
  bool boolean(bool v) override { return value(v ? "true" : "false", "boolean"); }
  bool number_integer(number_integer_t v) override { return value(std::to_string(v), "number"); }
  bool number_unsigned(number_unsigned_t v) override { return value(std::to_string(v), "number"); }
  bool number_float(number_float_t, const string_t& digits) override {
    return value(digits, "number");
  }
  bool string(string_t& v) override { return value(v, "string"); }
  bool binary(binary_t&) override { return nothing("binary"); }

  bool start_object(std::size_t) override {
    if (!open_.empty()) enter();
    open_.push_back({Kind::object, open_.empty() ? "" : name_ + "."});
    return check_depth();
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    check_object("array");
    enter();
    plain_ = !within_list();
    open_.push_back({Kind::array, ""});
    list_name_ = name_;
    list_.clear();
    return check_depth();
  }
  bool end_array() override {
    open_.pop_back();
    if (plain_ && open_.back().kind == Kind::object) row.lists[list_name_] = std::move(list_);
    plain_ = false;
    return true;
  }

  bool key(string_t& name) override {
    name_ = open_.back().prefix + name;
    if (!within_list() && !seen_.insert(name_).second)
      throw RowError(std::string::npos, "the field " + shown(name_) + " stands there twice");
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& e) override {
    throw RowError(position > 0 ? position - 1 : 0, "not a JSON object: " + reason_of(e));
  }

 private:
  enum class Kind { object, array };
  struct Open {
    Kind kind;
    std::string prefix;  // of an object's names
  };

  bool nothing(const char* type) {
    check_object(type);
    enter();
    return true;
  }
  bool value(const std::string& text, const char* type) {
    check_object(type);
    if (open_.back().kind == Kind::array)
      list_.push_back(text);
    else if (!within_list())
      row.fields[name_] = text;
    return true;
  }
  // A list that holds anything but values is none that a task can use.
  void enter() {
    if (open_.back().kind == Kind::array) plain_ = false;
  }
  bool within_list() const {
    return std::ranges::any_of(open_, [](const Open& o) { return o.kind == Kind::array; });
  }
  bool check_object(const char* type) const {
    if (open_.empty())
      throw RowError(std::string::npos,
                     std::string("expected one JSON object a line, got ") + type);
    return true;
  }
  bool check_depth() const {
    constexpr std::size_t most_deep = 32;
    if (open_.size() > most_deep) throw RowError(std::string::npos, "nested more than 32 deep");
    return true;
  }

  std::vector<Open> open_;
  std::string name_, list_name_;
  std::vector<std::string> list_;
  bool plain_ = false;  // the list that is open holds values alone, so far
  std::set<std::string> seen_;
};

}  // namespace

JsonRow parse_json_row(const std::string& line) {
  RowReader reader;
  Json::sax_parse(line, &reader);
  return std::move(reader.row);
}

}  // namespace mezo
