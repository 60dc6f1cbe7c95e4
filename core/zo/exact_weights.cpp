#include "core/zo/exact_weights.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <stdexcept>

namespace mezo {

namespace {
constexpr std::size_t most_waiting = 32;       // updates an untouched embedding row may lag behind
constexpr std::int64_t parallel_grain = 8192;  // elements below which a thread is not worth waking
}  // namespace

ExactWeights::ExactWeights(ParameterStore& store, std::vector<bool> trained, std::uint64_t seed)
    : store_(store) {
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    Tensor t;
    t.parameter = {static_cast<int>(i)};
    t.key = philox_key(seed, spec.name);
    t.trained = trained.at(i);
    t.decays = spec.role != Role::vector;
    t.width = spec.role == Role::embedding ? spec.shape.at(1) : spec.elements();
    if (t.trained) {
      t.seen.assign(static_cast<std::size_t>(spec.elements() / t.width), 0);
      t.data = store.data(t.parameter);
      if (spec.role == Role::matrix)
        scratch_elements_ = std::max(scratch_elements_, spec.elements());
    }
    tensors_.push_back(std::move(t));
  }
}

void ExactWeights::push(std::uint32_t step, std::vector<float> coefficients, float decay) {
  if (step <= last_step_) throw std::logic_error("[ExactWeights] steps must ascend");
  if (waiting_.size() >= most_waiting) settle();
  waiting_.push_back({step, std::move(coefficients), decay});
  last_step_ = step;
}

std::vector<Update> ExactWeights::missed(const Tensor& t, std::uint32_t seen) const {
  std::vector<Update> updates;
  for (std::size_t i = seen; i < waiting_.size(); ++i)
    updates.push_back(
        {waiting_[i].step, t.decays ? waiting_[i].decay : 0.0f, waiting_[i].coefficients});
  return updates;
}

// Brings the units (rows, or the one unit that is the whole tensor) up to date and, unless plus is
// null, writes their perturbed copies end to end. `units` null: 0 .. count.
void ExactWeights::pass(Tensor& t, const std::int64_t* units, std::int64_t count, float* plus,
                        float* minus) {
  const auto now = static_cast<std::uint32_t>(waiting_.size());
  const auto slice = [&](std::int64_t place, std::int64_t unit, std::int64_t begin,
                         std::int64_t end, std::span<const Update> updates) {
    const std::int64_t first = unit * t.width + begin;
    const std::uint64_t element = static_cast<std::uint64_t>(first);
    if (plus)
      advance_and_perturb(t.data + first, end - begin, element, t.key, updates, probe_,
                          plus + place * t.width + begin, minus + place * t.width + begin);
    else
      advance(t.data + first, end - begin, element, t.key, updates);
  };
  if (count == 1) {  // one unit: its elements are shared out
    const std::int64_t unit = units ? units[0] : 0;
    std::uint32_t& seen = t.seen[static_cast<std::size_t>(unit)];
    const std::vector<Update> updates = missed(t, seen);
    if (!plus && updates.empty()) return;
    at::parallel_for(0, t.width, parallel_grain,
                     [&](std::int64_t b, std::int64_t e) { slice(0, unit, b, e, updates); });
    seen = now;
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / t.width);
  at::parallel_for(0, count, grain, [&](std::int64_t b, std::int64_t e) {
    for (std::int64_t i = b; i < e; ++i) {
      const std::int64_t unit = units ? units[i] : i;
      std::uint32_t& seen = t.seen[static_cast<std::size_t>(unit)];
      if (!plus && seen == now) continue;
      slice(i, unit, 0, t.width, missed(t, seen));
      seen = now;
    }
  });
}

void ExactWeights::settle() {
  for (Tensor& t : tensors_)
    if (t.trained) pass(t, nullptr, static_cast<std::int64_t>(t.seen.size()), nullptr, nullptr);
  for (Tensor& t : tensors_) std::fill(t.seen.begin(), t.seen.end(), 0u);
  waiting_.clear();
}

// Two tensors of the parameter's shape: matrices share one block, which the next matrix overwrites;
// vectors get their own.
at::Tensor ExactWeights::scratch(const ParameterSpec& spec) {
  std::vector<std::int64_t> shape = spec.shape;
  shape.insert(shape.begin(), 2);
  if (spec.role != Role::matrix) return at::empty(shape, at::kFloat);
  if (!scratch_.defined()) scratch_ = at::empty({2 * scratch_elements_}, at::kFloat);
  return scratch_.narrow(0, 0, 2 * spec.elements()).view(shape);
}

at::Tensor ExactWeights::whole(Parameter p) {
  Tensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (!t.trained) return store_.tensor(p).unsqueeze(0);
  const ParameterSpec& spec = store_.spec(p);
  at::Tensor pair = scratch(spec);
  float* plus = pair.mutable_data_ptr<float>();
  pass(t, nullptr, static_cast<std::int64_t>(t.seen.size()), plus, plus + spec.elements());
  return pair;
}

at::Tensor ExactWeights::rows(Parameter p, const at::Tensor& entries) {
  Tensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (!t.trained) return store_.tensor(p).index_select(0, entries).unsqueeze(0);
  if (store_.spec(p).role != Role::embedding)
    throw std::logic_error("[ExactWeights] rows of a tensor that is not an embedding");
  const at::Tensor index = entries.contiguous();
  const std::span entry(index.const_data_ptr<std::int64_t>(),
                        static_cast<std::size_t>(index.size(0)));
  const auto count = static_cast<std::int64_t>(t.seen.size());
  if (std::any_of(entry.begin(), entry.end(),
                  [count](std::int64_t e) { return e < 0 || e >= count; }))
    throw std::out_of_range("[ExactWeights] rows: " + store_.spec(p).name + " has " +
                            std::to_string(count) + " entries");
  at::Tensor pair = at::empty({2, index.size(0), t.width}, at::kFloat);
  float* plus = pair.mutable_data_ptr<float>();
  pass(t, entry.data(), index.size(0), plus, plus + index.size(0) * t.width);
  return pair;
}

}  // namespace mezo
