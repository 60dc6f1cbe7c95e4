#pragma once
// How a model plugin names its parameters. While it is built, a model declares each of them once,
// by its canonical Hugging Face name, and keeps the small handles that it gets back; afterwards it
// touches parameters only by giving a handle to Ops (core/model/ops.h). Where the numbers are, in
// which type, and whether they are being perturbed, is the host's affair.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"

namespace mezo {

// What a parameter is for; the host decides by it how it is stored and perturbed.
enum class Role {
  embedding,  // [entries, width], touched row by row
  matrix,     // of a linear map
  vector,     // one-dimensional: norm gains, biases and others
  adapter     // small, of any shape: what a PEFT mode adds to the model
};

// What a storage type is chosen for; the others are kept in fp32.
constexpr bool is_matrix(Role role) { return role == Role::embedding || role == Role::matrix; }

// How a matrix lies in memory: Hugging Face's linear layers are [out, in]; GPT-2's Conv1D is [in,
// out].
enum class Layout { out_in, in_out };

// A declared parameter. Handles are indices: cheap to copy, meaningless for another model. index <
// 0: none (no bias).
struct Parameter {
  int index = -1;
  explicit operator bool() const { return index >= 0; }
};

struct ParameterSpec {
  std::string name;  // as transformers' state_dict() has it, for example
                     // "model.layers.0.mlp.up_proj.weight"
  std::vector<std::int64_t> shape;
  Role role = Role::matrix;
  Layout layout = Layout::out_in;

  MEZO_API std::int64_t elements() const;
};

struct Embedding {
  Parameter weight;
};

struct Linear {
  Parameter weight;
  Parameter bias;
  Layout layout = Layout::out_in;
  // The rows of this map are vocabulary entries: Ops::linear may return only the columns of those
  // that the host needs.
  bool vocabulary = false;
};

struct Norm {
  Parameter gain;
  Parameter bias;
  // Added to the gain where the norm is computed, in fp32. Gemma stores by how much its gains
  // differ from 1, so the parameter, and what perturbs and updates it, is that difference.
  double offset = 0;
};

// Names below are module names without ".weight" or ".bias". Declaring a name twice throws
// std::logic_error.
class MEZO_API Declaration {
 public:
  Embedding embedding(const std::string& module, std::int64_t entries, std::int64_t width);
  Linear linear(const std::string& module, std::int64_t in, std::int64_t out, bool bias,
                Layout layout = Layout::out_in);
  Norm rms_norm(const std::string& module, std::int64_t width, double offset = 0);
  Norm layer_norm(const std::string& module, std::int64_t width);
  // The output head: of its own, or tied to an embedding (the same parameter; it is trained once).
  Linear vocabulary_head(const std::string& module, std::int64_t in, std::int64_t entries,
                         bool bias);
  // `bias`: the whole name of one of its own, as masked models have ("lm_head.bias"); empty: none.
  Linear tied_head(Embedding embedding, const std::string& bias = "");

  // A vector [size] by its whole name, for Ops::add and Ops::scale.
  Parameter vector(std::string name, std::int64_t size);

  // A tensor that a PEFT mode adds (core/model/adapter.h), under a name of its own.
  Parameter adapter(std::string name, std::vector<std::int64_t> shape);

  std::span<const ParameterSpec> parameters() const { return parameters_; }

  // The embedding that a head was tied to, if one was.
  Parameter tied() const { return tied_; }

 private:
  Parameter add(std::string name, std::vector<std::int64_t> shape, Role role,
                Layout layout = Layout::out_in);
  std::vector<ParameterSpec> parameters_;
  Parameter tied_;
};

}  // namespace mezo
