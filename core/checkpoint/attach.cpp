#include "core/checkpoint/attach.h"

#include "core/error.h"
#include "core/forward/attention_shapes.h"
#include "core/plugin/create.h"

namespace mezo {

Attached attach(const ChosenPeft& mode, const Model& model, const Component& family,
                Declaration& declaration) {
  const auto declared = declaration.parameters();
  const std::vector<ParameterSpec> own(declared.begin(), declared.end());
  Attached attached{std::vector<bool>(own.size(), false), {}};
  if (!mode.peft) return attached;
  const auto shapes = [&] { return guard(family, [&] { return attention_shapes(model, own); }); };
  guard(
      mode.component,
      [&] {
        attached.trained = mode.peft->trained(own);
        attached.adapter = {mode.peft->adapt({own, shapes}, declaration), mode.component};
      },
      "adapting the model");
  if (attached.trained.size() != own.size())
    throw PluginError("[peft " + std::string(mode.component.id()) +
                      "] trained() must return one flag for each of " + std::to_string(own.size()) +
                      " parameters, got " + std::to_string(attached.trained.size()) + " (plugin " +
                      mode.component.plugin->path.string() + ")");
  attached.trained.resize(declaration.parameters().size(), true);
  return attached;
}

bool is_frozen(std::span<const ParameterSpec> parameters, const std::vector<bool>& trained) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (trained[i] && is_matrix(parameters[i].role)) return false;
  return true;
}

}  // namespace mezo
