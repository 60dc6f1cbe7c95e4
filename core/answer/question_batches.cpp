#include "core/answer/question_batches.h"

#include <algorithm>
#include <numeric>

#include "core/machine/device.h"

namespace mezo {

std::int64_t rows_a_forward(const ParameterStore& store, at::ScalarType dtype) {
  constexpr std::int64_t least = 2048, most_on_gpu = 16384;
  if (store.device().is_cpu()) return least;
  std::int64_t widest = 1;
  for (const ParameterSpec& spec : store.specs())
    if (spec.role == Role::matrix) widest = std::max(widest, std::ranges::max(spec.shape));
  const auto row = 6 * widest * static_cast<std::int64_t>(c10::elementSize(dtype));
  return std::clamp(device_memory(store.device()).free_bytes / 4 / row, least, most_on_gpu);
}

std::vector<std::size_t> by_length(std::span<const Question> questions) {
  std::vector<std::size_t> order(questions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](auto a, auto b) { return questions[a].rows() < questions[b].rows(); });
  return order;
}

std::size_t batch_size(std::span<const Question> questions, std::span<const std::size_t> order,
                       std::size_t begin, std::int64_t rows) {
  std::int64_t taken = questions[order[begin]].rows();
  std::size_t end = begin + 1;
  while (end < order.size() && taken + questions[order[end]].rows() <= rows)
    taken += questions[order[end++]].rows();
  return end - begin;
}

}  // namespace mezo
