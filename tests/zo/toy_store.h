#pragma once
// A small store with a parameter of each role, and updates applied to it in plain scalar code. Used
// by the tests of this folder.

#include <cstring>
#include <vector>

#include "core/zo/exact_weights.h"
#include "kernel_cases.h"

namespace mezo {

struct ToyStore {
  Embedding embedding;
  Linear tied, map, wide;
  Norm norm;
  Parameter adapter;
  ParameterStore store;

  explicit ToyStore(Storage storage = Storage::float32) : store(declare().parameters(), storage) {
    for (int i = 0; i < count(); ++i)
      store.write({i}, kernel_weights(store.spec({i}).elements(), static_cast<std::uint64_t>(i),
                                      storage == Storage::float16 ? 1e3f : 1e30f)
                           .data());
  }

  int count() const { return static_cast<int>(store.specs().size()); }
  std::vector<bool> all() const { return std::vector<bool>(store.specs().size(), true); }

  std::vector<float> values(Parameter p) {
    const float* begin = store.data(p);
    return {begin, begin + store.spec(p).elements()};
  }
  // In any storage; two stores that hold the same bits give the same.
  std::vector<float> kept(Parameter p) const {
    std::vector<float> all(static_cast<std::size_t>(store.spec(p).elements()));
    store.read(p, all.data());
    return all;
  }
  std::vector<std::vector<float>> values() {
    std::vector<std::vector<float>> all;
    for (int i = 0; i < count(); ++i) all.push_back(values(Parameter{i}));
    return all;
  }

 private:
  Declaration declare() {  // rows of 13 and 37: no multiple of 8
    Declaration d;
    embedding = d.embedding("embed", 41, 13);
    tied = d.tied_head(embedding);
    map = d.linear("map", 13, 37, true);
    wide = d.linear("wide", 37, 300, false);
    norm = d.layer_norm("norm", 13);
    adapter = d.adapter("adapter", {3, 5, 7});
    return d;
  }
};

inline bool same_bytes(const std::vector<std::vector<float>>& a,
                       const std::vector<std::vector<float>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bytes(a[i], b[i])) return false;
  return true;
}

inline void perturb(ExactWeights& weights, const Probe& probe) {
  weights.perturb(probe.step, probe.streams());
}

// What a step's update makes of every trained tensor, element by element.
inline void apply_reference(ToyStore& toy, std::vector<std::vector<float>>& theta,
                            std::uint64_t seed, const OwnedUpdate& update) {
  for (int i = 0; i < toy.count(); ++i) {
    const ParameterSpec& spec = toy.store.spec({i});
    Update view = update.view();
    if (spec.role == Role::vector) view.decay = 0;
    advance_reference(theta[static_cast<std::size_t>(i)].data(), spec.elements(), 0,
                      philox_key(seed, spec.name), {view});
  }
}

}  // namespace mezo
