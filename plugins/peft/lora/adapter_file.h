#pragma once
// LoRA adapters as the peft package keeps them. Whatever a folder says or holds is used as there,
// or refused: nothing of it is left out.

#include <memory>
#include <span>
#include <string>

#include "core/checkpoint/peft_folder.h"
#include "plugins/peft/lora/sites.h"

namespace lora {

// Throws ConfigError for a folder that holds no LoRA, ModelError for one that does what plain LoRA
// does not.
std::shared_ptr<const mezo::PeftFolder> open_adapter(const std::string& folder);

// The maps that the folder's configuration names, with the rank and alpha that it says. Throws
// ModelError where its tensors are not exactly theirs.
Chosen sites_of_adapter(const mezo::PeftFolder& folder,
                        std::span<const mezo::ParameterSpec> parameters);

// "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", for which = 'A'.
std::string file_name(const Site& site, char which);

}  // namespace lora
