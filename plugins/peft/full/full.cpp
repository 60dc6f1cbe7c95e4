// Full-parameter tuning: every parameter trains, or those that the patterns leave. The recommended
// values are the MeZO authors' single best guess for full tuning (learning rate 1e-6, epsilon
// 1e-3).

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/model/name_pattern.h"
#include "core/model/peft.h"
#include "core/plugin/component.h"

namespace {

class Full : public mezo::Peft {
 public:
  explicit Full(const mezo::Parameters& p)
      : include_(p.list("include")), exclude_(p.list("exclude")) {}

  std::vector<bool> trained(std::span<const mezo::ParameterSpec> parameters) const override {
    for (const auto* patterns : {&include_, &exclude_})
      for (const std::string& pattern : *patterns)
        if (std::none_of(parameters.begin(), parameters.end(),
                         [&](const auto& p) { return mezo::matches(pattern, p.name); }))
          throw mezo::ConfigError("[peft full] the pattern '" + pattern +
                                  "' matches no parameter; the first one is called '" +
                                  parameters.front().name + "'");
    std::vector<bool> flags;
    for (const mezo::ParameterSpec& p : parameters)
      flags.push_back(any(include_, p.name) && !any(exclude_, p.name));
    if (std::find(flags.begin(), flags.end(), true) == flags.end())
      throw mezo::ConfigError("[peft full] include and exclude leave nothing to train");
    return flags;
  }

  Recommended recommended() const override { return {1e-6, 1e-3}; }

 private:
  static bool any(const std::vector<std::string>& patterns, const std::string& name) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& p) { return mezo::matches(p, name); });
  }
  std::vector<std::string> include_, exclude_;
};

constexpr mezo_parameter parameters[] = {
    {"include", MEZO_TEXT_LIST, "['*']", nullptr, nullptr, nullptr,
     "names of parameters that train; * stands for any text"},
    {"exclude", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr,
     "of those, names that do not train"}};

constexpr mezo_component components[] = {mezo::component<Full, mezo::Peft>(
    MEZO_PEFT, "full", "every parameter of the model trains", parameters)};

}  // namespace

MEZO_PLUGIN("full", "1.0.0", "Full-parameter tuning", "MIT", components)
