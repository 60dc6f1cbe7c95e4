#pragma once
// A step of first-order training, to set beside MeZO's: the objective's gradient by automatic
// differentiation through the same model plugins, and Adam along it. Activations are kept for the
// backward pass.

#include "core/forward/network.h"
#include "core/train/adam.h"
#include "core/train/chosen_objective.h"
#include "core/train/leaf_source.h"
#include "core/train/step_maker.h"

namespace mezo {

class MEZO_API FirstOrderStep : public StepMaker {
 public:
  // `trained`: a flag for each parameter of the store, of which those that train must be float32.
  // `micro_batch`: examples whose activations are kept at once; 0: the whole batch. The objective
  // sees all of them at once whatever it is, which costs a further forward. The objective must be
  // differentiable. Keeps references.
  FirstOrderStep(const Network& network, const ChosenObjective& objective, ParameterStore& store,
                 const std::vector<bool>& trained, at::ScalarType dtype, const AdamOptions& options,
                 std::uint32_t micro_batch);

  // The weights are written at once, unless the loss or a gradient is not finite.
  StepOutcome step(std::uint32_t step, double learning_rate,
                   std::span<const Question* const> batch) override;

  // Of gradients and moments.
  std::int64_t state_bytes() const { return adam_.bytes(); }

 private:
  // Both give the loss and leave its gradient in the leaves.
  double backward_at_once(std::span<const Question* const> batch);
  double backward_in_parts(std::span<const Question* const> batch);
  at::Tensor value(const Outputs& outputs, std::span<const Question* const> batch) const;

  const Network& network_;
  const ChosenObjective& objective_;
  LeafSource source_;
  Adam adam_;
  std::uint32_t micro_batch_;
};

}  // namespace mezo
