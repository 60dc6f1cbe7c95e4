#pragma once
// Which modules an adapter folder's configuration names, and with which rank and alpha each: the
// peft package goes by it and not by the tensors that are there.

#include <cstdint>
#include <functional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/peft_folder.h"

namespace lora {

class Targeting {
 public:
  // Throws ModelError for what peft or mezo cannot read.
  explicit Targeting(const mezo::PeftFolder& folder);

  // target_modules without exclude_modules, in the layers of layers_to_transform.
  bool names(const std::string& module) const;
  std::int64_t rank(const std::string& module) const;  // rank_pattern, else r
  double alpha(const std::string& module) const;       // alpha_pattern, else lora_alpha

 private:
  using Names = std::function<bool(const std::string& module)>;
  using Pattern = std::pair<Names, double>;

  Names modules(const std::string& key) const;
  std::vector<Pattern> patterns(const std::string& key) const;
  void read_layers();
  std::string place(const std::string& key) const;

  const mezo::PeftFolder& folder_;
  Names targets_, excluded_;
  std::set<std::string> whole_names_;  // in target_modules: of whatever layer
  bool by_layer_ = false;
  std::vector<std::int64_t> layers_;
  std::vector<std::regex> before_layer_;
  std::vector<Pattern> ranks_, alphas_;
};

}  // namespace lora
