#include "core/zo/slope.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/forward/index_tensor.h"
#include "core/zo/stored_source.h"

namespace mezo {

namespace {

// Rows spread over a matrix, as many as the sample has room for.
std::vector<std::int64_t> sampled_rows(std::int64_t rows, std::int64_t width) {
  const std::int64_t count = std::clamp<std::int64_t>(slope_sample / width, 1, rows);
  std::vector<std::int64_t> sampled(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) sampled[static_cast<std::size_t>(i)] = i * rows / count;
  return sampled;
}

// What two streams, of plus and minus epsilon, read of these rows: [2, rows, width] on the host.
at::Tensor read_rows(const ParameterStore& store, Parameter p, PhiloxKey key,
                     const ExactOptions& options, float epsilon,
                     const std::vector<std::int64_t>& rows) {
  const Stream streams[] = {{0, epsilon}, {0, -epsilon}};
  const std::int64_t width = store.spec(p).shape.at(1);
  const at::Tensor index = index_tensor(rows, store.device());
  at::Tensor out =
      at::empty({2, index.size(0), width}, at::TensorOptions(store.device()).dtype(options.dtype));
  WeightPass pass = pass_over(store, p);
  pass.key = key;
  pass.distribution = options.distribution;
  pass.width = width;
  pass.units = store.spec(p).shape.at(0);
  pass.rows = index.const_data_ptr<std::int64_t>();
  pass.count = index.size(0);
  pass.streams = streams;
  pass.out = out.mutable_data_ptr();
  pass.type = options.dtype;
  weight_kernels(store.device().is_cuda()).run(pass);
  return out.to(at::kCPU, at::kFloat).contiguous();
}

double slope_of(const ParameterStore& store, Parameter p, const ExactOptions& options,
                float epsilon) {
  const ParameterSpec& spec = store.spec(p);
  const PhiloxKey key = philox_key(options.seed, spec.name);
  const std::int64_t width = spec.shape.at(1);
  const auto rows = sampled_rows(spec.shape.at(0), width);
  const auto count = static_cast<std::int64_t>(rows.size());
  const at::Tensor both = read_rows(store, p, key, options, epsilon, rows);
  std::vector<float> z(static_cast<std::size_t>(count * width));
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      fill_reference(options.distribution, {key, 0, 0},
                     static_cast<std::uint64_t>(rows[static_cast<std::size_t>(i)] * width), width,
                     z.data() + i * width);
  });
  const float *plus = both.const_data_ptr<float>(), *minus = plus + count * width;
  double along = 0, squares = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    along += double{z[i]} * (double{plus[i]} - double{minus[i]});
    squares += double{z[i]} * double{z[i]};
  }
  return along / (2 * double{epsilon} * squares);
}

}  // namespace

std::vector<TensorSlope> slopes_of(const ParameterStore& store, const std::vector<bool>& trained,
                                   const ExactOptions& options, float epsilon) {
  std::vector<TensorSlope> slopes;
  for (std::size_t i = 0; i < store.specs().size(); ++i)
    if (trained.at(i) && is_matrix(store.specs()[i].role))
      slopes.push_back(
          {store.specs()[i].name, slope_of(store, {static_cast<int>(i)}, options, epsilon)});
  return slopes;
}

}  // namespace mezo
