#include "core/run/run_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/answer/first_use.h"
#include "core/console/progress.h"
#include "core/console/stopwatch.h"
#include "core/machine/device.h"
#include "core/plugin/create.h"
#include "core/run/first_order_run.h"
#include "core/run/placement.h"

namespace mezo {

namespace {

// As task.bos would say it; a start of several tokens is the tokenizer's alone to say.
std::string bos_of(const Tokenizer& tokenizer) {
  const auto start = tokenizer.sequence_start();
  return start.empty() ? "none" : start.size() == 1 ? std::to_string(start.front()) : "auto";
}

}  // namespace

void say_notes(const PreparedModel& model, Console& console) {
  for (const std::string& note : model.tokenizer.notes()) console.note(note);
  for (const std::string& note : model.notes) console.note(note);
  for (const std::string& name : model.files.unused())
    console.warning("the model does not use the tensor " + name);
}

// A small model is read before a line of it could be seen.
LoadedModel load_with_progress(PreparedModel prepared, const ModelPlacement& placement,
                               std::span<const Question> first, Console& console) {
  std::optional<Progress> bar;
  const Stopwatch clock;
  const auto show = [&](std::int64_t done, std::int64_t all) {
    if (!bar && clock.seconds() < 1) return;
    if (!bar) bar.emplace(console, "loading", "MB", all >> 20);
    const double speed = static_cast<double>(done) / 1e9 / std::max(1e-9, clock.seconds());
    bar->show(done >> 20, {fmt::format("{:.2f} GB/s", speed)});
  };
  const auto start = [&](const BuiltModel& model, const ParameterStore& store,
                         at::ScalarType dtype) {
    return start_first_use(model.network, store, dtype, first);
  };
  return load_weights(std::move(prepared), placement, show, start);
}

PreparedModel prepare_for_run(const RunConfig& config, const ChosenPeft& mode, Console& console) {
  const ModelSettings& model = config.settings.model;
  PreparedModel prepared =
      prepare_model(model.path, *config.registry, {model.type, model.own, mode});
  say_notes(prepared, console);
  return prepared;
}

LoadedModel load_for_run(const RunConfig& config, PreparedModel prepared, bool frozen,
                         bool training, std::span<const Question> first, Console& console) {
  const Stopwatch clock;
  const RunSettings& settings = config.settings;
  ModelPlacement placement = placement_of(settings.model, settings.optimizer.storage);
  placement.frozen = placement.frozen || frozen;
  if (keeps_masters(settings.optimizer, placement.frozen)) placement.storage = Storage::float32;
  LoadedModel model = load_with_progress(std::move(prepared), placement, first, console);
  console.say(fmt::format(
      "model: {}, {:.1f} M parameters, computed in {}, kept in {} ({:.2f} GB) on {}, read in "
      "{:.1f} s",
      model.network.family.id(), static_cast<double>(model.parameters()) / 1e6,
      name_of_dtype(model.dtype), name_of(model.store.storage()),
      static_cast<double>(model.store.bytes()) / 1e9, device_memory(model.store.device()).name,
      clock.seconds()));
  if (const std::string note = widening_note(config, model, training); !note.empty())
    console.note(note);
  if (const AttachedAdapter& attached = model.network.adapter)
    for (const std::string& note :
         guard(attached.component, [&] { return attached.adapter->notes(); }))
      console.say(
          (note.starts_with("warning: ") ? "" : fmt::format("{}: ", attached.component.id())) +
          note);
  return model;
}

ResolvedModel resolved_model(const LoadedModel& model) {
  return {std::string(model.network.family.id()), name_of_dtype(model.dtype),
          model.store.device().is_cuda() ? "cuda" : "cpu",
          model.kept_as_filed ? "file" : name_of(model.store.storage()), bos_of(model.tokenizer)};
}

}  // namespace mezo
