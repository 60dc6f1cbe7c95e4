#pragma once
// What an objective plugin implements: one number for each stream from what the model answered. An
// objective needs no gradient; anything that can be computed will do. plugins/objectives/accuracy
// is the shortest complete example.
//
// The host calls value() with the whole batch, however it was divided to compute it: so a measure
// that is not an average over examples (F1) is computed as it is meant. Streams whose copies of the
// weights share a forward come together; an estimator that takes them in turn has several calls a
// step, with the same targets.

#include <ATen/TensorOperators.h>  // arithmetic on tensors: a - b, a < b
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

// What is asked of a model. Each costs what it says; all of one forward are computed together.
struct Needs {
  // A number for each option, from the rows that predict its tokens.
  bool option_scores = true;
  // Whether option scores are log-probabilities, and not only up to a constant that all options of
  // one example share. Without it the head is computed for the options' entries of the vocabulary
  // alone, where each option of every example is one token and all are predicted at one row.
  bool normalised = false;
  // The log-probability of each scored token, over the whole vocabulary.
  bool token_log_likelihoods = false;
  // Text that each stream generates behind the prompt of each example, by the rules of the run's
  // generation block and its task; a task with options has none. Costs a forward of one row a text
  // for each token, and copies of the perturbed matrices meanwhile (core/generate/generator.h).
  bool texts = false;
  // Each example is asked about with its right answer as the only option, behind its prompt
  // (teacher forcing): the right option, the first of several, or of a task without options the
  // text that it teaches (docs/tasks.md). Not together with texts; causal models only.
  bool right_answer = false;
};

// What the model answered, of what was asked for; the rest is undefined or empty. Tensors are on
// the host. S streams, E examples in the order of the batch, at most O options an example, P
// options of all examples together, T scored tokens of them.
struct Outputs {
  // [S, E, O] fp32, higher is better: the mean log-probability of each option's tokens (but see
  // Needs::normalised); minus infinity where an example has fewer than O options.
  at::Tensor option_scores;
  // [S, T] fp32: example by example, in it option by option, an option's tokens in their order.
  at::Tensor token_log_likelihoods;
  // [E + 1] from 0 to P: the options of example e are option_offsets[e] .. option_offsets[e + 1].
  // Filled whatever was asked for.
  std::vector<std::int64_t> option_offsets;
  // [P + 1] from 0 to T: the tokens of option p are token_offsets[p] .. token_offsets[p + 1].
  std::vector<std::int64_t> token_offsets;
  // [S][E], UTF-8. Under streams whose logits are no numbers a text ends where that happened, and
  // the host takes NaN for what value() says of such a stream.
  std::vector<std::vector<std::string>> texts;
};

// What is right, example by example.
struct Targets {
  at::Tensor labels;  // [E] int64: the first right option's place in its example's list; -1: none
  at::Tensor right;   // [E, O] bool: which options are right; the O of Outputs::option_scores
  std::vector<std::vector<std::string>> answers;  // [E]: the texts that are right, where any are
  std::vector<std::int64_t> rows;                 // [E]: each example's place in its file, from 0
};

// Of one run one object is made. Its methods are called one at a time by the thread that trains,
// which torch's own threads may serve.
class MEZO_API Objective {
 public:
  virtual ~Objective();

  // What value() reads. Called once a step; the answer must not change within a run.
  virtual Needs needs() const { return {}; }

  // The same where the task has no options, since its answers are texts.
  virtual Needs needs_of_texts() const { return needs(); }

  // [S] fp32 or fp64, lower is better. Must not keep or change its arguments.
  virtual at::Tensor value(const Outputs&, const Targets&) const = 0;

  // Whether value() is built from differentiable tensor operations.
  virtual bool differentiable() const { return false; }
};

}  // namespace mezo
