#pragma once
// The decoder that LLaMA and its kin share: layers of an attention block and a gated feed-forward
// block, each behind an RMS norm and joined to a residual stream. A variant (variant.h) describes
// itself by the values below; nothing here knows which one it is.
//
// hidden():  x = scale * embed(ids)
//            for each layer:  x += n(o(attention(r(q(h)), r(k(h)), v(h)))),  h = rms(x)
//                             x += n(down(act(gate(h)) * up(h))),            h = rms(x)
//            rms(x)
//            r: a norm of each head, if there is one, then the rotation; n: a norm, or nothing
// head():    one matrix, the embedding's own where they are tied, and a cap of its logits
//
// Touvron et al. 2023, arXiv 2302.13971; names and arithmetic as in transformers.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/model/activation.h"
#include "core/model/model.h"

namespace decoder {

struct LayerKind {
  std::optional<mezo::Rotary> rotary;  // none: its rows do not know their positions
  std::int64_t window = 0;             // as AttentionOptions has it
};

struct Description {
  std::int64_t vocabulary = 0, hidden = 0, inner = 0, heads = 0, kv_heads = 0;
  std::int64_t width = 0;  // of a head
  std::vector<LayerKind> layers;
  bool qkv_bias = false, output_bias = false, mlp_bias = false, tied = false;
  bool head_norms = false;   // of each head's queries and keys
  bool outer_norms = false;  // of what each block gives, too
  double norm_epsilon = 0, gain_offset = 0;
  double embedding_scale = 1;  // rounded to the type of the activations
  mezo::Activation activation;
  double attention_scale = 1;
  double score_cap = 0, logit_cap = 0;  // 0: none
};

class Decoder : public mezo::Model {
 public:
  Decoder(Description description, mezo::Declaration& declare);

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override;
  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override;

 private:
  struct Layer {
    mezo::Norm attention_norm, feed_forward_norm, after_attention, after_feed_forward;
    mezo::Norm q_norm, k_norm;
    mezo::Linear q, k, v, o, gate, up, down;
  };
  Layer declare_layer(mezo::Declaration& declare, std::int64_t number) const;
  mezo::Norm declare_norm(mezo::Declaration& declare, const std::string& module,
                          std::int64_t width) const;
  at::Tensor normed(mezo::Ops& ops, const mezo::Norm& norm, const at::Tensor& x) const;
  // Of the last layer, the rows that something still reads.
  at::Tensor still_read(mezo::Ops& ops, std::size_t number, const at::Tensor& x) const;
  at::Tensor attend(mezo::Ops& ops, std::size_t number, const at::Tensor& h) const;
  at::Tensor feed_forward(mezo::Ops& ops, const Layer& layer, const at::Tensor& h) const;

  Description is_;
  mezo::Embedding embedding_;
  std::vector<Layer> layers_;
  mezo::Norm norm_;
  mezo::Linear head_;
};

}  // namespace decoder
