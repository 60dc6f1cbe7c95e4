#include "core/run/run_model.h"

#include <fmt/format.h>

#include "core/machine/device.h"
#include "core/plugin/create.h"
#include "core/run/placement.h"
#include "core/run/stopwatch.h"

namespace mezo {

namespace {

// As task.bos would say it; a start of several tokens is the tokenizer's alone to say.
std::string bos_of(const Tokenizer& tokenizer) {
  const auto start = tokenizer.sequence_start();
  return start.empty() ? "none" : start.size() == 1 ? std::to_string(start.front()) : "auto";
}

}  // namespace

PreparedModel prepare_for_run(const RunConfig& config, const ChosenPeft& mode) {
  return prepare_model(config.model.text("path"), *config.registry,
                       {config.model.text("type"), {}, mode});
}

LoadedModel load_for_run(const RunConfig& config, PreparedModel prepared, bool training) {
  const Stopwatch clock;
  ModelPlacement placement = placement_of(config);
  placement.frozen = placement.frozen || frozen_under(prepared, config.peft_mode);
  LoadedModel model = load_weights(std::move(prepared), placement);
  fmt::print(
      stderr,
      "model: {}, {:.1f} M parameters, computed in {}, kept in {} ({:.2f} GB) on {}, read in "
      "{:.1f} s\n",
      model.network.family.id(), static_cast<double>(model.parameters()) / 1e6,
      name_of_dtype(model.dtype), name_of(model.store.storage()),
      static_cast<double>(model.store.bytes()) / 1e9, device_memory(model.store.device()).name,
      clock.seconds());
  if (const std::string note = widening_note(config, model, training); !note.empty())
    fmt::print(stderr, "note: {}\n", note);
  for (const std::string& name : model.unused)
    fmt::print(stderr, "warning: the model does not use the tensor {}\n", name);
  if (const AttachedAdapter& attached = model.network.adapter)
    for (const std::string& note :
         guard(attached.component, [&] { return attached.adapter->notes(); }))
      fmt::print(stderr, "{}{}\n",
                 note.starts_with("warning: ") ? "" : fmt::format("{}: ", attached.component.id()),
                 note);
  return model;
}

ResolvedModel resolved_model(const RunConfig& config, const LoadedModel& model) {
  return {std::string(model.network.family.id()),
          name_of_dtype(model.dtype),
          model.store.device().is_cuda() ? "cuda" : "cpu",
          model.kept_as_filed ? "file" : name_of(model.store.storage()),
          streams_together(config, model) ? "together" : "turns",
          bos_of(model.tokenizer)};
}

}  // namespace mezo
