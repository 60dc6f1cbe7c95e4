#pragma once
// Every setting of a run's YAML that belongs to the host, as parameter tables: the one place where
// their defaults, ranges and meanings stand. A component's own settings stand beside it, in its
// plugin.

#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/merge.h"
#include "core/config/parameter.h"
#include "core/plugin/registry.h"

namespace mezo {

MEZO_API std::span<const mezo_parameter> top_settings();  // beside the blocks
MEZO_API std::span<const mezo_parameter> model_settings();
MEZO_API std::span<const mezo_parameter> peft_settings();       // the component's rows follow
MEZO_API std::span<const mezo_parameter> objective_settings();  // the component's rows follow
MEZO_API std::span<const mezo_parameter> task_settings();
MEZO_API std::span<const mezo_parameter> optimizer_settings();
MEZO_API std::span<const mezo_parameter> trainer_settings();

// The rows of a block whose `type` chose a component: the host's, then the component's.
std::vector<mezo_parameter> table_of_block(std::span<const mezo_parameter> host,
                                           const Component& component);

MEZO_API const std::vector<std::string>& block_names();

// What stays when a block's `type` changes.
MEZO_API const HostSettings& host_settings();

}  // namespace mezo
