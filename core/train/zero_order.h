#pragma once
// MeZO's step: the objective at perturbed copies of the weights, as the estimator asks for them,
// and the update that follows.

#include "core/forward/network.h"
#include "core/generate/generator.h"
#include "core/task/objective.h"
#include "core/train/step_maker.h"
#include "core/zo/step.h"

namespace mezo {

struct ChosenObjective {
  std::shared_ptr<const Objective> objective;
  Component component;    // that answers for it
  bool of_texts = false;  // whether the task's answers are texts
};

// What it reads of answers of its task.
MEZO_API Needs needs_of(const ChosenObjective& objective);

class MEZO_API ZeroOrderStep : public StepMaker {
 public:
  // `micro_batch`: examples a forward; 0: the whole batch. The objective sees all of them at once.
  // `generator`: who writes texts, where the objective needs them.
  // Keeps references.
  ZeroOrderStep(const Network& network, const ChosenObjective& objective, ExactWeights& weights,
                Estimator& estimator, std::uint32_t micro_batch, Generator* generator = nullptr)
      : network_(network),
        objective_(objective),
        weights_(weights),
        estimator_(estimator),
        micro_batch_(micro_batch),
        generator_(generator) {}

  StepOutcome step(std::uint32_t step, double learning_rate,
                   std::span<const Question* const> batch) override;

 private:
  // Of one batch: what is asked of it and what is right, for every forward of a step.
  struct Asked {
    std::span<const Question* const> questions;
    Needs needs;
    Targets targets;
    std::uint32_t step = 0;
  };
  std::vector<double> losses(ParameterSource& source, const Asked& batch) const;

  const Network& network_;
  const ChosenObjective& objective_;
  ExactWeights& weights_;
  Estimator& estimator_;
  std::uint32_t micro_batch_;
  Generator* generator_;
};

}  // namespace mezo
