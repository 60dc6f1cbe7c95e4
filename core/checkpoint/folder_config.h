#pragma once
// The config.json of an exported model: the base folder's own, or made for a model that came from a
// GGUF file.

#include <optional>
#include <string>

#include "core/checkpoint/load_model.h"
#include "core/io/dtype.h"

namespace mezo {

// The text of `path`, a config.json, byte for byte; with `dtype` the type of the weights in it is
// that, under the key that the file has for it, and `untied` says that the head is not tied. What
// it says about quantised weights is left out, and without `dtype` `prevailing` then is the type.
// Throws ModelError where it cannot be read.
std::string copied_config(const std::string& path, std::optional<DType> dtype, DType prevailing,
                          bool untied);

// As the model's family says (ModelFamily::folder_config), with the special tokens' ids and
// `dtype`, which transformers loads the model in. Throws ModelError where the family does not say.
std::string made_config(const LoadedModel& model, DType dtype);

}  // namespace mezo
