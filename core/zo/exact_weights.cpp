#include "core/zo/exact_weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <stdexcept>

namespace mezo {

ExactWeights::ExactWeights(ParameterStore& store, std::vector<bool> trained,
                           const ExactOptions& options)
    : store_(store), options_(options), frozen_(store, options.dtype) {
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    Tensor t;
    t.parameter = {static_cast<int>(i)};
    t.key = philox_key(options.seed, spec.name);
    t.trained = trained.at(i);
    if (t.trained && store.stored(t.parameter).storage == Storage::quantised)
      throw std::logic_error("[ExactWeights] quantised weights cannot be trained: " + spec.name);
    t.decays = spec.role != Role::vector;
    if (t.trained && spec.role == Role::embedding)
      t.unit_seen =
          at::zeros({spec.shape.at(0)}, at::TensorOptions(store.device()).dtype(at::kInt));
    if (t.trained && spec.role == Role::matrix)
      largest_matrix_ = std::max(largest_matrix_, spec.elements());
    tensors_.push_back(std::move(t));
  }
  wholes_.resize(tensors_.size());
  addends_.resize(tensors_.size());
  adapters_.resize(tensors_.size());
}

void ExactWeights::perturb(std::uint32_t step, std::vector<Stream> streams) {
  if (streams.empty() || streams.size() > most_streams)
    throw std::logic_error("[ExactWeights] from 1 to 64 streams");
  step_ = step;
  streams_ = std::move(streams);
  forget_copies();
}

void ExactWeights::push(std::uint32_t step, std::vector<Term> terms, float decay) {
  if (step <= last_step_) throw std::logic_error("[ExactWeights] steps must ascend");
  if (terms.size() > most_terms)
    throw std::logic_error("[ExactWeights] an update has at most " + std::to_string(most_terms) +
                           " terms, got " + std::to_string(terms.size()));
  std::size_t waiting = terms.size();
  for (const Step& s : waiting_) waiting += s.terms.size();
  if (waiting_.size() >= most_updates || waiting > most_terms) apply_pending();
  waiting_.push_back({step, std::move(terms), decay});
  last_step_ = step;
  forget_copies();
  decayed_.clear();
  plain_.clear();
  for (const Step& s : waiting_) {
    decayed_.push_back({s.step, s.decay, s.terms});
    plain_.push_back({s.step, 0.0f, s.terms});
  }
}

WeightPass ExactWeights::pass_over_trained(const Tensor& t) {
  WeightPass pass = pass_over(store_, t.parameter);
  pass.key = t.key;
  pass.distribution = options_.distribution;
  pass.updates = t.decays ? decayed_ : plain_;
  pass.seen = t.seen;
  if (t.unit_seen.defined()) pass.unit_seen = t.unit_seen.mutable_data_ptr<std::int32_t>();
  return pass;
}

void ExactWeights::run(Tensor& t, const WeightPass& pass) {
  weight_kernels(device().is_cuda()).run(pass);
  if (!t.unit_seen.defined()) t.seen = static_cast<std::int32_t>(waiting_.size());
}

void ExactWeights::apply_pending() {
  for (Tensor& t : tensors_) {
    if (!t.trained || waiting_.empty()) continue;
    run(t, pass_over_trained(t));
    t.seen = 0;
    if (t.unit_seen.defined()) t.unit_seen.zero_();
  }
  waiting_.clear();
  decayed_.clear();
  plain_.clear();
}

void ExactWeights::read_streams(WeightPass& pass, at::Tensor& out) const {
  pass.step = step_;
  pass.streams = streams_;
  pass.out = out.mutable_data_ptr();
  pass.type = out.scalar_type();
}

std::vector<std::int64_t> ExactWeights::shape_of_streams(const ParameterSpec& spec) const {
  std::vector<std::int64_t> shape = spec.shape;
  shape.insert(shape.begin(), streams());
  return shape;
}

// A tensor of the parameter's shape for each stream: matrices share one block, which the next
// matrix overwrites.
at::Tensor ExactWeights::scratch(const ParameterSpec& spec) {
  const auto options = at::TensorOptions(device()).dtype(dtype());
  const std::vector<std::int64_t> shape = shape_of_streams(spec);
  if (spec.role == Role::embedding) return at::empty(shape, options);
  const std::int64_t needed = streams() * largest_matrix_;
  if (!scratch_.defined() || scratch_.numel() < needed) scratch_ = at::empty({needed}, options);
  return scratch_.narrow(0, 0, streams() * spec.elements()).view(shape);
}

void ExactWeights::forget_copies() {
  last_matrix_ = {};
  for (auto* copies : {&wholes_, &addends_, &adapters_})
    for (VectorCopy& c : *copies) c.copy.reset();
}

WeightPass ExactWeights::pass_over_vector(Tensor& t, at::ScalarType type, at::Tensor& out) {
  out = at::empty({streams(), store_.spec(t.parameter).elements()},
                  at::TensorOptions(device()).dtype(type));
  WeightPass pass = pass_over_trained(t);
  read_streams(pass, out);
  pass.dithered = type != at::kFloat;
  return pass;
}

// Every vector that an earlier forward asked for, in few launches.
void ExactWeights::make_wanted(std::vector<VectorCopy>& copies, at::ScalarType type) {
  std::vector<WeightPass> passes;
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (copies[i].wanted) {
      passes.push_back(pass_over_vector(tensors_[i], type, copies[i].copy));
      tensors_[i].seen = static_cast<std::int32_t>(waiting_.size());
    }
  weight_kernels(device().is_cuda()).run_vectors(passes);
}

at::Tensor ExactWeights::vector(Tensor& t, std::vector<VectorCopy>& copies, at::ScalarType type) {
  VectorCopy& own = copies[static_cast<std::size_t>(t.parameter.index)];
  if (!own.copy.defined() && own.wanted) make_wanted(copies, type);
  if (!own.copy.defined()) {
    run(t, pass_over_vector(t, type, own.copy));
    own.wanted = true;
  }
  return own.copy;
}

std::int64_t ExactWeights::scratch_bytes() const {
  return scratch_.defined() ? static_cast<std::int64_t>(scratch_.nbytes()) : 0;
}

at::Tensor ExactWeights::whole(Parameter p) {
  Tensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (!t.trained) return frozen_.whole(p);
  if (store_.spec(p).role == Role::vector) return vector(t, wholes_, at::kFloat);
  if (store_.spec(p).role == Role::adapter)
    return vector(t, adapters_, dtype()).view(shape_of_streams(store_.spec(p)));
  // A head is asked for once a tile of its rows, and nothing else in between.
  if (last_matrix_.copies.defined() && last_matrix_.parameter.index == p.index)
    return last_matrix_.copies;
  last_matrix_ = {};  // gives its memory back before more is asked for
  at::Tensor out = scratch(store_.spec(p));
  WeightPass pass = pass_over_trained(t);
  read_streams(pass, out);
  run(t, pass);
  last_matrix_ = {p, out};
  return out;
}

bool ExactWeights::stays(Parameter p) const {
  const Role role = store_.spec(p).role;
  return role == Role::vector || role == Role::adapter ||
         (!tensors_.at(static_cast<std::size_t>(p.index)).trained && frozen_.stays(p));
}

at::Tensor ExactWeights::addend(Parameter p) {
  Tensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (!t.trained) return frozen_.addend(p);
  return dtype() == at::kFloat ? whole(p) : vector(t, addends_, dtype());
}

at::Tensor ExactWeights::rows(Parameter p, const at::Tensor& entries) {
  Tensor& t = tensors_.at(static_cast<std::size_t>(p.index));
  if (!t.trained) return frozen_.rows(p, entries);
  if (store_.spec(p).role != Role::embedding)
    throw std::logic_error("[ExactWeights] rows of a tensor that is not an embedding");
  const at::Tensor index = entries.contiguous();
  at::Tensor out = at::empty({streams(), index.size(0), store_.spec(p).shape.at(1)},
                             at::TensorOptions(device()).dtype(dtype()));
  WeightPass pass = pass_over_trained(t);
  pass.rows = index.const_data_ptr<std::int64_t>();
  pass.count = index.size(0);
  read_streams(pass, out);
  run(t, pass);
  return out;
}

}  // namespace mezo
