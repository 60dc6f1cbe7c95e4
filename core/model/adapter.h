#pragma once
// What a PEFT mode adds to a model: small tensors of its own, and what they do to a forward. A
// model plugin knows nothing of it: the host calls an adapter behind Ops
// (core/forward/stream_ops.h), where the base's matrices are shared by all streams and only the
// adapter's tensors differ from stream to stream. Written by PEFT plugins (plugins/peft/lora is a
// complete example); one object serves one model.
// Methods are called one at a time by the thread that runs a forward; work inside them may be
// shared out with torch's own threads.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/model/declaration.h"
#include "core/model/parameter_source.h"

namespace mezo {

// What a layer's attention() is called with.
struct AttentionShape {
  std::int64_t heads = 0, kv_heads = 0;
  std::int64_t width = 0;  // of a head's key, and of its value
};

// Keys and values of one layer.
struct KeysValues {
  at::Tensor keys, values;
};

// How an adapter's tensors get their first values; given to Adapter::start(). What is drawn is a
// pure function of the run's seed and the tensor's name, the same on every machine.
class MEZO_API AdapterStart {
 public:
  virtual ~AdapterStart();

  // As many values as the tensor has elements, in the order of its shape: std::logic_error
  // otherwise.
  virtual void write(Parameter, std::span<const float> values) = 0;
  virtual void write_uniform(Parameter, float bound) = 0;     // in [-bound, bound)
  virtual void write_normal(Parameter, float deviation) = 0;  // mean 0

  // Tokens of the model's vocabulary, each equally likely.
  virtual std::vector<std::int32_t> random_tokens(std::int64_t count) = 0;

  // What each layer's attention is given for these tokens as one sequence, by the base alone:
  // keys and values [tokens, kv heads, width] in fp32 on the host. Costs a forward.
  virtual std::vector<KeysValues> activations(std::span<const std::int32_t> tokens) = 0;
};

// The values that an adapter's tensor has now, in the order of its shape.
using AdapterReader = std::function<std::vector<float>(Parameter)>;

// An adapter as the peft package keeps it: adapter_config.json and the tensors of
// adapter_model.safetensors (core/checkpoint/peft_folder.h writes and reads them).
struct PeftFiles {
  struct Tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  std::string config;  // JSON; the host adds the base and the task_type
  std::vector<Tensor> tensors;
};

class MEZO_API Adapter {
 public:
  virtual ~Adapter();

  // Lines for the user, the first one a summary: "rank 8 on 60 linear maps: 30 q_proj, 30 v_proj".
  virtual std::vector<std::string> notes() const = 0;

  // Gives every tensor that the adapter declared its first value.
  virtual void start(AdapterStart&) const = 0;

  // Changes y [R, out], what the base's map made of x [R, in] (its bias included), in place or by
  // another tensor in its stead. Rows are stream-major: R is a multiple of source.streams(). Called
  // for every map but the vocabulary head.
  virtual void linear(ParameterSource& source, const Linear& map, const at::Tensor& x,
                      at::Tensor& y) const;

  // What every sequence of a stream sees before its own keys and values, through a window only with
  // a position_shift(): [S or 1, length, kv heads, width] in source.dtype(). Nothing: no prefix.
  virtual std::optional<KeysValues> prefix(ParameterSource& source, int layer) const;

  // By how much the tokens' positions are shifted.
  virtual std::int64_t position_shift() const { return 0; }

  // Adds to `weights`, those of base parameter p in its shape's order, what the adapter does to
  // them. An adapter that is no change of weights has a reason in `refuses_merge`.
  virtual void merge(Parameter p, std::span<float> weights, const AdapterReader& read) const;
  virtual std::optional<std::string> refuses_merge() const { return "it has no merge()"; }

  // For the peft package. Where the package would compute something else, `refuses_peft` says why;
  // such files name a peft_type of their own, which it does not know, and serve mezo alone.
  virtual PeftFiles peft_files(const AdapterReader& read) const;
  virtual std::optional<std::string> refuses_peft() const { return "it has no peft_files()"; }
  // Why not even mezo could read them again.
  virtual std::optional<std::string> refuses_files() const { return refuses_peft(); }
};

}  // namespace mezo
