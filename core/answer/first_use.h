#pragma once
// What a GPU's first forward waits for beyond computing (0.12 to 0.15 s on an H200): kernels that
// are loaded when first called, cuBLAS's start, memory from the driver. Whoever reads weights can
// have it happen meanwhile: one batch of the questions that will be asked first goes through the
// network, on whatever numbers the memory holds, and its answers are dropped.

#include <future>
#include <span>

#include "core/api.h"
#include "core/forward/network.h"
#include "core/forward/parameter_store.h"
#include "core/task/question.h"

namespace mezo {

// All outlive the thread, which the future waits for when it goes. Nothing happens on the CPU, or
// where texts are asked for. What a forward throws is left to the next one, which will meet it too.
MEZO_API std::future<void> start_first_use(const Network& network, const ParameterStore& store,
                                           at::ScalarType dtype,
                                           std::span<const Question> questions);

}  // namespace mezo
