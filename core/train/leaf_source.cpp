#include "core/train/leaf_source.h"

#include <ATen/ops/index_select.h>

#include <stdexcept>

namespace mezo {

LeafSource::LeafSource(ParameterStore& store, const std::vector<bool>& trained,
                       at::ScalarType dtype)
    : stored_(store, dtype), held_(stored_), leaves_(store.specs().size()) {
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    roles_.push_back(store.specs()[i].role);
    if (!trained[i]) continue;
    const StoredTensor& t = store.stored({static_cast<int>(i)});
    if (t.storage != Storage::float32)
      throw std::logic_error("[LeafSource] " + store.specs()[i].name + " is not float32");
    leaves_[i] = t.words.detach().requires_grad_(true);
  }
}

// The graph of one conversion serves all uses of a forward: a head is asked for once a tile.
at::Tensor LeafSource::converted(Parameter p) {
  if (dtype() == at::kFloat) return leaf(p).unsqueeze(0);
  at::Tensor& own = converted_[p.index];
  if (!own.defined()) own = leaf(p).unsqueeze(0).to(dtype());
  return own;
}

at::Tensor LeafSource::whole(Parameter p) {
  if (!leaf(p).defined()) return held_.whole(p);
  const bool vector = roles_.at(static_cast<std::size_t>(p.index)) == Role::vector;
  return vector ? leaf(p).unsqueeze(0) : converted(p);
}

at::Tensor LeafSource::addend(Parameter p) {
  return leaf(p).defined() ? converted(p) : held_.addend(p);
}

at::Tensor LeafSource::rows(Parameter p, const at::Tensor& entries) {
  if (!leaf(p).defined()) return held_.rows(p, entries);
  return leaf(p).index_select(0, entries).unsqueeze(0).to(dtype());
}

}  // namespace mezo
