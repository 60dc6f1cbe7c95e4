#include "core/zo/stored_source.h"

#include <ATen/ops/empty.h>

#include <stdexcept>

#include "core/forward/dequantize_kernels.h"

namespace mezo {

namespace {
constexpr Stream as_it_is{-1, 0.0f};
}

WeightPass pass_over(const ParameterStore& store, Parameter p) {
  const ParameterSpec& spec = store.spec(p);
  const StoredTensor& t = store.stored(p);
  if (t.storage == Storage::quantised)
    throw std::logic_error("[weights] a pass over quantised weights: " + spec.name);
  WeightPass pass;
  // A pass without updates only reads; those who update own the store.
  pass.weights = {t.storage, const_cast<void*>(t.words.const_data_ptr()),
                  t.residual.defined()
                      ? const_cast<std::uint8_t*>(t.residual.const_data_ptr<std::uint8_t>())
                      : nullptr};
  pass.width = spec.role == Role::embedding ? spec.shape.at(1) : spec.elements();
  pass.units = spec.elements() / pass.width;
  pass.count = pass.units;
  return pass;
}

StoredSource::StoredSource(const ParameterStore& store, at::ScalarType dtype)
    : store_(store), dtype_(dtype), kept_(store.specs().size()) {}

void StoredSource::convert(Parameter p, const at::Tensor* entries, at::Tensor& out) const {
  const auto into = [&](auto& pass, const std::int64_t*& wanted) {
    if (entries) {
      wanted = entries->const_data_ptr<std::int64_t>();
      pass.count = entries->size(0);
    }
    pass.out = out.mutable_data_ptr();
    pass.type = dtype_;
  };
  if (store_.stored(p).storage == Storage::quantised) {
    DequantizePass pass = dequantize_pass(store_.stored(p));
    into(pass, pass.entries);
    dequantize_kernels(device().is_cuda()).run(pass);
    return;
  }
  WeightPass pass = pass_over(store_, p);
  into(pass, pass.rows);
  pass.streams = {&as_it_is, 1};
  weight_kernels(device().is_cuda()).run(pass);
}

bool StoredSource::stays(Parameter p) const {
  const Role role = store_.spec(p).role;
  const StoredTensor& t = store_.stored(p);
  return role == Role::vector || role == Role::adapter ||
         (t.words.scalar_type() == dtype_ && !t.residual.defined());
}

at::Tensor StoredSource::whole(Parameter p) {
  const ParameterSpec& spec = store_.spec(p);
  const StoredTensor& t = store_.stored(p);
  if (spec.role == Role::adapter) return kept(p);
  if (stays(p)) return t.words.unsqueeze(0);
  if (!scratch_.defined() || scratch_.numel() < spec.elements())
    scratch_ = at::empty({spec.elements()}, t.words.options().dtype(dtype_));
  std::vector<std::int64_t> shape = spec.shape;
  shape.insert(shape.begin(), 1);
  at::Tensor out = scratch_.narrow(0, 0, spec.elements()).view(shape);
  // A head is asked for once a tile of its rows, and nothing else in between.
  if (in_scratch_.index != p.index) {
    in_scratch_ = {};
    convert(p, nullptr, out);
    in_scratch_ = p;
  }
  return out;
}

at::Tensor StoredSource::kept(Parameter p) {
  at::Tensor& own = kept_.at(static_cast<std::size_t>(p.index));
  if (!own.defined()) own = store_.stored(p).words.unsqueeze(0).to(dtype_);
  return own;
}

at::Tensor StoredSource::addend(Parameter p) { return kept(p); }

at::Tensor StoredSource::rows(Parameter p, const at::Tensor& entries) {
  const at::Tensor index = entries.contiguous();
  at::Tensor out = at::empty({1, index.size(0), store_.spec(p).shape.at(1)},
                             at::TensorOptions(device()).dtype(dtype_));
  convert(p, &index, out);
  return out;
}

}  // namespace mezo
