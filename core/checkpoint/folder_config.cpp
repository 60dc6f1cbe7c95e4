#include "core/checkpoint/folder_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/checkpoint/quantisation_keys.h"
#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/mapped_file.h"
#include "core/plugin/create.h"

namespace mezo {
namespace {

using Json = nlohmann::ordered_json;  // keys stay where they are

const char* torch_name(DType dtype) {
  if (dtype == DType::F16) return "float16";
  if (dtype == DType::BF16) return "bfloat16";
  return "float32";
}

// Older files say torch_dtype, newer ones dtype; a file that says neither gets the one that both
// old and new versions of transformers read.
void set_dtype(Json& config, DType dtype) {
  if (config.contains("dtype")) config["dtype"] = torch_name(dtype);
  if (config.contains("torch_dtype") || !config.contains("dtype"))
    config["torch_dtype"] = torch_name(dtype);
}

Json id_of(const std::optional<std::int32_t>& id) { return id ? Json(*id) : Json(nullptr); }

}  // namespace

std::string copied_config(const std::string& path, std::optional<DType> dtype, DType prevailing,
                          bool untied) {
  const MappedFile file(path);
  const std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  Json config = json_of<ModelError, Json>(text, "[" + path + "]");
  if (!config.is_object()) throw ModelError(fmt::format("[{}] expected a JSON object", path));
  if (const auto at = config.find(quantisation_key); at != config.end() && !at->is_null()) {
    config.erase(at);
    if (!dtype) dtype = prevailing;
  }
  if (!dtype && !untied) return text;
  if (untied) config["tie_word_embeddings"] = false;
  if (dtype) set_dtype(config, *dtype);
  return config.dump(2) + "\n";
}

std::string made_config(const LoadedModel& model, DType dtype) {
  const auto of_family = guard(
      model.network.family, [&] { return model.family->folder_config(model.config); },
      "describing the model");
  if (!of_family)
    throw ModelError(fmt::format(
        "[{}] the {} family cannot be written as a Hugging Face folder from a GGUF file",
        model.path, model.network.family.id()));
  Json config = {{"architectures", Json::array({of_family->architecture})},
                 {"model_type", of_family->model_type},
                 {"torch_dtype", torch_name(dtype)}};
  for (const FolderConfig::Key& key : of_family->keys)
    if (model.config.has(key.source)) config[key.name] = Json::parse(model.config.json(key.source));
  const Tokenizer::SpecialIds& special = model.tokenizer.special();
  config["bos_token_id"] = id_of(special.bos);
  config["eos_token_id"] = id_of(special.eos);
  config["pad_token_id"] = id_of(special.pad);
  return config.dump(2) + "\n";
}

}  // namespace mezo
