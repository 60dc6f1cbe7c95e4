#!/usr/bin/env python3
"""Writes a small random model twice, as a Hugging Face folder and as the GGUF file that llama.cpp's converter makes of it
(each head's query and key rows reordered), or with random blocks of ggml's types and as what the gguf package makes of them; and asks `mezo eval` for scores of both: they must be the same to the last bit.

    compare_gguf_with_folder.py MEZO                      # exits with 77 (skipped) where a package is absent
"""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "model"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "io"))
from blocks import random_blocks  # noqa: E402
from compare_with_transformers import LAYER_MODULES, MODULES, rotary_order  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import make_model  # noqa: E402

SHAPES = {
    "grouped heads": dict(num_key_value_heads=1),
    "tied": dict(hidden_size=72, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True),
    "head_dim not hidden / heads, biases": dict(head_dim=24, attention_bias=True, mlp_bias=True),
    "fp16, rope_theta 500": dict(dtype=torch.float16, rope_parameters={"rope_type": "default", "rope_theta": 500.0}, start=True),
}
# Of matrices that take turns; every row is a whole number of their blocks.
QUANTISED = {
    "blocks of 32": (dict(hidden_size=96, intermediate_size=160), ["Q5_0", "Q4_0", "IQ4_NL", "Q8_0", "Q5_1", "Q4_1"]),
    "super-blocks": (dict(hidden_size=256, intermediate_size=512), ["Q4_K", "Q6_K", "Q2_K", "Q5_K", "Q3_K", "IQ4_XS"]),
}


def gguf_name(name):
    module, suffix = name.rsplit(".", 1)
    if not module.startswith("model.layers."):
        return f"{MODULES[module]}.{suffix}"
    _, _, number, rest = module.split(".", 3)
    return f"blk.{number}.{LAYER_MODULES[rest]}.{suffix}"


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


def write_gguf(path, config, tensors, tokenizer, start, change=None, blocks={}, split=0):
    """`change` gets the writer when all is in it but nothing in the file; tensors in `blocks` are written as these, and
    of `split` at most so many into a file."""
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=split)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types([3 if token in ("<s>", "</s>") else 1 for token, _ in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(start)
    for name, tensor in tensors.items():
        array, kind = blocks.get(name, (tensor.numpy(), None))
        for module, heads in (("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)):
            if f".{module}." in name:
                array = array[rotary_order(array.shape[0], heads)]
        writer.add_tensor(gguf_name(name), numpy.ascontiguousarray(array), raw_dtype=kind)
    if change:
        change(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def same_scores(mezo, folder, name, seed, shape, kinds=()):
    model, tokenizer = make_model(folder / "model", "llama", seed, **shape)
    blocks = quantise(model, folder / "model", kinds) if kinds else {}
    tensors = {n: t.to(shape.get("dtype", torch.float32)) for n, t in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del tensors["lm_head.weight"]
    write_gguf(folder / "model.gguf", model.config, tensors, tokenizer, shape.get("start", False), blocks=blocks)
    question = QUESTIONS[1]
    of_folder = question_scores(mezo, folder, folder / "model", question)
    of_gguf = question_scores(mezo, folder, folder / "model.gguf", question)
    print(f"{name}: {len(of_folder)} examples, {'equal' if of_folder == of_gguf else 'DIFFERENT'}", flush=True)
    return of_folder == of_gguf


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
    cases = [(name, shape, ()) for name, shape in SHAPES.items()] + [(name, *case) for name, case in QUANTISED.items()]
    with tempfile.TemporaryDirectory() as temporary:
        same = [same_scores(mezo, pathlib.Path(temporary) / str(i), name, 100 + i, shape, kinds) for i, (name, shape, kinds) in enumerate(cases)]
        same.append(same_parts(mezo, pathlib.Path(temporary) / "split"))
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
