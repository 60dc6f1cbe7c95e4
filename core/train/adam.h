#pragma once
// Adam with decoupled weight decay (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1; Loshchilov
// and Hutter 2019, arXiv 1711.05101, algorithm 2), in fp32 on leaves of autograd's. With its two
// moments and the gradients it takes three times the memory of what trains.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"
#include "core/config/parameter.h"
#include "core/config/parameters.h"

namespace mezo {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  double max_norm =
      0;  // > 0: a gradient whose norm, over all leaves, is larger is scaled down to it
};

// The settings of `optimizer.type: adam`, and what they say.
MEZO_API std::span<const mezo_parameter> adam_settings();
MEZO_API AdamOptions adam_options(const Parameters& own, double weight_decay);

class MEZO_API Adam {
 public:
  struct Trained {
    at::Tensor leaf;  // fp32
    bool decays;
  };
  Adam(std::vector<Trained> trained, const AdamOptions& options);

  // One step along the leaves' gradients; a leaf without one stays. False, and nothing is changed,
  // where a gradient is not finite.
  bool step(double learning_rate);

  void forget_gradients();

  // Of gradients and moments.
  std::int64_t bytes() const;

 private:
  // By what gradients are multiplied; not finite where they are not.
  double scale_of_gradients() const;

  struct State {
    Trained trained;
    at::Tensor mean, square;
  };
  std::vector<State> states_;
  AdamOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace mezo
