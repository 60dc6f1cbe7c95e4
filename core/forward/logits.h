#pragma once
// A model's head at some rows, held to what Model::head() promises.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/forward/network.h"
#include "core/forward/stream_ops.h"

namespace mezo {

// [P, entries] in fp32 of rows [P, hidden]. Throws PluginError where the model gives another shape.
at::Tensor logits_of(const Network& network, StreamOps& ops, const at::Tensor& rows,
                     std::int64_t entries);

}  // namespace mezo
