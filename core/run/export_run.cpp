#include "core/run/export_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/checkpoint/adapter_folder.h"
#include "core/checkpoint/export_folder.h"
#include "core/checkpoint/start_adapter.h"
#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/io/new_folder.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

void check_format(const std::string& format) {
  static const std::vector<std::string> known = {"hf", "peft"};
  if (std::ranges::find(known, format) == known.end())
    throw ConfigError(fmt::format("[export] unknown format {}{} (known: {})", shown(format),
                                  did_you_mean(format, known), fmt::join(known, ", ")));
}

// What the format cannot express is known before the replay.
void check_expressible(const LoadedModel& model, const std::string& format) {
  const AttachedAdapter& attached = model.network.adapter;
  if (!attached) {
    if (format == "peft")
      throw ConfigError(
          "[export] --format peft: the run trained the model's own weights, there is no adapter; "
          "use --format hf");
    return;
  }
  const std::optional<std::string> reason = guard(attached.component, [&] {
    return format == "peft" ? attached.adapter->refuses_peft() : attached.adapter->refuses_merge();
  });
  if (reason)
    throw ConfigError(
        fmt::format("[export] --format {}: {}: {}", format, attached.component.id(), *reason));
}

void export_adapter(const LoadedModel& model, const ExportRequest& request, Console& console) {
  NewFolder folder(request.path);
  try {
    write_adapter(model, folder.path(), export_dtype(request.dtype).value_or(DType::F32));
  } catch (const RunError& error) {  // it names a file that is gone by now
    throw RunError(fmt::format("[export] {}: nothing was written: {}", request.path, error.what()));
  }
  folder.commit();
  console.result(
      fmt::format("{}: an adapter for the peft package, base model {}", request.path, model.path));
}

void export_model(const LoadedModel& model, const ExportRequest& request, Console& console) {
  ExportOptions options;
  options.dtype = export_dtype(request.dtype);
  const auto read = [&](Parameter p, std::span<float> out) {
    if (Interrupt::stop()) throw RunError("interrupted");
    model.store.read(p, out.data());
    if (model.network.adapter)
      guard(
          model.network.adapter.component,
          [&] { model.network.adapter.adapter->merge(p, out, reader_of(model.store)); }, "merging");
  };
  for (const std::string& line : export_folder(model, read, request.path, options).lines())
    console.result(line);
}

}  // namespace

void export_run(const ExportRequest& request, Console& console) {
  check_format(request.format);
  export_dtype(request.dtype);
  { const NewFolder trial(request.path); }  // made and removed: it can be, before the replay
  ReplayRequest weights = request.weights;
  weights.check = [&](const LoadedModel& model) { check_expressible(model, request.format); };
  const ReplayedRun run = replay_run(weights, console);
  const Interrupt interrupt;
  if (request.format == "peft")
    export_adapter(run.model, request, console);
  else
    export_model(run.model, request, console);
}

}  // namespace mezo
