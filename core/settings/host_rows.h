#pragma once
// Every setting of a run's YAML that belongs to the host, as parameter tables: the one place where
// their defaults, ranges and meanings stand, and what each of them decides for a run that goes on.
// A component's own settings stand beside it, in its plugin; an estimator's in
// core/zo/estimators.h.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/config/merge.h"
#include "core/config/parameter.h"

namespace mezo {

MEZO_API std::span<const mezo_parameter> top_settings();        // beside the blocks
MEZO_API std::span<const mezo_parameter> model_settings();      // the family's rows follow
MEZO_API std::span<const mezo_parameter> peft_settings();       // the component's rows follow
MEZO_API std::span<const mezo_parameter> objective_settings();  // the component's rows follow
MEZO_API std::span<const mezo_parameter> task_settings();
MEZO_API std::span<const mezo_parameter> generation_settings();
MEZO_API std::span<const mezo_parameter> optimizer_settings();  // the estimator's rows follow
MEZO_API std::span<const mezo_parameter> trainer_settings();

// What a setting decides, and so whether a run that goes on may have another value of it.
enum class Decides {
  past,    // what the weights of earlier steps, or the order of the examples, follow from
  place,   // where something lies: what lies there is compared by its hash
  future,  // how later steps are taken: a change is written into the trajectory
  nothing  // of any step
};

// Of a setting by its full name: "trainer.seed", "output". A component's own setting decides what
// its block does: the past for model, peft and task, the future for objective and optimizer; an
// adapter folder is a place.
MEZO_API Decides decides(std::string_view key);

// The settings of those blocks that are places, by their full names; "" is what stands beside the
// blocks.
MEZO_API std::vector<std::string> places_of(std::span<const std::string_view> blocks);

MEZO_API const std::vector<std::string>& block_names();

// What stays when a block's `type` changes.
MEZO_API const HostSettings& host_settings();

}  // namespace mezo
