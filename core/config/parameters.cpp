#include "core/config/parameters.h"

#include <stdexcept>

namespace mezo {

const Parameters::Value& Parameters::at(const std::string& name, Value::Kind kind) const {
  const auto found = values_.find(name);
  if (found == values_.end())
    throw std::logic_error("[Parameters] no setting \"" + name + "\" in this table");
  if (found->second.kind != kind)
    throw std::logic_error("[Parameters] setting \"" + name +
                           "\" has another type than was asked for");
  return found->second;
}

bool Parameters::boolean(const std::string& name) const {
  return at(name, Value::Kind::boolean).boolean;
}

std::int64_t Parameters::integer(const std::string& name) const {
  return at(name, Value::Kind::integer).integer;
}

double Parameters::number(const std::string& name) const {
  return at(name, Value::Kind::number).number;
}

const std::string& Parameters::text(const std::string& name) const {
  return is_word(name) ? values_.at(name).text : at(name, Value::Kind::text).text;
}

const std::vector<std::string>& Parameters::list(const std::string& name) const {
  return at(name, Value::Kind::list).list;
}

bool Parameters::is_word(const std::string& name) const {
  const auto found = values_.find(name);
  return found != values_.end() && found->second.kind == Value::Kind::word;
}

bool Parameters::has(const std::string& name) const { return values_.contains(name); }

bool Parameters::given(const std::string& name) const {
  if (!has(name)) throw std::logic_error("[Parameters] no setting \"" + name + "\" in this table");
  return !values_.at(name).is_default;
}

void Parameters::set(const std::string& name, Value value) { values_[name] = std::move(value); }

}  // namespace mezo
