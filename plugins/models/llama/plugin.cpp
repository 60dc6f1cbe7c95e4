// The families of this plugin.
#include "core/plugin/component.h"
#include "variant.h"

namespace {

template <const decoder::Variant& variant>
constexpr mezo_component family(const char* id, const char* summary, const char* const* serves) {
  return mezo::component<decoder::Family<variant>, mezo::ModelFamily>(MEZO_MODEL, id, summary,
                                                                      nullptr, serves);
}

constexpr const char* llama[] = {"LlamaForCausalLM", "LlamaModel", "model_type:llama", "gguf:llama",
                                 nullptr};
constexpr const char* mistral[] = {"MistralForCausalLM", "MistralModel", "model_type:mistral",
                                   nullptr};
constexpr const char* qwen2[] = {"Qwen2ForCausalLM", "Qwen2Model", "model_type:qwen2", "gguf:qwen2",
                                 nullptr};
constexpr const char* qwen3[] = {"Qwen3ForCausalLM", "Qwen3Model", "model_type:qwen3", "gguf:qwen3",
                                 nullptr};
constexpr const char* smollm3[] = {"SmolLM3ForCausalLM", "SmolLM3Model", "model_type:smollm3",
                                   "gguf:smollm3", nullptr};
constexpr const char* gemma2[] = {"Gemma2ForCausalLM", "Gemma2Model", "model_type:gemma2",
                                  "gguf:gemma2", nullptr};
constexpr const char* gemma3[] = {"Gemma3ForCausalLM", "Gemma3TextModel", "model_type:gemma3_text",
                                  "gguf:gemma3", nullptr};

constexpr mezo_component components[] = {
    family<decoder::llama>("llama", "LLaMA, SmolLM2 and others of their architecture", llama),
    family<decoder::mistral>("mistral", "Mistral: LLaMA with a window", mistral),
    family<decoder::qwen2>("qwen2", "Qwen2 and Qwen2.5, the dense ones", qwen2),
    family<decoder::qwen3>("qwen3", "Qwen3, the dense ones", qwen3),
    family<decoder::smollm3>("smollm3", "SmolLM3: LLaMA with layers that do not rotate", smollm3),
    family<decoder::gemma2>("gemma2", "Gemma 2", gemma2),
    family<decoder::gemma3>("gemma3", "Gemma 3, of text alone", gemma3)};

}  // namespace

MEZO_PLUGIN("llama", "1.1.0", "LLaMA and the language models that descend from it", "MIT",
            components)
