"""Small random models of every shape that a family has, as folders that transformers wrote."""

import json

from scores import torch, train_tokenizer, transformers


def older_rope(config):
    """As files of before transformers 5 spell it."""
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["rope_scaling"] = None


def without_defaults(config):
    for key in ("do_layer_norm_before", "_remove_final_layer_norm", "layer_norm_elementwise_affine", "word_embed_proj_dim", "enable_bias",
                "activation_function", "tie_word_embeddings"):
        config.pop(key, None)


# How sequences are laid out and cut depends on the tokenizer at most; shapes with `cut` are asked every question, whole and cut.
LLAMA = {
    "one key/value head": dict(num_key_value_heads=1, cut=True),
    "3 key/value heads of 9, tied": dict(hidden_size=72, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True),
    "as many key/value heads, one layer": dict(num_key_value_heads=4, num_hidden_layers=1),
    "biases": dict(attention_bias=True, mlp_bias=True),
    "biases, tied, <s> first": dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, start=True, cut=True),
    "head_dim not hidden / heads": dict(head_dim=24),
    "rope_theta 500": dict(rope_parameters={"rope_type": "default", "rope_theta": 500.0}, rms_norm_eps=1e-3),
    "rope_theta as older files spell it": dict(rope_parameters={"rope_type": "default", "rope_theta": 300.0}, rewrite=older_rope),
    "shards": dict(shards="40KB"),
    "fp16": dict(dtype=torch.float16),
    "bf16, tied, shards": dict(dtype=torch.bfloat16, tie_word_embeddings=True, shards="40KB"),
}
OPT = {
    "tied": dict(),
    "tied, <s> first": dict(start=True, cut=True),
    "a head of its own": dict(tie_word_embeddings=False),
    "no biases": dict(enable_bias=False),
    "no biases, a head of its own": dict(enable_bias=False, tie_word_embeddings=False),
    "one head, one layer": dict(num_attention_heads=1, num_hidden_layers=1),
    "9 heads, a narrow feed-forward block": dict(hidden_size=72, num_attention_heads=9, ffn_dim=40),
    "only the keys without a default": dict(rewrite=without_defaults),
    "30 positions": dict(max_position_embeddings=30),
    "30 positions, <s> first": dict(max_position_embeddings=30, start=True),
    "shards": dict(shards="40KB"),
    "fp16": dict(dtype=torch.float16),
    "bf16, a head of its own, shards": dict(dtype=torch.bfloat16, tie_word_embeddings=False, shards="40KB"),
}

# Of each family: its shapes, what they have in common, and transformers' classes.
FAMILIES = {
    "llama": (LLAMA, dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2),
              transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "opt": (OPT, dict(hidden_size=64, ffn_dim=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=400),
            transformers.OPTConfig, transformers.OPTForCausalLM),
}


def make_model(folder, family, seed, start=False, rewrite=None, shards="1GB", dtype=torch.float32, **shape):
    """Writes a model and its tokenizer; returns what transformers reads back. `rewrite` changes config.json as a dictionary."""
    _, base, config_class, model_class = FAMILIES[family]
    tokenizer = train_tokenizer(folder, start=start)
    model = model_class(config_class(vocab_size=tokenizer.get_vocab_size() + 5, **{**base, **shape}))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # large enough that every part of the model moves the scores
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name else 0.0, 1.5 / p.shape[-1] ** 0.5 if p.dim() > 1 else 0.3, generator=draw)
    model.to(dtype).save_pretrained(folder, max_shard_size=shards)
    if rewrite:
        config = json.loads((folder / "config.json").read_text())
        rewrite(config)
        (folder / "config.json").write_text(json.dumps(config))
    assert (len(list(folder.glob("*.safetensors"))) > 1) == (shards != "1GB"), "the shards that the test is about"
    return model_class.from_pretrained(folder, dtype=torch.float32).eval(), tokenizer
