#include "core/checkpoint/quantised_folder.h"

#include "core/checkpoint/normal_float.h"
#include "core/io/safetensors.h"

namespace mezo {

namespace {

const std::string key = quantisation_key;

}  // namespace

void refuse_quantisation(const ModelConfig& config) {
  if (!config.has(key)) return;
  const auto text = [&](const char* of) { return config.text(key + "." + of, ""); };
  const std::string method = text("quant_method"), type = text("bnb_4bit_quant_type");
  constexpr const char* known =
      "; only 4 bits of bitsandbytes in type nf4 can be read, or the model before it was quantised";
  if (method != "bitsandbytes")
    config.refuse(key + ".quant_method", "weights quantised by " +
                                             (method.empty() ? "what it does not say" : method) +
                                             " cannot be read" + known);
  if (!config.boolean(key + ".load_in_4bit", false))
    config.refuse(key + ".load_in_4bit", std::string("weights in 8 bits cannot be read") + known);
  if (type != "nf4")
    config.refuse(key + ".bnb_4bit_quant_type",
                  "weights of type " + (type.empty() ? "fp4" : type) + " cannot be read" + known);
}

TensorFile folder_weights(const std::string& folder, const ModelConfig& config) {
  TensorFile tensors = load_safetensors_folder(folder);
  if (!config.has(key)) return tensors;
  refuse_quantisation(config);
  return with_normal_floats(tensors, folder);
}

}  // namespace mezo
