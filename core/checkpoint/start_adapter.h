#pragma once
// What an adapter starts from: the values that its mode gives it (random, from activations of the
// base, or from a folder), and the file in the run folder that keeps them. Base weights and
// trajectory alone cannot give them back: an activation's last bits depend on the machine.

#include <cstdint>
#include <filesystem>

#include "core/checkpoint/load_model.h"

namespace mezo {

constexpr const char* initial_file = "initial.safetensors";

// Where an adapter starts: what computes, the weights, of which the adapter's tensors are written,
// the type that a forward computes in, and how many tokens there are to draw from.
struct AdapterTarget {
  const Network& network;
  ParameterStore& store;
  at::ScalarType dtype;
  std::int64_t tokens;
};

// Gives the adapter's tensors their first values, drawn by `seed`; does nothing without an adapter.
MEZO_API void start_adapter(const AdapterTarget& target, std::uint64_t seed);
MEZO_API void start_adapter(LoadedModel& model, std::uint64_t seed);

// The adapter's values now, fp32, under their names in the store. Nothing is written without an
// adapter. Throws RunError.
MEZO_API void write_initial(const LoadedModel& model, const std::filesystem::path& path);

// Throws RunError where the file is missing or has not exactly the adapter's tensors.
MEZO_API void read_initial(LoadedModel& model, const std::filesystem::path& path);

// What an adapter's merge() and peft_files() read through.
MEZO_API AdapterReader reader_of(const ParameterStore& store);

}  // namespace mezo
