"""What odd_files.py tries: folders that differ from what transformers would write, and the keys of its configuration classes.

A case: the arguments of make_model, `family` (llama unless it is said), `config` and `tensors`, which change what the files hold,
`after`, which changes the folder, and what to expect: `refused`, a part of the error; else transformers' scores, and a part of
what is said.
"""

import json

from scores import torch

from safetensors.torch import load_file, save_file


def setting(**values):
    return lambda config: config.update(values)


def without(*names):
    return lambda config: [config.pop(name, None) for name in names] and None


def rope(older=None, newer=None, theta=None):
    """rope_scaling, rope_parameters and rope_theta, and nothing else of the kind."""
    def change(config):
        config.pop("rope_parameters", None)
        config.update({k: v for k, v in {"rope_scaling": older, "rope_parameters": newer, "rope_theta": theta}.items() if v is not None})
    return change


def gpt2_as_published(tensors):
    """The names of the base class, and the causal mask of each layer."""
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    mask = torch.ones(1, 1, 400, 400).tril()
    return {**tensors, **{f"h.{i}.attn.bias": mask.clone() for i in range(2)}, **{f"h.{i}.attn.masked_bias": torch.tensor(-1e4) for i in range(2)}}


def renamed(cut):
    return lambda tensors: {name.removeprefix(cut): t for name, t in tensors.items()}


def own_head(tensors):
    name = next(n for n in tensors if n.endswith("embed_tokens.weight"))
    tensors["lm_head.weight"] = torch.randn(tensors[name].shape, generator=torch.Generator().manual_seed(1)) / 8


def equal_head(tensors):
    tensors["lm_head.weight"] = next(t for n, t in tensors.items() if n.endswith("embed_tokens.weight")).clone()


def head_alone(tensors):
    name = next(n for n in tensors if n.endswith("embed_tokens.weight"))
    tensors["lm_head.weight"] = tensors.pop(name)


def in_type(dtype):
    return lambda tensors: {name: t.to(dtype) for name, t in tensors.items()}


def gamma_and_beta(tensors):
    return {n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t for n, t in tensors.items()}


def with_other_heads(tensors):
    """What BERT's authors trained beside the words."""
    width = tensors["bert.embeddings.LayerNorm.weight"].shape[0]
    return {**tensors, "bert.pooler.dense.weight": torch.ones(width, width), "bert.pooler.dense.bias": torch.ones(width),
            "cls.seq_relationship.weight": torch.ones(2, width), "cls.seq_relationship.bias": torch.ones(2),
            "bert.embeddings.position_ids": torch.arange(600)[None]}


def with_both_biases(value):
    def change(tensors):
        bias = next(name for name in tensors if name in ("lm_head.bias", "cls.predictions.bias"))
        return {**tensors, bias.replace("bias", "decoder.bias"): tensors[bias] + value}
    return change


def own_decoder(tensors):
    name = "lm_head.decoder.weight" if "lm_head.bias" in tensors else "cls.predictions.decoder.weight"
    return {**tensors, name: next(t for n, t in tensors.items() if n.endswith("word_embeddings.weight")) * 0.5}


def shards(folder):
    return sorted(folder.glob("model-*.safetensors"))


def in_two_shards(folder):
    first, second = shards(folder)[:2]
    name, tensor = next(iter(load_file(first).items()))
    save_file({**load_file(second), name: tensor + 1}, second, metadata={"format": "pt"})


def consolidated(alone):
    """Mistral's own names beside the shards, or in their stead."""
    def change(folder):
        save_file({"layers.0.attention.wq.weight": torch.ones(4, 4)}, folder / "consolidated.safetensors")
        (folder / "params.json").write_text("{}")
        for path in folder.glob("model*.safetensors*") if alone else ():
            path.unlink()
    return change


def renamed_family(name, model_type, **more):
    return setting(architectures=[name], model_type=model_type, **more)


def pickled(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin.index.json").write_text("{}")


def added_token(count):
    """`count` tokens more in the tokenizer than in the embedding: of 389 rows, 384 have a token."""
    def change(folder):
        path = folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        for i in range(count):
            tokenizer["added_tokens"].append({"id": 389 + i, "content": f"[PAD{i}]", "single_word": False, "lstrip": False, "rstrip": False,
                                              "normalized": False, "special": True})
        path.write_text(json.dumps(tokenizer))
    return change


DEFAULT = {"rope_type": "default"}
SCALED = "of scaled positions only linear, dynamic, llama3 and yarn"
FOREIGN = "changes what a model computes"
NOT_TIED = "lm_head.weight with other values: it is the model's own head"

CASES = {
    # the base of rotation
    "a base in rope_parameters": dict(config=rope(newer={**DEFAULT, "rope_theta": 300})),
    "a base in rope_scaling": dict(config=rope(older={**DEFAULT, "rope_theta": 300})),
    "a base in rope_scaling, the kind as `type`": dict(config=rope(older={"type": "default", "rope_theta": 300})),
    "a base and no kind": dict(config=rope(newer={"rope_theta": 300})),
    "a base at the top": dict(config=rope(theta=300)),
    "a base inside wins over one at the top": dict(config=rope(newer={**DEFAULT, "rope_theta": 300}, theta=7000)),
    "the same in rope_scaling": dict(config=rope(older={**DEFAULT, "rope_theta": 300}, theta=7000)),
    "rope_scaling wins over rope_parameters": dict(config=rope(older={**DEFAULT, "rope_theta": 300}, newer={**DEFAULT, "rope_theta": 7000}), says="does not read rope_parameters"),
    "rope_scaling without a base, the top's": dict(config=rope(older=DEFAULT, newer={**DEFAULT, "rope_theta": 7000}, theta=300), says="does not read rope_parameters"),
    "an empty rope_scaling": dict(config=rope(older={}, newer={**DEFAULT, "rope_theta": 300})),
    "no base at all": dict(config=rope()),
    "linear, factor 1": dict(config=rope(older={"type": "linear", "factor": 1.0})),
    "linear, factor 4": dict(config=rope(older={"type": "linear", "factor": 4.0}, theta=300)),
    "linear, factor 2, as transformers 5 writes it": dict(config=rope(newer={"rope_type": "linear", "factor": 2, "rope_theta": 300.0})),
    "linear without a factor": dict(config=rope(older={"type": "linear"}), refused="rope_scaling.factor: expected a number, got nothing"),
    "rope_type wins over type": dict(config=rope(older={"rope_type": "linear", "type": "default", "factor": 2.0})),
    "a factor without a kind": dict(config=rope(older={"factor": 8.0}), refused="rope_scaling.factor"),
    "dynamic": dict(config=rope(older={"type": "dynamic", "factor": 2.5})),
    "dynamic without a factor": dict(config=rope(older={"type": "dynamic"}), refused="rope_scaling.factor: expected a number, got nothing"),
    "yarn": dict(config=rope(newer={"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e3, "original_max_position_embeddings": 64})),
    "yarn, every entry": dict(config=rope(older={"type": "yarn", "factor": 8, "original_max_position_embeddings": 48, "beta_fast": 20.0, "beta_slow": 2,
                                                 "attention_factor": 1.25, "truncate": False}, theta=300)),
    "yarn by DeepSeek's scales": dict(config=rope(older={"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 48, "mscale": 0.7,
                                                         "mscale_all_dim": 1.4, "beta_fast": 0})),
    "yarn, the length at the top": dict(config=lambda c: (rope(older={"type": "yarn", "factor": 8.0})(c), c.update(original_max_position_embeddings=32))[1]),
    "yarn without a length": dict(config=rope(older={"type": "yarn", "factor": 8.0})),
    "longrope": dict(config=rope(older={"type": "longrope", "short_factor": [1.0] * 8, "long_factor": [2.0] * 8}), refused=SCALED),
    "llama3": dict(config=rope(older={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                      "original_max_position_embeddings": 64}, theta=500)),
    "llama3 without a factor": dict(config=rope(older={"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}),
                                    refused="rope_scaling.factor: expected a number, got nothing"),
    "llama3, its borders exchanged": dict(config=rope(older={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 1.0}),
                                          refused="rope_scaling.high_freq_factor: expected more than low_freq_factor"),
    "llama3 with an entry of yarn": dict(config=rope(older={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                                            "beta_fast": 32}), refused="rope_scaling.beta_fast"),
    "a kind for each sort of layer": dict(config=rope(newer={"full_attention": {**DEFAULT, "rope_theta": 300.0}}), refused="rope_parameters.full_attention"),
    "rope_scaling that is no object": dict(config=rope(older="linear"), refused="rope_scaling: expected an object"),
    "a base of text": dict(config=rope(theta="300"), refused="rope_theta: expected a number"),
    # keys
    "hidden_act swish": dict(config=setting(hidden_act="swish")),
    "hidden_act gelu": dict(config=setting(hidden_act="gelu")),
    "no rms_norm_eps": dict(config=without("rms_norm_eps")),
    "no key with a default": dict(num_key_value_heads=4, config=without(
        "rms_norm_eps", "hidden_act", "num_key_value_heads", "head_dim", "max_position_embeddings", "rope_parameters", "attention_bias",
        "mlp_bias", "tie_word_embeddings", "pretraining_tp")),
    "num_key_value_heads and head_dim null": dict(num_key_value_heads=4, config=setting(num_key_value_heads=None, head_dim=None)),
    "heads that do not divide": dict(config=lambda c: (c.update(num_attention_heads=3, num_key_value_heads=3), c.pop("head_dim")),
                                     refused="num_attention_heads: expected a divisor of hidden_size"),
    "pretraining_tp 2": dict(config=setting(pretraining_tp=2)),
    "partial_rotary_factor 0.5": dict(config=setting(partial_rotary_factor=0.5), refused="partial_rotary_factor"),
    "partial_rotary_factor 1": dict(config=setting(partial_rotary_factor=1.0)),
    "a window shorter than the positions": dict(config=setting(sliding_window=32), refused="sliding_window"),
    "a window as long as the positions": dict(config=setting(sliding_window=2048)),
    "a window that is switched off": dict(config=setting(sliding_window=32, use_sliding_window=False)),
    "no window": dict(config=setting(sliding_window=None)),
    "quantised weights": dict(config=setting(quantization_config={"quant_method": "fp8"}), refused="quantization_config"),
    "no quantised weights": dict(config=setting(quantization_config=None)),
    "factors of other families": dict(config=setting(embedding_multiplier=12.0), refused=FOREIGN),
    "factors of other families, neutral": dict(config=setting(embedding_multiplier=1.0, logit_scale=1, scale_emb=1, residual_multiplier=1.0)),
    "attention_multiplier": dict(config=setting(attention_multiplier=0.0078125), refused=FOREIGN),
    "logit_scale": dict(config=setting(logit_scale=0.0625), refused=FOREIGN),
    "scale_emb": dict(config=setting(scale_emb=12), refused=FOREIGN),
    "soft caps": dict(config=setting(final_logit_softcapping=30.0), refused=FOREIGN),
    "layers that are configured apart": dict(config=setting(per_layer_config={"0": {"rms_norm_eps": 0.1}}), refused="per_layer_config"),
    "experts": dict(config=setting(num_local_experts=8), refused=FOREIGN),
    "a key that no one knows": dict(config=setting(spin=3), says="the llama family does not read spin"),
    "what SmolLM's files say beside": dict(config=setting(is_llama_config=True, rope_interleaved=False)),
    "dtype in both spellings": dict(config=setting(dtype="float32", torch_dtype="float16")),
    "another model's type": dict(config=setting(model_type="mistral"), refused="model_type: architectures is of the llama family"),
    "a configuration in a configuration": dict(config=setting(text_config={"hidden_size": 64}), refused="text_config"),
    "not a number": dict(config=lambda c: json.dumps(c)[:-1] + ', "rope_theta": NaN}', refused="config.json]: expected JSON"),
    "a key twice": dict(config=lambda c: '{"rms_norm_eps": 0.5, ' + json.dumps(c)[1:]),
    "one word more than the embedding": dict(config=lambda c: c.update(vocab_size=c["vocab_size"] + 1), refused="asks for shape [390, 64], got [389, 64]"),
    "one word less than the embedding": dict(config=lambda c: c.update(vocab_size=c["vocab_size"] - 1), refused="asks for shape [388, 64], got [389, 64]"),
    # tied or not
    "tied, but the file has another head": dict(tie_word_embeddings=True, tensors=own_head, says=NOT_TIED, export=True),
    "tied, and the file has the same head": dict(tie_word_embeddings=True, tensors=equal_head),
    "tied, and the file has the head alone": dict(tie_word_embeddings=True, tensors=head_alone, says="it is read from lm_head.weight", export=True),
    "tied, another head in fp16": dict(tie_word_embeddings=True, dtype=torch.float16, tensors=own_head, says=NOT_TIED),
    "tie_word_embeddings null": dict(config=lambda c: c.pop("tie_word_embeddings") and None),
    "OPT that says nothing, with another head": dict(family="opt", config=without("tie_word_embeddings"), tensors=own_head, says=NOT_TIED, export=True),
    "OPT, tied, with the same head": dict(family="opt", tensors=equal_head),
    "OPT, tied, with the head alone": dict(family="opt", tensors=head_alone, says="it is read from lm_head.weight"),
    # names and types of tensors
    "saved from LlamaModel": dict(tie_word_embeddings=True, config=setting(architectures=["LlamaModel"]), tensors=renamed("model.")),
    "saved from LlamaModel, not tied": dict(tensors=lambda t: renamed("model.")({n: x for n, x in t.items() if n != "lm_head.weight"}),
                                            refused="tensors that the model needs are not there:\n  lm_head.weight"),
    "OPT as published": dict(family="opt", tensors=renamed("model.")),
    "OPT as published, with a head": dict(family="opt", tensors=lambda t: equal_head(t) or renamed("model.")(t)),
    "saved from OPTModel": dict(family="opt", config=setting(architectures=["OPTModel"]), tensors=renamed("model.")),
    "float64": dict(tensors=in_type(torch.float64), export=True),
    "OPT in float64": dict(family="opt", tensors=in_type(torch.float64)),
    "weights in float8": dict(tensors=in_type(torch.float8_e4m3fn), refused="weights of type F8_E4M3 cannot be read"),
    "inv_freq of older files": dict(tensors=lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)})),
    # tokens past the embedding
    "a padding token past the embedding": dict(after=added_token(6)),
    "a text with that token": dict(after=added_token(6), more=["It was [PAD5]"], refused="the text has the token '[PAD5]' with the id 389"),
    # files
    "a shard that is missing": dict(shards="40KB", after=lambda folder: shards(folder)[1].unlink(), refused="expected the shard"),
    "a tensor in two shards": dict(shards="40KB", after=in_two_shards, refused="expected one of this name, got another in"),
    "pickles": dict(after=pickled, refused="to safetensors first"),
    # LLaMA's kin
    "Qwen2, a window without a length": dict(family="qwen2", config=setting(layer_types=["full_attention", "sliding_attention"], use_sliding_window=True,
                                                                            sliding_window=None), refused="sliding_window: layer 1 has a window"),
    "Qwen2, layers of a third kind": dict(family="qwen2", config=setting(layer_types=["full_attention", "chunked_attention"]), refused="layer_types"),
    "Qwen2, a kind too few": dict(family="qwen2", config=setting(layer_types=["full_attention"]), refused="layer_types: expected one for each of 2 layers"),
    "SmolLM3, a layer too few": dict(family="smollm3", config=setting(no_rope_layers=[1, 1, 1]), refused="no_rope_layers: expected one for each of 4 layers"),
    "Gemma 2, capped at 0": dict(family="gemma2", config=setting(final_logit_softcapping=0.0), refused="final_logit_softcapping: expected a number above 0"),
    "Gemma 3, both ways to scale": dict(family="gemma3", config=setting(rope_scaling={"rope_type": "linear", "factor": 8.0}),
                                        refused="rope_scaling: expected rope_parameters or rope_scaling, not both"),
    "Gemma 3, one rotation for all": dict(family="gemma3", config=setting(rope_parameters={"rope_type": "default", "rope_theta": 1e6}),
                                          refused="expected full_attention and sliding_attention alone"),
    "Qwen3, saved from its base": dict(family="qwen3", tie_word_embeddings=True, config=setting(architectures=["Qwen3Model"]), tensors=renamed("model.")),
    # OPT
    "OPT of an activation that no one knows": dict(family="opt", config=setting(activation_function="gelo"), refused="expected one of the activations relu"),
    "GPT-2 with cross attention": dict(family="gpt2", config=setting(add_cross_attention=True), refused="add_cross_attention"),
    "GPT-2 as published": dict(family="gpt2", tensors=gpt2_as_published, config=setting(n_ctx=400)),
    "GPT-2 with the names of other families": dict(family="gpt2", config=lambda c: c.update(hidden_size=c.pop("n_embd"), num_attention_heads=c.pop("n_head"))),
    # BERT and RoBERTa
    "BERT as published": dict(family="bert", tensors=lambda t: gamma_and_beta(with_other_heads(t)), config=without("tie_word_embeddings"), export=True),
    **{f"{family}, {name}": dict(family=family, tensors=change, export=True, says=says) for family in ("bert", "roberta") for name, change, says in (
        ("two equal biases", with_both_biases(0), None), ("two biases", with_both_biases(0.5), None),
        ("another head than its configuration says", own_decoder, "with other values: it is the model's own head"))},
    # as published, and what others made of it
    "GPT-2, as distilled": dict(family="gpt2", tensors=gpt2_as_published, config=setting(
        n_ctx=400, _num_labels=1, finetuning_task=None, n_inner=None, summary_activation=None, task_specific_params={"text-generation": {"max_length": 50}})),
    "GPT-2, prefixed, with masks and a head, as DialoGPT": dict(family="gpt2", tensors=lambda t: {
        **t, "lm_head.weight": t["transformer.wte.weight"].clone(), "transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}),
    "GPT-2 for two tasks": dict(family="gpt2", config=setting(architectures=["GPT2DoubleHeadsModel"]), tensors=lambda t: {
        **t, "multiple_choice_head.summary.weight": torch.ones(1, 64)}, says="multiple_choice_head.summary.weight"),
    "GPT-2 with a padding token past its embedding": dict(family="gpt2", after=added_token(1)),
    "Pythia as published": dict(family="gpt_neox", config=lambda c: c.pop("rope_parameters") and c.update(rotary_pct=0.25, rotary_emb_base=10000), tensors=lambda t: {
        **{n.replace("lm_head", "embed_out"): x for n, x in t.items()}, "gpt_neox.layers.0.attention.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool),
        "gpt_neox.layers.0.attention.masked_bias": torch.tensor(-1e9), "gpt_neox.layers.0.attention.rotary_emb.inv_freq": torch.ones(2)}, export=True),
    "GPT-NeoX, a third of each head": dict(family="gpt_neox", config=rope(newer={"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.33}),
                                           refused="rope_parameters.partial_rotary_factor: expected a share of each head's 16 elements"),
    "BERT, keys of older files": dict(family="bert", config=lambda c: c.update(
        position_embedding_type="absolute", gradient_checkpointing=False, classifier_dropout=None, directionality="bidi", pooler_type="first_token_transform",
        output_past=True, type_vocab_size=c["type_vocab_size"])),
    "BERT that classifies": dict(family="bert", config=setting(architectures=["BertForSequenceClassification"]), refused="BertForSequenceClassification"),
    "BERT as a decoder": dict(family="bert", config=setting(is_decoder=True), refused="is_decoder"),
    "BERT with relative positions": dict(family="bert", config=setting(position_embedding_type="relative_key_query"), refused="position_embedding_type"),
    "BERT with its decoder stored": dict(family="bert", tensors=lambda t: {**t, "cls.predictions.decoder.weight": t["bert.embeddings.word_embeddings.weight"].clone()}),
    "DistilBERT": dict(family="bert", config=renamed_family("DistilBertForMaskedLM", "distilbert"), refused="DistilBertForMaskedLM"),
    "RoBERTa as published": dict(family="roberta", type_vocab_size=1, config=without("tie_word_embeddings"), tensors=lambda t: {
        **t, "roberta.embeddings.position_ids": torch.arange(600)[None], "roberta.pooler.dense.weight": torch.ones(48, 48), "roberta.pooler.dense.bias": torch.ones(48)}),
    "RoBERTa without a padding token": dict(family="roberta", config=without("pad_token_id")),
    "XLM-RoBERTa": dict(family="roberta", config=renamed_family("XLMRobertaForMaskedLM", "xlm-roberta", output_past=True)),
    "Qwen2.5 as published": dict(family="qwen2", config=lambda c: rope(theta=1000000)(c) or c.pop("layer_types") and c.update(
        max_window_layers=2, sliding_window=131072, use_sliding_window=False, rope_scaling=None, torch_dtype="bfloat16") or None),
    "Qwen2, a window from the layer behind the last": dict(family="qwen2", config=lambda c: c.pop("layer_types") and c.update(
        max_window_layers=2, sliding_window=6, use_sliding_window=True)),
    "Qwen2.5, yarn as its page says": dict(family="qwen2", config=rope(older={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}, theta=1e6)),
    "Qwen2, biases said and not": dict(family="qwen2", config=setting(attention_bias=True)),
    "Qwen2 of long texts": dict(family="qwen2", config=setting(dual_chunk_attention_config={"chunk_size": 262144}), says="dual_chunk_attention_config"),
    "Qwen3 as published": dict(family="qwen3", config=lambda c: rope(theta=1000000)(c) or c.pop("layer_types") and c.update(
        max_window_layers=2, sliding_window=None, use_sliding_window=False, rope_scaling=None, attention_bias=False) or None),
    "Qwen3, a window and no word on its use": dict(family="qwen3", config=lambda c: [c.pop(k) for k in ("layer_types", "use_sliding_window")] and c.update(
        sliding_window=6, max_window_layers=0)),
    "Gemma 2 as published": dict(family="gemma2", config=lambda c: rope(theta=10000.0)(c) or c.pop("layer_types") and c.update(
        hidden_act="gelu_pytorch_tanh", cache_implementation="hybrid", sliding_window_size=8, torch_dtype="float32") or None, says="does not read sliding_window_size"),
    "Gemma 2, another hidden_act, which no one reads": dict(family="gemma2", config=setting(hidden_act="gelu")),
    "Gemma 3 as published": dict(family="gemma3", num_hidden_layers=6, config=lambda c: (
        [c.pop(k) for k in ("layer_types", "rope_parameters", "_sliding_window_pattern") if k in c], c.update(
            rope_theta=1000000, rope_local_base_freq=10000, rope_scaling=None, sliding_window_pattern=6, attn_logit_softcapping=None,
            final_logit_softcapping=None, cache_implementation="hybrid", eos_token_id=[1, 106]))[1]),
    "Gemma 3 with images": dict(family="gemma3", config=lambda c: json.dumps({
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": c}), refused="Gemma3ForConditionalGeneration"),
    "Mistral, its own file beside the shards": dict(family="mistral", shards="40KB", after=consolidated(False)),
    "Mistral, its own file alone": dict(family="mistral", after=consolidated(True), refused="consolidated.safetensors"),
    "Mistral, all that is null": dict(family="mistral", config=lambda c: rope(theta=1000000.0)(c) or c.update(sliding_window=None, head_dim=None, rope_scaling=None) or None),
    "SmolLM3 as published": dict(family="smollm3", config=lambda c: rope(theta=5000000.0)(c) or c.update(
        max_window_layers=28, sliding_window=None, use_sliding_window=False, rope_scaling=None, pretraining_tp=2) or None),
    "SmolLM3 without a list of layers": dict(family="smollm3", config=without("no_rope_layers", "layer_types")),
    "no architectures": dict(family="qwen3", config=without("architectures")),
    "no architectures, and a model_type that no one serves": dict(config=lambda c: c.pop("architectures") and c.update(model_type="spin"), refused="model_type:spin"),
    "OPT with plain norms": dict(family="opt", config=setting(layer_norm_elementwise_affine=False), refused="layer_norm_elementwise_affine"),
}

SHAPE, MISSING = "the configuration asks for shape", "tensors that the model needs are not there"

# Another value for each key, and a part of the error where that is refused. What is not refused scores as in transformers.
COMMON = {
    "architectures": (None, None), "bos_token_id": (5, None), "eos_token_id": ([3, 4], None), "pad_token_id": (3, None),
    "chunk_size_feed_forward": (2, None), "dtype": ("float16", None), "id2label": ({"0": "a", "1": "b", "2": "c"}, None),
    "label2id": ({"a": 0, "b": 1, "c": 2}, None), "is_encoder_decoder": (True, "is_encoder_decoder"), "output_hidden_states": (True, None),
    "problem_type": ("regression", None), "return_dict": (True, None), "transformers_version": ("4.30.0", None), "use_cache": (False, None),
    "vocab_size": (400, SHAPE), "hidden_size": (32, SHAPE), "num_hidden_layers": (1, None), "attention_dropout": (0.5, None),
}
KEYS = {
    "llama": {**COMMON, "attention_bias": (True, MISSING), "head_dim": (8, SHAPE), "hidden_act": ("relu", None),
              "initializer_range": (0.5, None), "intermediate_size": (48, SHAPE), "max_position_embeddings": (1024, None),
              "mlp_bias": (True, MISSING), "num_attention_heads": (2, SHAPE), "num_key_value_heads": (1, SHAPE), "pretraining_tp": (2, None),
              "rms_norm_eps": (0.1, None), "rope_parameters": ({"rope_type": "default", "rope_theta": 50.0}, None),
              "tie_word_embeddings": (True, None)},
    "opt": {**COMMON, "_remove_final_layer_norm": (True, None), "activation_function": ("gelu", None), "do_layer_norm_before": (False, None),
            "dropout": (0.5, None), "enable_bias": (False, None),
            "ffn_dim": (48, SHAPE), "init_std": (0.5, None), "layer_norm_elementwise_affine": (False, "layer_norm_elementwise_affine"),
            "layerdrop": (0.5, None), "max_position_embeddings": (200, SHAPE), "num_attention_heads": (2, None),
            "tie_word_embeddings": (False, MISSING), "word_embed_proj_dim": (32, SHAPE)},
    "gpt2": {**{key: case for key, case in COMMON.items() if key not in ("hidden_size", "num_hidden_layers", "attention_dropout")},
             "activation_function": ("relu", None), "add_cross_attention": (True, "add_cross_attention"), "attn_pdrop": (0.5, None),
             "embd_pdrop": (0.5, None), "initializer_range": (0.5, None), "layer_norm_epsilon": (0.1, None), "n_embd": (32, SHAPE),
             "n_head": (2, None), "n_inner": (48, SHAPE), "n_layer": (1, None), "n_positions": (200, SHAPE), "resid_pdrop": (0.5, None),
             "reorder_and_upcast_attn": (True, None), "scale_attn_by_inverse_layer_idx": (True, None), "scale_attn_weights": (False, None),
             "summary_activation": ("tanh", None), "summary_first_dropout": (0.5, None), "summary_proj_to_labels": (False, None),
             "summary_type": ("last", None), "summary_use_proj": (False, None), "tie_word_embeddings": (False, MISSING)},
}

# Of the others, the keys that LLaMA lacks and those that mean something else.
SLIDING, WINDOW = ["full_attention", "sliding_attention"], "sliding_window: layer 1 has a window"
QWEN = {"layer_types": (SLIDING, WINDOW), "max_window_layers": (0, None), "sliding_window": (6, None), "use_sliding_window": (True, None)}
GEMMA = {"hidden_activation": ("relu", None), "final_logit_softcapping": (2.0, None), "query_pre_attn_scalar": (9, None),
         "layer_types": (["full_attention"] * 2, None), "sliding_window": (5, None), "use_bidirectional_attention": (True, "use_bidirectional_attention"),
         "tie_word_embeddings": (False, MISSING)}
ENCODER = {"add_cross_attention": (True, "add_cross_attention"), "attention_probs_dropout_prob": (0.5, None), "classifier_dropout": (0.5, None),
           "hidden_act": ("relu", None), "hidden_dropout_prob": (0.5, None), "is_decoder": (True, "is_decoder"), "layer_norm_eps": (0.1, None),
           "max_position_embeddings": (200, SHAPE), "num_attention_heads": (2, None), "type_vocab_size": (3, SHAPE)}
OTHERS = {
    "bert": ENCODER,
    "roberta": {**ENCODER, "pad_token_id": (3, None)},
    "gpt_neox": {"attention_bias": (False, None), "classifier_dropout": (0.5, None), "hidden_act": ("relu", None), "hidden_dropout": (0.5, None),
                 "is_decoder": (True, None), "layer_norm_eps": (0.1, None), "use_parallel_residual": (False, None),
                 "rope_parameters": ({"rope_type": "default", "rope_theta": 50.0, "partial_rotary_factor": 0.75}, None)},
    "mistral": {"sliding_window": (6, None)},
    "qwen2": QWEN,
    "qwen3": QWEN,
    "smollm3": {"layer_types": (["full_attention"] + SLIDING + SLIDING[:1], "sliding_window: layer 2 has a window"), "sliding_window": (6, None),
                "use_sliding_window": (True, None), "no_rope_layers": ([1, 1, 0, 1], None), "no_rope_layer_interval": (2, None),
                "tie_word_embeddings": (False, MISSING)},
    "gemma2": {**GEMMA, "attn_logit_softcapping": (1.5, None)},
    "gemma3": {**GEMMA, "attn_logit_softcapping": (1.5, "attn_logit_softcapping"), "_sliding_window_pattern": (1, None),
               "rope_parameters": ({"full_attention": {"rope_theta": 50.0}, "sliding_attention": None}, None)},
}
