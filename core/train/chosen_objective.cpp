#include "core/train/chosen_objective.h"

#include <sstream>

#include "core/error.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

std::string described(const at::Tensor& value) {
  if (!value.defined()) return "no tensor";
  std::ostringstream text;
  text << "shape " << value.sizes() << " of " << value.scalar_type();
  return text.str();
}

}  // namespace

Needs needs_of(const ChosenObjective& objective) {
  return guard(
      objective.component,
      [&] {
        return objective.of_texts ? objective.objective->needs_of_texts()
                                  : objective.objective->needs();
      },
      "computing needs()");
}

at::Tensor value_of(const ChosenObjective& objective, const Outputs& outputs,
                    const Targets& targets, int streams) {
  const Component& component = objective.component;
  at::Tensor value = guard(
      component, [&] { return objective.objective->value(outputs, targets); }, "computing value()");
  if (!value.defined() || value.dim() != 1 || value.size(0) != streams || value.is_complex())
    throw PluginError("[objective " + std::string(component.id()) +
                      "] value() must return one real number a stream, shape [" +
                      std::to_string(streams) + "], got " + described(value) + " (plugin " +
                      component.plugin->path.string() + ")");
  return value;
}

}  // namespace mezo
