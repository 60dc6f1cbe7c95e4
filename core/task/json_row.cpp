#include "core/task/json_row.h"

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
  PromptTemplate::Fields fields;

  bool null() override { return value(nullptr, "null"); }
  bool boolean(bool v) override { return value(v ? "true" : "false", "boolean"); }
  bool number_integer(number_integer_t v) override { return value(std::to_string(v), "number"); }
  bool number_unsigned(number_unsigned_t v) override { return value(std::to_string(v), "number"); }
  bool number_float(number_float_t, const string_t& digits) override {
    return value(digits, "number");
  }
  bool string(string_t& v) override { return value(v, "string"); }
  bool binary(binary_t&) override { return value(nullptr, "binary"); }
  bool start_object(std::size_t) override { return open("object"); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open("array"); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (depth_ == 1 && !seen_.insert(name).second)
      throw RowError(std::string::npos, "the field " + shown(name) + " stands there twice");
    if (depth_ == 1) key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& e) override {
    throw RowError(position > 0 ? position - 1 : 0, "not a JSON object: " + reason_of(e));
  }

 private:
  bool value(std::nullptr_t, const char* type) { return check_object(type); }
  bool value(const std::string& text, const char* type) {
    check_object(type);
    if (depth_ == 1) fields[key_] = text;
    return true;
  }
  bool check_object(const char* type) const {
    if (depth_ == 0)
      throw RowError(std::string::npos,
                     std::string("expected one JSON object a line, got ") + type);
    return true;
  }
  bool open(const char* type) {
    constexpr int most_deep = 32;
    if (type != std::string_view("object")) check_object(type);
    if (++depth_ > most_deep) throw RowError(std::string::npos, "nested more than 32 deep");
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  std::string key_;
  std::set<std::string> seen_;
};

}  // namespace

PromptTemplate::Fields parse_json_row(const std::string& line) {
  RowReader reader;
  Json::sax_parse(line, &reader);
  return std::move(reader.fields);
}

}  // namespace mezo
