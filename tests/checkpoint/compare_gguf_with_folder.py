#!/usr/bin/env python3
"""Writes a small random model twice, as a Hugging Face folder and as the GGUF file that llama.cpp's converter makes of it
(names as in the gguf package), or with random blocks of ggml's types and as what the gguf package makes of them; and asks
`mezo eval` for scores of both: they must be the same to the last bit.

    compare_gguf_with_folder.py MEZO                      # exits with 77 (skipped) where a package is absent
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "model"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "io"))
from blocks import random_blocks  # noqa: E402
from compare_with_transformers import rotary_order  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import YARN, make_model, two_bases  # noqa: E402

# By family, so that each stands for what its converter does.
SHAPES = {
    "grouped heads": ("llama", dict(num_key_value_heads=1)),
    "tied": ("llama", dict(hidden_size=72, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True)),
    "head_dim not hidden / heads, biases": ("llama", dict(head_dim=24, attention_bias=True, mlp_bias=True)),
    "fp16, rope_theta 500": ("llama", dict(dtype=torch.float16, rope_parameters={"rope_type": "default", "rope_theta": 500.0}, start=True)),
    "Mistral": ("mistral", dict(sliding_window=None)),
    "Qwen2": ("qwen2", dict(tie_word_embeddings=True)),
    "Qwen2, yarn": ("qwen2", dict(rope_parameters=YARN)),
    "Qwen3": ("qwen3", dict(tie_word_embeddings=True)),
    "Qwen3, biases, fp16": ("qwen3", dict(attention_bias=True, dtype=torch.float16)),
    "SmolLM3": ("smollm3", dict()),
    "Gemma 2": ("gemma2", dict(query_pre_attn_scalar=24, attn_logit_softcapping=1.5, final_logit_softcapping=2.0)),
    "Gemma 3": ("gemma3", dict(num_hidden_layers=6, query_pre_attn_scalar=24)),
    "GPT-2": ("gpt2", dict()),
    "GPT-2, a head of its own, fp16": ("gpt2", dict(tie_word_embeddings=False, dtype=torch.float16, start=True)),
    "Gemma 3, scaled, with a cap": ("gemma3", dict(num_hidden_layers=6, query_pre_attn_scalar=24, final_logit_softcapping=2.0,
                                                   rope_parameters=two_bases({"rope_type": "linear", "factor": 8.0}))),
}
# Of matrices that take turns; every row is a whole number of their blocks.
QUANTISED = {
    "blocks of 32": (dict(hidden_size=96, intermediate_size=160), ["Q5_0", "Q4_0", "IQ4_NL", "Q8_0", "Q5_1", "Q4_1"]),
    "super-blocks": (dict(hidden_size=256, intermediate_size=512), ["Q4_K", "Q6_K", "Q2_K", "Q5_K", "Q3_K", "IQ4_XS"]),
}

# Of each model_type, llama.cpp's name, and whether its converter derives from LLaMA's: then it reorders the rows of queries and keys.
ARCHITECTURES = {"llama": ("llama", True), "mistral": ("llama", True), "smollm3": ("smollm3", True), "qwen2": ("qwen2", False),
                 "qwen3": ("qwen3", False), "gpt2": ("gpt2", False), "gemma2": ("gemma2", False), "gemma3_text": ("gemma3", False)}


def quantise(model, folder, kinds):
    """Replaces a model's matrices, in memory and in its folder, by what blocks stand for; returns these, by name."""
    state, blocks = model.state_dict(), {}
    draw = numpy.random.default_rng(1)
    for i, (name, tensor) in enumerate((n, t) for n, t in state.items() if t.dim() == 2):
        blocks[name] = random_blocks(draw, gguf.GGMLQuantizationType[kinds[i % len(kinds)]], *tensor.shape)
        state[name] = torch.from_numpy(gguf.dequantize(*blocks[name]))
    model.load_state_dict(state)
    model.save_pretrained(folder)
    return blocks


def tensor_names(architecture, layers):
    """The gguf package's, which does not know SmolLM3: its names are LLaMA's."""
    known = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(known.get(architecture, gguf.MODEL_ARCH.LLAMA), layers)
    return lambda name: names.get_name(name, try_suffixes=(".weight", ".bias"))


def add_rotary(writer, architecture, config):
    rope = getattr(config, "rope_parameters", None)
    if rope is None:
        return
    rope = rope.get("full_attention", rope)
    writer.add_rope_freq_base(rope["rope_theta"])
    if "sliding_attention" in config.rope_parameters:
        writer.add_float32(f"{architecture}.rope.freq_base_swa", config.rope_parameters["sliding_attention"]["rope_theta"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def add_sizes(writer, config, of_llama):
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    if hasattr(config, "head_dim"):
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if of_llama:
        writer.add_rope_dimension_count(getattr(config, "head_dim", config.hidden_size // config.num_attention_heads))
        writer.add_vocab_size(config.vocab_size)
    if config.model_type.startswith("gemma"):
        writer.add_sliding_window(config.sliding_window)
        for key in ("attn_logit_softcapping", "final_logit_softcapping"):
            if getattr(config, key) is not None:
                getattr(writer, f"add_{key}")(getattr(config, key))


def add_tokenizer(writer, config, tokenizer, start, of_llama):
    """Without a vocab_size, what the embedding has beyond the tokens is filled up."""
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])]
    types = [3 if token in ("<s>", "</s>") else 1 for token in vocabulary]
    while not of_llama and len(vocabulary) < config.vocab_size:
        vocabulary.append(f"[PAD{len(vocabulary)}]")
        types.append(5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(start)


def write_gguf(path, config, tensors, tokenizer, start, change=None, blocks={}, split=0):
    """`change` gets the writer when all is in it but nothing in the file; tensors in `blocks` are written as these, and
    of `split` at most so many into a file."""
    architecture, of_llama = ARCHITECTURES[config.model_type]
    writer = gguf.GGUFWriter(path, architecture, split_max_tensors=split)
    add_sizes(writer, config, of_llama)
    add_rotary(writer, architecture, config)
    add_tokenizer(writer, config, tokenizer, start, of_llama)
    name_of = tensor_names(architecture, config.num_hidden_layers)
    for name, tensor in tensors.items():
        array, kind = blocks.get(name, (tensor.numpy(), None))
        if of_llama and (".q_proj." in name or ".k_proj." in name):
            array = array[rotary_order(array.shape[0], config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads)]
        if architecture == "gpt2" and ".c_" in name and array.ndim == 2:
            array = array.T
        if architecture.startswith("gemma") and name.endswith("norm.weight"):
            array = array + numpy.float32(1)
        writer.add_tensor(name_of(name), numpy.ascontiguousarray(array), raw_dtype=kind)
    if change:
        change(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def scores_kept(mezo, folder, model):
    """The scores of folder/eval.yaml over a model that is kept as its file has it, and what was said."""
    done = subprocess.run([pathlib.Path(mezo).absolute(), "eval", "eval.yaml", f"model.path={folder / model}", "optimizer.storage=file", "output=kept"],
                          cwd=folder, capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr
    return [json.loads(line)["scores"] for line in (folder / "kept/predictions.jsonl").read_text().splitlines()], done.stderr


def write_both(folder, family, seed, shape, kinds=()):
    """The folder's model, its tokenizer and its GGUF file, with blocks of `kinds` if there are some."""
    model, tokenizer = make_model(folder / "model", family, seed, **shape)
    blocks = quantise(model, folder / "model", kinds) if kinds else {}
    tensors = {n: t.to(shape.get("dtype", torch.float32)) for n, t in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del tensors["lm_head.weight"]
    write_gguf(folder / "model.gguf", model.config, tensors, tokenizer, shape.get("start", False), blocks=blocks)
    return model, tokenizer


def same_scores(mezo, folder, name, family, seed, shape, kinds=()):
    write_both(folder, family, seed, shape, kinds)
    question = QUESTIONS[1]
    of_folder = question_scores(mezo, folder, folder / "model", question)
    of_gguf = question_scores(mezo, folder, folder / "model.gguf", question)
    kept, said = scores_kept(mezo, folder, "model.gguf")
    same = of_folder == of_gguf == kept
    print(f"{name}: {len(of_folder)} examples, {'equal' if same else 'DIFFERENT ' + said}", flush=True)
    return same


def same_parts(mezo, folder):
    """The parts that the gguf package splits a model into, whichever is given, and the whole."""
    model, tokenizer = make_model(folder / "model", "llama", 7)
    for split in (0, 8):
        write_gguf(folder / "model.gguf", model.config, dict(model.state_dict()), tokenizer, False, split=split)
    whole, *parts = [question_scores(mezo, folder, folder / f"model{part}.gguf", QUESTIONS[1]) for part in ("", "-00001-of-00003", "-00003-of-00003")]
    print(f"split: {'equal' if parts == [whole, whole] else 'DIFFERENT'}", flush=True)
    return parts == [whole, whole]


def main():
    mezo = sys.argv[1]
    cases = [(name, *case, ()) for name, case in SHAPES.items()] + [(name, "llama", *case) for name, case in QUANTISED.items()]
    with tempfile.TemporaryDirectory() as temporary:
        same = [same_scores(mezo, pathlib.Path(temporary) / str(i), name, family, 100 + i, shape, kinds)
                for i, (name, family, shape, kinds) in enumerate(cases)]
        same.append(same_parts(mezo, pathlib.Path(temporary) / "split"))
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
