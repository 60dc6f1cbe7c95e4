#!/usr/bin/env python3
"""Compares the scores of `mezo eval` with those of transformers.

    compare_with_transformers.py MEZO shapes              # small random models, one of every shape that the family has
    compare_with_transformers.py MEZO smollm2 SOURCE_DIR  # models/smollm2-135m-instruct-q4_1.gguf, on reviews and on QUESTIONS

transformers scores in fp32, each option alone, without padding. Prints the largest differences; more than 1e-3 is an error.
Exits with 77 (skipped) where a package, the model or the data is absent.
"""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from scores import *  # noqa: E402,F403

LIMIT = 1e-3
REVIEWS = 100

BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)
SHAPES = {
    "one key/value head": dict(num_key_value_heads=1),
    "3 key/value heads of 9, tied": dict(hidden_size=72, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True),
    "as many key/value heads, one layer": dict(num_key_value_heads=4, num_hidden_layers=1),
    "biases": dict(attention_bias=True, mlp_bias=True),
    "biases, tied, <s> first": dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, start=True),
    "head_dim not hidden / heads": dict(head_dim=24),
    "rope_theta 500": dict(rope_parameters={"rope_type": "default", "rope_theta": 500.0}, rms_norm_eps=1e-3),
    "rope_theta as older files spell it": dict(rope_parameters={"rope_type": "default", "rope_theta": 300.0}, older=True),
    "shards": dict(shards="40KB"),
    "fp16": dict(dtype=torch.float16),
    "bf16, tied, shards": dict(dtype=torch.bfloat16, tie_word_embeddings=True, shards="40KB"),
}

# How GGUF calls modules, and how llama.cpp's converter orders the rows of queries and keys.
MODULES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER_MODULES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
                 "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
                 "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def rotary_order(rows, heads):
    """Place i of each head's new rows is i // 2 of its first half for even i, of its second for odd i."""
    width = rows // heads
    return [h * width + i % 2 * (width // 2) + i // 2 for h in range(heads) for i in range(width)]


def make_model(folder, seed, start=False, older=False, shards="1GB", dtype=torch.float32, **shape):
    tokenizer = train_tokenizer(folder, start=start)
    config = transformers.LlamaConfig(vocab_size=tokenizer.get_vocab_size() + 5, **{**BASE, **shape})
    model = transformers.LlamaForCausalLM(config)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # large enough that every part of the model moves the scores
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name else 0.0, 1.5 / p.shape[-1] ** 0.5 if p.dim() > 1 else 0.3, generator=draw)
    model.to(dtype).save_pretrained(folder, max_shard_size=shards)
    if older:
        text = json.loads((folder / "config.json").read_text())
        text["rope_theta"] = text.pop("rope_parameters")["rope_theta"]
        text["rope_scaling"] = None
        (folder / "config.json").write_text(json.dumps(text))
    assert (len(list(folder.glob("*.safetensors"))) > 1) == (shards != "1GB"), "the shards that the test is about"
    return transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), tokenizer


def shapes(mezo):
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        for i, (name, shape) in enumerate(SHAPES.items()):
            folder = pathlib.Path(temporary) / str(i)
            model, tokenizer = make_model(folder / "model", i, **shape)
            tokenizer = tokenizers.Tokenizer.from_file(str(folder / "model/tokenizer.json"))
            # How options are laid out and prompts are cut depends on the tokenizer at most: with and without <s> are enough.
            cases = [(q, 2048) for q in QUESTIONS[1:]]
            if name in ("one key/value head", "biases, tied, <s> first"):
                cases += [(QUESTIONS[0], 2048)] + [(q, 20) for q in QUESTIONS]
            differences = []
            for question, max_length in cases:
                got = question_scores(mezo, folder, folder / "model", question, max_length)
                differences.append(largest_difference(model, tokenizer, question, got, max_length))
            print(f"{name}: largest difference {max(differences):.2e}", flush=True)
            worst = max(worst, *differences)
    return worst


def smollm2_tokenizer(fields):
    texts = lambda key: [bytes(fields[key].parts[i]).decode() for i in fields[key].data]
    tokens = texts("tokenizer.ggml.tokens")
    merges = [tuple(line.split(" ")) for line in texts("tokenizer.ggml.merges")]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    split = tokenizers.pre_tokenizers
    tokenizer.pre_tokenizer = split.Sequence([split.Digits(individual_digits=True), split.ByteLevel(add_prefix_space=False)])
    return tokenizer


def canonical_name(name):
    """What transformers calls a GGUF tensor."""
    for table in (MODULES, LAYER_MODULES):
        for theirs, short in table.items():
            parts = name.split(".")
            if table is MODULES and parts[0] == short:
                return f"{theirs}.{parts[-1]}"
            if table is LAYER_MODULES and parts[0] == "blk" and parts[2] == short:
                return f"model.layers.{parts[1]}.{theirs}.{parts[-1]}"
    raise KeyError(name)


def model_of_gguf(reader):
    """A LlamaForCausalLM in fp32, dequantised by the gguf package."""
    value = lambda key: reader.fields[f"llama.{key}"].contents()
    heads, kv_heads = value("attention.head_count"), value("attention.head_count_kv")
    tensors = {}
    for tensor in reader.tensors:
        array = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        name = canonical_name(tensor.name)
        for module, count in (("q_proj", heads), ("k_proj", kv_heads)):
            if f".{module}." in name:
                array = array[numpy.argsort(rotary_order(array.shape[0], count))]
        tensors[name] = torch.from_numpy(numpy.array(array))
    tied = "lm_head.weight" not in tensors
    if tied:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    config = transformers.LlamaConfig(
        vocab_size=tensors["lm_head.weight"].shape[0], hidden_size=value("embedding_length"), intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"), num_attention_heads=heads, num_key_value_heads=kv_heads, tie_word_embeddings=tied,
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": value("rope.freq_base")})
    model = transformers.LlamaForCausalLM(config)
    model.load_state_dict(tensors)
    return model.eval()


def smollm2(mezo, source):
    path = source / "models/smollm2-135m-instruct-q4_1.gguf"
    test = source / "data/movie_reviews/test.jsonl"
    for needed in (path, test):
        if not needed.exists():
            skip(f"{needed} is absent")
    reader = gguf.GGUFReader(path)
    model, tokenizer = model_of_gguf(reader), smollm2_tokenizer(reader.fields)
    reviews = test.read_text(encoding="utf-8").splitlines()[:REVIEWS]
    prompts = [json.loads(line)["text"] + " It was" for line in reviews]
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        rows = folder / "reviews.jsonl"
        rows.write_text("\n".join(reviews) + "\n", encoding="utf-8")
        question = Question("reviews", {"0": " terrible", "1": " great"}, prompts)
        for question, got in [(question, mezo_scores(mezo, folder, path, "movie_reviews", rows))] + [
                (q, question_scores(mezo, folder, path, q)) for q in QUESTIONS[1:]]:
            difference = largest_difference(model, tokenizer, question, got)
            print(f"SmolLM2, {question.name}: {len(got)} examples of {len(question.options)} options, largest difference {difference:.2e}",
                  flush=True)
            worst = max(worst, difference)
    return worst


def main():
    mezo, what, *rest = sys.argv[1:]
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    worst = shapes(mezo) if what == "shapes" else smollm2(mezo, pathlib.Path(rest[0]))
    print(f"largest difference {worst:.2e}, allowed {LIMIT:g}")
    sys.exit(0 if worst <= LIMIT else 1)


if __name__ == "__main__":
    main()
