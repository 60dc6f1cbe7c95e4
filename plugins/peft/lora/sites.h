#pragma once
// Where LoRA stands in a model: which linear maps the targets, or an adapter folder, name.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/peft_folder.h"
#include "core/model/declaration.h"

namespace lora {

// One linear map with its A [rank, in] and B [out, rank].
struct Site {
  std::string module;  // "model.layers.0.self_attn.q_proj"
  mezo::Parameter weight;
  std::int64_t in = 0, out = 0, rank = 0;
  mezo::Layout layout = mezo::Layout::out_in;
  mezo::Parameter a, b;
};

struct Chosen {
  std::vector<Site> sites;           // in the model's order
  std::vector<std::string> targets;  // as the peft package's target_modules would say it
  std::vector<std::string> counts;   // "30 q_proj"
  std::vector<std::string> notes;
};

// Throws ConfigError for a target that matches no linear map, with what was probably meant.
Chosen sites_of_targets(const std::vector<std::string>& targets, std::int64_t rank,
                        std::span<const mezo::ParameterSpec> parameters);

// Opens an adapter of the peft package. Throws ConfigError, or ModelError for one that does what
// plain LoRA does not.
std::shared_ptr<const mezo::PeftFolder> open_adapter(const std::string& folder);

// The maps that the folder has tensors for. Throws ModelError where it has none, or the model has
// no such map or one of another shape.
Chosen sites_of_adapter(const mezo::PeftFolder& folder,
                        std::span<const mezo::ParameterSpec> parameters);

// "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", for which = 'A'.
std::string file_name(const Site& site, char which);

std::string summary(const Chosen& chosen, std::int64_t rank, double alpha, std::int64_t elements);

}  // namespace lora
