#pragma once
// Names the exact weights that are stored: what a trajectory says it started from, and what replay
// must arrive at. Costs one reading of all weights, shared among the threads.

#include <string>
#include <vector>

#include "core/api.h"
#include "core/forward/parameter_store.h"

namespace mezo {

// The SHA-256 of every parameter's stored bytes, in the order of store.specs(): the words as they
// lie in memory (little-endian, row by row), then the residual where the storage has one. The same
// on every device.
MEZO_API std::vector<std::string> hash_parameters(const ParameterStore& store);

// One hash over all: of the text that has a line "HASH  NAME" for each parameter, sorted by name
// (as sha256sum would print it).
MEZO_API std::string hash_of_all(const ParameterStore& store,
                                 const std::vector<std::string>& hashes);

}  // namespace mezo
