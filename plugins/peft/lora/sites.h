#pragma once
// Where LoRA stands in a model: its linear maps, and those that the targets of the settings name.

#include <span>
#include <string>
#include <vector>

#include "core/model/declaration.h"

namespace lora {

// One linear map with its A [rank, in] and B [out, rank].
struct Site {
  std::string module;  // "model.layers.0.self_attn.q_proj"
  mezo::Parameter weight;
  std::int64_t in = 0, out = 0, rank = 0;
  double alpha = 0;
  mezo::Layout layout = mezo::Layout::out_in;
  mezo::Parameter a, b;
};

struct Chosen {
  std::vector<Site> sites;           // in the model's order
  std::vector<std::string> targets;  // as the peft package's target_modules would say it
  std::vector<std::string> counts;   // "30 q_proj"
};

// Every linear map of the model but the vocabulary head, in its order; without rank and alpha.
std::vector<Site> linear_maps(std::span<const mezo::ParameterSpec> parameters);

// "30 q_proj", "30 v_proj".
std::vector<std::string> counts_of(const std::vector<Site>& sites);

// Throws ConfigError for a target that matches no linear map, with what was probably meant.
Chosen sites_of_targets(const std::vector<std::string>& targets, std::int64_t rank, double alpha,
                        std::span<const mezo::ParameterSpec> parameters);

std::string summary(const Chosen& chosen, std::int64_t rank, double alpha, std::int64_t elements);

}  // namespace lora
