// The CPU's side of WeightKernels: shares a pass out among threads. What happens to an element is
// in kernel.cpp.
#include <ATen/Parallel.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/machine/device.h"
#include "core/zo/kernel.h"

namespace mezo {

namespace {

constexpr std::int64_t grain = 8192;  // elements below which a thread is not worth waking

std::int64_t bytes_of_out(at::ScalarType type) { return type == at::kFloat ? 4 : 2; }

// Where each stream's copy of elements that begin `offset` elements into the pass goes.
void place_outs(const WeightPass& pass, std::int64_t offset, std::vector<void*>& outs) {
  for (std::size_t s = 0; s < pass.streams.size(); ++s)
    outs[s] =
        static_cast<char*>(pass.out) +
        (static_cast<std::int64_t>(s) * pass.count * pass.width + offset) * bytes_of_out(pass.type);
}

void run_elements(const WeightPass& pass, std::int64_t first, std::int64_t n,
                  std::span<const Update> missed, std::span<void* const> outs) {
  run_range(pass, advanced(pass.weights, first), static_cast<std::uint64_t>(first), n, missed,
            outs);
}

void refuse_unknown_rows(const WeightPass& pass) {
  for (std::int64_t i = 0; pass.rows && i < pass.count; ++i)
    if (pass.rows[i] < 0 || pass.rows[i] >= pass.units)
      throw std::out_of_range("[weights] row " + std::to_string(pass.rows[i]) + " of " +
                              std::to_string(pass.units));
}

class CpuWeightKernels : public WeightKernels {
 public:
  void run(const WeightPass& pass) const override {
    refuse_unknown_rows(pass);
    if (pass.unit_seen)
      run_units(pass);
    else if (pass.rows)
      run_rows(pass);
    else
      run_whole(pass);
  }

 private:
  // All elements have seen the same: they are shared out wherever units begin.
  static void run_whole(const WeightPass& pass) {
    const auto missed = pass.updates.subspan(static_cast<std::size_t>(pass.seen));
    if (missed.empty() && pass.streams.empty()) return;
    at::parallel_for(0, pass.count * pass.width, grain, [&](std::int64_t b, std::int64_t e) {
      std::vector<void*> outs(pass.streams.size());
      place_outs(pass, b, outs);
      run_elements(pass, b, e - b, missed, outs);
    });
  }

  // Rows that are asked for may repeat, so the updates come first, each row once.
  static void run_units(const WeightPass& pass) {
    const auto now = static_cast<std::int32_t>(pass.updates.size());
    std::vector<std::int64_t> late;
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::int64_t unit = pass.rows ? pass.rows[i] : i;
      if (pass.unit_seen[unit] != now) late.push_back(unit);
    }
    if (pass.rows) {
      std::sort(late.begin(), late.end());
      late.erase(std::unique(late.begin(), late.end()), late.end());
    }
    const std::int64_t rows = std::max<std::int64_t>(1, grain / pass.width);
    at::parallel_for(0, static_cast<std::int64_t>(late.size()), rows,
                     [&](std::int64_t b, std::int64_t e) {
                       for (std::int64_t i = b; i < e; ++i) {
                         const std::int64_t unit = late[static_cast<std::size_t>(i)];
                         std::int32_t& seen = pass.unit_seen[unit];
                         run_elements(pass, unit * pass.width, pass.width,
                                      pass.updates.subspan(static_cast<std::size_t>(seen)), {});
                         seen = now;
                       }
                     });
    run_rows(pass);
  }

  // Rows that are up to date.
  static void run_rows(const WeightPass& pass) {
    if (pass.streams.empty()) return;
    const std::int64_t rows = std::max<std::int64_t>(1, grain / pass.width);
    at::parallel_for(0, pass.count, rows, [&](std::int64_t b, std::int64_t e) {
      std::vector<void*> outs(pass.streams.size());
      for (std::int64_t i = b; i < e; ++i) {
        place_outs(pass, i * pass.width, outs);
        const std::int64_t unit = pass.rows ? pass.rows[i] : i;
        run_elements(pass, unit * pass.width, pass.width, {}, outs);
      }
    });
  }
};

}  // namespace

WeightKernels::~WeightKernels() = default;

const WeightKernels& cpu_weight_kernels() {
  static const CpuWeightKernels kernels;
  return kernels;
}

const WeightKernels& weight_kernels(bool cuda) {
  if (!cuda) return cpu_weight_kernels();
  if (!cuda_kernels()) throw std::logic_error("[weight_kernels] no CUDA library has been loaded");
  return *cuda_kernels()->weights;
}

}  // namespace mezo
