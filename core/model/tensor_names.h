#pragma once
// How weight files call a family's tensors. A model declares its parameters by the names that
// transformers' state_dict() has for its architecture; files were written from the base class, by
// older versions or by llama.cpp, and call some of them otherwise. Reading a model and exporting it
// go by the same list; what is written has the declared names.

#include <cstdint>
#include <string>
#include <vector>

namespace mezo {

enum class FileKind { safetensors, gguf };

struct TensorNames {
  // In patterns, * stands for any text.
  struct Alias {
    std::string file;  // "blk.*.attn_q.*"
    std::string name;  // "model.layers.*.self_attn.q_proj.*": each * as the one of `file`
    // llama.cpp's converter reorders the rows of query and key projections for its rotary layout;
    // the number of heads, if above 0, undoes that.
    std::int64_t rotary_heads = 0;
    bool transposed = false;  // the file's matrices have rows and columns exchanged
    // The file's numbers are the model's plus this: 1 of Gemma's norms in GGUF. Of vectors only.
    double added = 0;
  };
  std::vector<Alias> aliases;  // the first that fits a tensor; where none does, its name is its own

  // Begins the declared names and may be absent in a file: "model." where a model was saved from
  // its base class, "decoder.layers.0…" for "model.decoder.layers.0…".
  std::string optional_prefix = {};

  // Patterns of tensors that hold no weights, such as "*.rotary_emb.inv_freq": passed over, where
  // others that the model does not declare are told to the user.
  std::vector<std::string> ignored = {};

  // One parameter under two names, of which a model declares either. A file may have both: the
  // first is what counts then, as in transformers. An export has both where the file had, or where
  // the model declares the first.
  struct Synonym {
    std::string first, second;  // "lm_head.decoder.bias", "lm_head.bias"
  };
  std::vector<Synonym> synonyms = {};
};

}  // namespace mezo
