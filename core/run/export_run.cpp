#include "core/run/export_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/error.h"
#include "core/io/new_folder.h"
#include "core/model/export_folder.h"
#include "core/run/interrupt.h"

namespace mezo {

namespace {

void check_format(const std::string& format) {
  static const std::vector<std::string> known = {"hf"};
  if (std::ranges::find(known, format) == known.end())
    throw ConfigError(fmt::format("[export] unknown format {}{} (known: {})", shown(format),
                                  did_you_mean(format, known), fmt::join(known, ", ")));
}

}  // namespace

void export_run(const ExportRequest& request) {
  check_format(request.format);
  ExportOptions options;
  options.dtype = export_dtype(request.dtype);
  { const NewFolder trial(request.path); }  // made and removed: it can be, before the replay
  const ReplayedRun run = replay_run(request.weights);
  const Interrupt interrupt;
  const auto read = [&](Parameter p, std::span<float> out) {
    if (Interrupt::stop()) throw RunError("interrupted");
    run.model.store.read(p, out.data());
  };
  for (const std::string& line : export_folder(run.model, read, request.path, options).lines())
    fmt::print("{}\n", line);
}

}  // namespace mezo
