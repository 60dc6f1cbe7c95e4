#pragma once
// Models to measure: a real one from its files, or random weights of a published OPT shape, which
// need no files and may be as large as the device holds.

#include <string>
#include <vector>

#include "core/answer/answer.h"
#include "core/checkpoint/load_model.h"

namespace mezo::bench {

// Where training steps and plain forwards are measured: a model with its weights.
struct BenchModel : BuiltModel {
  ParameterStore store;
  at::ScalarType dtype;  // that forwards compute in
};

// `name` is a path, or one of opt-125m, opt-1.3b, opt-2.7b, opt-6.7b, opt-13b, opt-30b, opt-66b.
// `peft`: a PEFT mode by its component id, as it is without settings. A quantised storage is for
// weights that do not train; of a path it must be what most of the file's weights have.
BenchModel make_model(const std::string& name, const Registry& registry, at::Device device,
                      const StorageType& storage, at::ScalarType dtype, const std::string& peft);

// Random sequences. Last: each is a context whose last row decides between two one-token options.
// Every: each token is predicted from those before it (teacher forcing).
enum class Scored { last, every };
struct BatchShape {
  int batch = 16, length = 64;
  Scored what = Scored::last;
  bool ragged = false;  // lengths from a quarter of `length` up to it, unlike in each batch
};
std::vector<Question> make_batch(const BenchModel& model, const BatchShape& shape, unsigned seed);

// Mean cross-entropy at each stream.
std::vector<double> losses(const BenchModel& model, ParameterSource& source,
                           const std::vector<Question>& batch);

}  // namespace mezo::bench
