#include "decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/scalar_tensor.h>

#include <string>

namespace decoder {

Decoder::Decoder(Description description, mezo::Declaration& declare)
    : is_(std::move(description)) {
  embedding_ = declare.embedding("model.embed_tokens", is_.vocabulary, is_.hidden);
  for (std::size_t i = 0; i < is_.layers.size(); ++i)
    layers_.push_back(declare_layer(declare, static_cast<std::int64_t>(i)));
  norm_ = declare_norm(declare, "model.norm", is_.hidden);
  head_ = is_.tied ? declare.tied_head(embedding_)
                   : declare.vocabulary_head("lm_head", is_.hidden, is_.vocabulary, false);
}

mezo::Norm Decoder::declare_norm(mezo::Declaration& declare, const std::string& module,
                                 std::int64_t width) const {
  return declare.rms_norm(module, width, is_.gain_offset);
}

// Where blocks have norms behind them too, transformers calls the one before the feed-forward block
// otherwise, and gives its name to the one behind attention.
Decoder::Layer Decoder::declare_layer(mezo::Declaration& declare, std::int64_t number) const {
  const std::string at = "model.layers." + std::to_string(number) + ".";
  const std::int64_t hidden = is_.hidden, queries = is_.heads * is_.width,
                     keys = is_.kv_heads * is_.width;
  Layer layer;
  layer.attention_norm = declare_norm(declare, at + "input_layernorm", hidden);
  layer.q = declare.linear(at + "self_attn.q_proj", hidden, queries, is_.qkv_bias);
  layer.k = declare.linear(at + "self_attn.k_proj", hidden, keys, is_.qkv_bias);
  layer.v = declare.linear(at + "self_attn.v_proj", hidden, keys, is_.qkv_bias);
  layer.o = declare.linear(at + "self_attn.o_proj", queries, hidden, is_.output_bias);
  if (is_.head_norms) {
    layer.q_norm = declare_norm(declare, at + "self_attn.q_norm", is_.width);
    layer.k_norm = declare_norm(declare, at + "self_attn.k_norm", is_.width);
  }
  const mezo::Norm norm = declare_norm(declare, at + "post_attention_layernorm", hidden);
  layer.feed_forward_norm = norm;
  if (is_.outer_norms) {
    layer.after_attention = norm;
    layer.feed_forward_norm = declare_norm(declare, at + "pre_feedforward_layernorm", hidden);
    layer.after_feed_forward = declare_norm(declare, at + "post_feedforward_layernorm", hidden);
  }
  layer.gate = declare.linear(at + "mlp.gate_proj", hidden, is_.inner, is_.mlp_bias);
  layer.up = declare.linear(at + "mlp.up_proj", hidden, is_.inner, is_.mlp_bias);
  layer.down = declare.linear(at + "mlp.down_proj", is_.inner, hidden, is_.mlp_bias);
  return layer;
}

at::Tensor Decoder::hidden(mezo::Ops& ops, const mezo::Batch& batch) const {
  at::Tensor x = ops.embedding(embedding_, batch.ids);
  if (is_.embedding_scale != 1)
    x = x * at::scalar_tensor(is_.embedding_scale, at::kFloat).to(x.scalar_type()).item();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    x = ops.enter_layer(static_cast<int>(i), x);
    const at::Tensor seen = attend(ops, i, normed(ops, layer.attention_norm, x));
    x = still_read(ops, i, x) + normed(ops, layer.after_attention, seen);
    x = x + normed(ops, layer.after_feed_forward,
                   feed_forward(ops, layer, normed(ops, layer.feed_forward_norm, x)));
  }
  return normed(ops, norm_, x);
}

at::Tensor Decoder::head(mezo::Ops& ops, const at::Tensor& rows) const {
  const at::Tensor logits = ops.linear(head_, rows);
  return is_.logit_cap == 0 ? logits : (logits / is_.logit_cap).tanh() * is_.logit_cap;
}

at::Tensor Decoder::normed(mezo::Ops& ops, const mezo::Norm& norm, const at::Tensor& x) const {
  return norm.gain ? ops.rms_norm(norm, x, is_.norm_epsilon) : x;
}

at::Tensor Decoder::still_read(mezo::Ops& ops, std::size_t number, const at::Tensor& x) const {
  return number + 1 == layers_.size() ? ops.still_read(x) : x;
}

at::Tensor Decoder::attend(mezo::Ops& ops, std::size_t number, const at::Tensor& h) const {
  const Layer& layer = layers_[number];
  const LayerKind& kind = is_.layers[number];
  const auto heads_of = [&](const mezo::Linear& map, const at::Tensor& x, std::int64_t heads) {
    return ops.linear(map, x).view({x.size(0), heads, is_.width});
  };
  const auto placed = [&](const mezo::Norm& norm, const at::Tensor& heads) {
    const at::Tensor x = normed(ops, norm, heads);
    return kind.rotary ? ops.rope(x, *kind.rotary) : x;
  };
  const at::Tensor asking = still_read(ops, number, h);
  const at::Tensor q = placed(layer.q_norm, heads_of(layer.q, asking, is_.heads)),
                   k = placed(layer.k_norm, heads_of(layer.k, h, is_.kv_heads)),
                   v = heads_of(layer.v, h, is_.kv_heads);
  const at::Tensor seen = ops.attention(static_cast<int>(number), q, k, v,
                                        {is_.attention_scale, true, kind.window, is_.score_cap});
  return ops.linear(layer.o, seen.view({asking.size(0), is_.heads * is_.width}));
}

at::Tensor Decoder::feed_forward(mezo::Ops& ops, const Layer& layer, const at::Tensor& h) const {
  const at::Tensor gate = ops.linear(layer.gate, h);
  return ops.linear(layer.down, is_.activation(gate) * ops.linear(layer.up, h));
}

}  // namespace decoder
