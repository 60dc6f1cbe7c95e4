#include "core/checkpoint/build_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "core/forward/forward_trace.h"
#include "core/model/config_keys.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

bool trains_no_matrix(std::span<const ParameterSpec> specs, const std::vector<bool>& trained) {
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (trained[i] && is_matrix(specs[i].role)) return false;
  return true;
}

// Keys that neither the family read nor this program knows.
std::vector<std::string> notes_of(const ModelConfig& config, const Component& family) {
  const std::vector<std::string> unknown = unknown_keys(config);
  if (unknown.empty()) return {};
  return {fmt::format("{}: the {} family does not read {}", config.origin(), family.id(),
                      fmt::join(unknown, ", "))};
}

struct Attached {
  std::vector<bool> trained;  // each declared parameter, the adapter's behind the model's own
  AttachedAdapter adapter;
};

// `model` and its component `family` have declared their parameters; the mode's follow.
Attached attach(const ChosenPeft& mode, const Model& model, const Component& family,
                Declaration& declaration) {
  const auto declared = declaration.parameters();
  const std::vector<ParameterSpec> own(declared.begin(), declared.end());
  Attached attached{std::vector<bool>(own.size(), false), {}};
  if (!mode.peft) return attached;
  const auto shapes = [&] {
    return guard(family, [&] { return forward_trace(model, own).attention; });
  };
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

}  // namespace

std::span<const ParameterSpec> BuiltModel::base_specs() const {
  const auto end = std::find_if(specs.begin(), specs.end(),
                                [](const ParameterSpec& s) { return s.role == Role::adapter; });
  return {specs.begin(), end};
}

std::int64_t BuiltModel::parameters() const {
  std::int64_t n = 0;
  for (const ParameterSpec& spec : base_specs()) n += spec.elements();
  return n;
}

TensorNames BuiltModel::file_names(FileKind kind) const {
  auto names = guard(
      network.family, [&] { return family->file_names(config, kind); }, "naming the tensors");
  if (!names)
    throw ModelError("[" + config.origin() + "] the " + std::string(network.family.id()) +
                     " family cannot be read from " +
                     (kind == FileKind::gguf ? "GGUF" : "safetensors") + " files");
  names->aliases.insert(names->aliases.begin(), aliases.begin(), aliases.end());
  return std::move(*names);
}

bool BuiltModel::frozen() const { return trains_no_matrix(specs, trained); }

BuiltModel build_model(const ModelConfig& config, const Component& family,
                       const Parameters& settings, const ChosenPeft& mode) {
  std::shared_ptr<const ModelFamily> made = create<ModelFamily>(family, settings);
  Declaration declaration;
  std::shared_ptr<const Model> model = guard(
      family, [&] { return made->build(config, declaration); }, "building the model");
  std::vector<std::string> notes = notes_of(config, family);
  const bool causal = guard(family, [&] { return made->causal(config); });
  Attached attached = attach(mode, *model, family, declaration);
  const auto specs = declaration.parameters();
  return {
      config,
      std::move(made),
      {std::move(model), family, std::move(attached.adapter), config.integer("vocab_size"), causal},
      {specs.begin(), specs.end()},
      std::move(attached.trained),
      declaration.tied(),
      false,
      {},
      std::move(notes)};
}

bool frozen_under(const BuiltModel& model, const ChosenPeft& mode) {
  Declaration declaration;
  const std::shared_ptr<const Model> again = guard(
      model.network.family, [&] { return model.family->build(model.config, declaration); },
      "building the model");
  const Attached attached = attach(mode, *again, model.network.family, declaration);
  return trains_no_matrix(declaration.parameters(), attached.trained);
}

}  // namespace mezo
