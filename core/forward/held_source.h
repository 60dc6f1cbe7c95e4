#pragma once
// Copies of what a source would make anew each time: a perturbed or a converted matrix costs a pass
// over the weights, which a forward of many rows hides and one token a sequence does not. For
// generation, where hundreds of forwards read the same numbers.
//
// Memory: streams x the matrices that do not stay in the source (held_bytes()), in the type that
// the model computes in. Both sources here are for as long as the weights and streams of the one
// behind them stay as they are.

#include <cstdint>
#include <map>
#include <span>

#include "core/api.h"
#include "core/model/parameter_source.h"

namespace mezo {

class MEZO_API HeldSource : public ParameterSource {
 public:
  // Keeps a reference. A matrix is copied when it is first asked for.
  explicit HeldSource(ParameterSource& from) : from_(from) {}

  int streams() const override { return from_.streams(); }
  at::ScalarType dtype() const override { return from_.dtype(); }
  at::Device device() const override { return from_.device(); }
  at::Tensor whole(Parameter p) override;
  bool stays(Parameter) const override { return true; }
  at::Tensor addend(Parameter p) override { return from_.addend(p); }
  // Few rows of a large table: made anew.
  at::Tensor rows(Parameter p, const at::Tensor& entries) override {
    return from_.rows(p, entries);
  }

 private:
  ParameterSource& from_;
  std::map<int, at::Tensor> held_;
};

// One stream of a source that has several.
class MEZO_API OneStream : public ParameterSource {
 public:
  OneStream(ParameterSource& from, int stream) : from_(from), stream_(stream) {}

  int streams() const override { return 1; }
  at::ScalarType dtype() const override { return from_.dtype(); }
  at::Device device() const override { return from_.device(); }
  at::Tensor whole(Parameter p) override { return own(from_.whole(p)); }
  bool stays(Parameter p) const override { return from_.stays(p); }
  at::Tensor addend(Parameter p) override { return own(from_.addend(p)); }
  at::Tensor rows(Parameter p, const at::Tensor& entries) override {
    return own(from_.rows(p, entries));
  }

 private:
  at::Tensor own(const at::Tensor& of_all) const;

  ParameterSource& from_;
  int stream_;
};

// What holding costs a stream. `specs`: of all parameters, by index.
MEZO_API std::int64_t held_bytes(const ParameterSource& source,
                                 std::span<const ParameterSpec> specs);

}  // namespace mezo
