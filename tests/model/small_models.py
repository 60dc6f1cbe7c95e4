"""Small random models of every shape that a family has, as folders that transformers wrote."""

import json

from scores import MASKED, QUESTIONS, SPECIAL, Question, masked_tokenizer, torch, train_tokenizer, transformers


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
    "as OPT-350m: norms behind, narrow embeddings": dict(do_layer_norm_before=False, word_embed_proj_dim=24),
    "wide embeddings, a head of its own, gelu": dict(word_embed_proj_dim=80, tie_word_embeddings=False, activation_function="gelu"),
    "no norm at the end": dict(_remove_final_layer_norm=True),
}


def as_published(config):
    """What the files of GPT-2's authors leave to defaults."""
    for key in ("tie_word_embeddings", "scale_attn_weights", "reorder_and_upcast_attn", "n_inner", "activation_function"):
        config.pop(key, None)


GPT2 = {
    "tied": dict(cut=True),
    "a head of its own, an inner width of 72": dict(tie_word_embeddings=False, n_inner=72),
    "relu, epsilon 1e-3": dict(activation_function="relu", layer_norm_epsilon=1e-3),
    "scores that are scaled by layer, and not by width": dict(scale_attn_by_inverse_layer_idx=True, scale_attn_weights=False),
    "only the keys without a default, 30 positions": dict(n_positions=30, rewrite=as_published),
    "fp16, shards": dict(dtype=torch.float16, shards="40KB"),
    "bf16, <s> first": dict(dtype=torch.bfloat16, start=True),
}

YARN = {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 32, "rope_theta": 1000.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
          "rope_theta": 500.0}
LLAMA["llama3, tied"] = dict(rope_parameters=LLAMA3, tie_word_embeddings=True)
LLAMA["yarn"] = dict(rope_parameters=YARN)
MISTRAL = {
    "a window of 8": dict(sliding_window=8, cut=True),
    "no window, head_dim not hidden / heads": dict(sliding_window=None, head_dim=24),
    "a window that its file does not say, tied, bf16": dict(tie_word_embeddings=True, dtype=torch.bfloat16,
                                                            rewrite=lambda config: config.pop("sliding_window")),
}
QWEN2 = {
    "no window, tied": dict(tie_word_embeddings=True, cut=True),
    "a window of 8 from layer 1 on, yarn": dict(use_sliding_window=True, sliding_window=8, max_window_layers=1, rope_parameters=YARN),
    "a window in layer 0 alone": dict(use_sliding_window=True, sliding_window=8, layer_types=["sliding_attention", "full_attention"]),
    "a window that is not used, fp16, shards": dict(sliding_window=8, max_window_layers=0, dtype=torch.float16, shards="40KB",
                                                    rewrite=lambda config: config.pop("layer_types")),
}
QWEN3 = {
    "heads of 24, tied": dict(tie_word_embeddings=True, cut=True),
    "biases, heads of hidden / heads": dict(attention_bias=True, head_dim=16),
    "heads of 128 that its file does not say": dict(head_dim=128, num_attention_heads=2, rewrite=lambda config: config.pop("head_dim")),
    "a window of 8, bf16": dict(use_sliding_window=True, sliding_window=8, max_window_layers=1, dtype=torch.bfloat16),
}
SMOLLM3 = {
    "each fourth layer does not rotate": dict(cut=True),
    "a head of its own, biases, a base that its file does not say": dict(
        tie_word_embeddings=False, attention_bias=True, mlp_bias=True, rewrite=lambda config: [config.pop(k) for k in ("rope_parameters", "no_rope_layers")]),
    "a window of 8 where layers do not rotate": dict(num_hidden_layers=3, no_rope_layers=[1, 0, 0], use_sliding_window=True, sliding_window=8),
}
GEMMA2 = {
    "caps that are felt": dict(attn_logit_softcapping=1.5, final_logit_softcapping=2.0, cut=True),
    "what its file does not say": dict(sliding_window=4096, head_dim=256, num_attention_heads=1, num_key_value_heads=1, query_pre_attn_scalar=256, rewrite=lambda config: [
        config.pop(k) for k in ("head_dim", "query_pre_attn_scalar", "sliding_window", "attn_logit_softcapping", "final_logit_softcapping",
                                "layer_types", "rope_parameters")]),
    "no caps, biases, a head of its own, another scale": dict(query_pre_attn_scalar=20, attn_logit_softcapping=None, final_logit_softcapping=None, attention_bias=True,
                                               tie_word_embeddings=False, layer_types=["full_attention", "sliding_attention"]),
    "bf16, shards": dict(dtype=torch.bfloat16, shards="40KB"),
}


def older_gemma3(config):
    rope = config.pop("rope_parameters")
    for key in ("layer_types", "_sliding_window_pattern"):
        config.pop(key, None)
    config.update(rope_theta=rope["full_attention"]["rope_theta"], rope_local_base_freq=rope["sliding_attention"]["rope_theta"],
                  rope_scaling={"rope_type": "linear", "factor": 8.0}, sliding_window_pattern=2)


def two_bases(full=None, sliding=None):
    return {"full_attention": {"rope_type": "default", "rope_theta": 5000.0, **(full or {})},
            "sliding_attention": {"rope_type": "default", "rope_theta": 300.0, **(sliding or {})}}


GEMMA3 = {
    "five layers with a window of 8, one without": dict(num_hidden_layers=6, cut=True),
    "as older files spell it": dict(num_hidden_layers=4, sliding_window_pattern=2, rewrite=older_gemma3,
                                    rope_parameters=two_bases({"rope_type": "linear", "factor": 8.0})),
    "a cap, biases, a head of its own, two bases, another scale": dict(query_pre_attn_scalar=9, layer_types=["full_attention", "sliding_attention"], final_logit_softcapping=2.0,
                                                        attention_bias=True, tie_word_embeddings=False,
                                                        rope_parameters=two_bases({**YARN, "rope_theta": 900.0}, {"rope_theta": 40.0})),
    "bf16": dict(dtype=torch.bfloat16),
}

def pythia(config):
    rope = config.pop("rope_parameters")
    config.update(rotary_pct=rope["partial_rotary_factor"], rotary_emb_base=int(rope["rope_theta"]))
    config.pop("attention_bias")


GPT_NEOX = {
    "parallel blocks": dict(cut=True),
    "one block behind the other, tied, gelu_fast": dict(use_parallel_residual=False, tie_word_embeddings=True, hidden_act="gelu_fast"),
    "as Pythia's files spell it, fp16": dict(rewrite=pythia, dtype=torch.float16, rope_parameters={
        "rope_type": "default", "rope_theta": 300.0, "partial_rotary_factor": 0.5}),
    "no keys with a default, shards": dict(shards="40KB", rewrite=lambda config: [config.pop(k) for k in (
        "rope_parameters", "attention_bias", "use_parallel_residual", "hidden_act", "layer_norm_eps", "tie_word_embeddings")]),
    "whole heads, scaled, no biases, bf16": dict(attention_bias=False, dtype=torch.bfloat16, rope_parameters={
        "rope_type": "linear", "factor": 4.0, "rope_theta": 300.0, "partial_rotary_factor": 1.0}),
    "yarn of half a head": dict(rope_parameters={**YARN, "partial_rotary_factor": 0.5}),
}


def older_bert(config):
    """As files of before transformers 5 are."""
    config.pop("tie_word_embeddings", None)
    config.update(position_embedding_type="absolute", gradient_checkpointing=False)


BERT = {
    "tied": {},
    "a head of its own": dict(tie_word_embeddings=False),
    "relu, epsilon 1e-3": dict(hidden_act="relu", layer_norm_eps=1e-3),
    "gelu_new, one layer and head": dict(hidden_act="gelu_new", num_hidden_layers=1, num_attention_heads=1),
    "as older files are, fp16": dict(rewrite=older_bert, dtype=torch.float16),
    "bf16, 3 types, shards": dict(dtype=torch.bfloat16, type_vocab_size=3, shards="40KB"),
}
ENCODER = dict(hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=600)
DECODER = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
               max_position_embeddings=2048)
GEMMA = dict(**DECODER, head_dim=24, query_pre_attn_scalar=24, sliding_window=8)

# Of each family: its shapes, what they have in common, and transformers' classes.
FAMILIES = {
    "llama": (LLAMA, dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2),
              transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "mistral": (MISTRAL, DECODER, transformers.MistralConfig, transformers.MistralForCausalLM),
    "qwen2": (QWEN2, DECODER, transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (QWEN3, dict(**DECODER, head_dim=24), transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
    "smollm3": (SMOLLM3, dict(DECODER, num_hidden_layers=4, pad_token_id=None), transformers.SmolLM3Config, transformers.SmolLM3ForCausalLM),
    "gemma2": (GEMMA2, GEMMA, transformers.Gemma2Config, transformers.Gemma2ForCausalLM),
    "gemma3": (GEMMA3, GEMMA, transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM),
    "opt": (OPT, dict(hidden_size=64, ffn_dim=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=400),
            transformers.OPTConfig, transformers.OPTForCausalLM),
    "gpt2": (GPT2, dict(n_embd=64, n_layer=2, n_head=4, n_positions=400), transformers.GPT2Config, transformers.GPT2LMHeadModel),
    "gpt_neox": (GPT_NEOX, dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4),
                 transformers.GPTNeoXConfig, transformers.GPTNeoXForCausalLM),
    "bert": (BERT, ENCODER, transformers.BertConfig, transformers.BertForMaskedLM),
    "roberta": ({**BERT, "padding is token 4": dict(pad_token_id=4)}, dict(ENCODER, pad_token_id=1), transformers.RobertaConfig, transformers.RobertaForMaskedLM),
}


def make_model(folder, family, seed, start=False, rewrite=None, shards="1GB", dtype=torch.float32, **shape):
    """Writes a model and its tokenizer; returns what transformers reads back. `rewrite` changes config.json as a dictionary."""
    _, base, config_class, model_class = FAMILIES[family]
    tokenizer = masked_tokenizer(folder, SPECIAL[family]) if family in SPECIAL else train_tokenizer(folder, start=start)
    model = model_class(config_class(vocab_size=tokenizer.get_vocab_size() + 5, **{**base, **shape}))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # large enough that every part of the model moves the scores
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name.lower() else 0.0, 1.5 / p.shape[-1] ** 0.5 if p.dim() > 1 else 0.3, generator=draw)
    model.to(dtype).save_pretrained(folder, max_shard_size=shards)
    if rewrite:
        config = json.loads((folder / "config.json").read_text())
        rewrite(config)
        (folder / "config.json").write_text(json.dumps(config))
    assert (len(list(folder.glob("*.safetensors"))) > 1) == (shards != "1GB"), "the shards that the test is about"
    return read_model(folder, family), tokenizer


def questions_of(family):
    """Those that every model of the family can be asked."""
    return [MASKED] if family in SPECIAL else QUESTIONS[1:]


def question_of(family):
    """One of them, without the shortest prompts."""
    q = questions_of(family)[0]
    return Question(q.name, q.options, q.prompts[2:], q.template)


def whole_model(folder, family):
    """read_model() of a folder, of which no tensor is missing or left over."""
    _, info = FAMILIES[family][3].from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    return read_model(folder, family)


def read_model(folder, family):
    """The folder's model in fp32. Its attention is written out, as of the kinds that transformers has no other caps scores."""
    return FAMILIES[family][3].from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
