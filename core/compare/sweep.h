#pragma once
// The `sweep:` of a configuration: axes, each of several choices, and every choice some settings
// that are laid over the rest of the file. Axes multiply.
//
//   sweep:
//     method:                        # choices with names, each of any settings
//       zero-shot: {trainer.steps: 0}
//       MeZO LoRA: {peft.type: lora, optimizer: {learning_rate: 1e-4}}
//     trainer.seed: [0, 1, 2]        # one setting
//     size: {zip: {optimizer.learning_rate: [1e-6, 1e-7], optimizer.epsilon: [1e-3, 1e-2]}}
//
// Where two axes with named choices give one setting, the later axis counts: a task may have a
// learning rate of its own. A list's setting may be given nowhere else.

#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/tree.h"

namespace mezo {

struct Setting {
  std::string key;  // "optimizer.learning_rate"
  Value value;
  Mark mark;  // of the key
};

struct Choice {
  std::string label;  // "MeZO LoRA", "seed=0", "learning_rate=1e-6 epsilon=1e-3"
  std::vector<Setting> settings;
};

struct Axis {
  std::string name;
  Mark mark;
  bool named = false;  // its choices have names of their own
  std::vector<Choice> choices;

  bool sets(const std::string& key) const;
  // Its choices differ by nothing but chance: a table has the mean over them.
  bool only_seeds() const;
};

constexpr std::size_t most_cells = 10'000;

// Takes `sweep` out of the tree. Everything wrong is in `diagnostics`; settings are only checked
// once they are laid over a run.
std::vector<Axis> take_sweep(Value& tree, Diagnostics& diagnostics);

// One choice of each axis, in every combination; those of the last axis change first.
std::vector<std::vector<std::size_t>> combinations(const std::vector<Axis>& axes);

// The settings of a combination as a tree to lay over the file's.
Value overlay_of(const std::vector<Axis>& axes, const std::vector<std::size_t>& at,
                 Diagnostics& diagnostics);

}  // namespace mezo
