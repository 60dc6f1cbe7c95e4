#pragma once
// A schema like that of a run, with three PEFT modes, for the tests of whole configurations.

#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/merge.h"
#include "core/config/overrides.h"
#include "core/config/parameter.h"
#include "core/config/parameters.h"

namespace sample {

struct Checked {
  mezo::Value tree;
  mezo::Parameters top, model, peft, objective, task, optimizer, trainer;
  std::vector<std::string> notes;
  std::string resolved;  // the whole run as YAML
};

// Reads, overrides and checks a run's configuration as the command line does. Throws ConfigError.
Checked check_run(const std::string& path, const std::vector<std::string>& arguments = {});

// All tables of the schema.
std::vector<std::vector<mezo_parameter>> tables();

}  // namespace sample
