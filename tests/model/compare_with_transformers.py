#!/usr/bin/env python3
"""Compares the scores of `mezo eval` with those of transformers.

    compare_with_transformers.py MEZO shapes FAMILY       # small random models, one of every shape that the family has
    compare_with_transformers.py MEZO smollm2 SOURCE_DIR  # models/smollm2-135m-instruct-q4_1.gguf, on reviews and on QUESTIONS
    compare_with_transformers.py MEZO opt-30m SHARED      # models/opt-30m there, on SST-2, on QUESTIONS, and with other first tokens
    compare_with_transformers.py MEZO roberta-30m SHARED  # models/roberta-30m there, on SST-2 and MNLI

transformers scores in fp32, each option alone, without padding. Prints the largest differences; more than 1e-4, or 1e-3 of
roberta-30m, is an error.
Exits with 77 (skipped) where a package, the model or the data is absent.
"""

import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from scores import *  # noqa: E402,F403
from small_models import FAMILIES, make_model, questions_of  # noqa: E402

LIMIT = 1e-4
EXAMPLES = 100

# How GGUF calls modules, and how llama.cpp's converter orders the rows of queries and keys.
MODULES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER_MODULES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
                 "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
                 "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def rotary_order(rows, heads):
    """Place i of each head's new rows is i // 2 of its first half for even i, of its second for odd i."""
    width = rows // heads
    return [h * width + i % 2 * (width // 2) + i // 2 for h in range(heads) for i in range(width)]


def report(name, model, tokenizer, question, got, max_length=2048):
    difference = largest_difference(model, tokenizer, question, got, max_length)
    print(f"{name}, {question.name}: {len(got)} examples of {len(question.options)} options, largest difference {difference:.2e}",
          flush=True)
    return difference


def shapes(mezo, family):
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        for i, (name, shape) in enumerate(FAMILIES[family][0].items()):
            folder, shape = pathlib.Path(temporary) / str(i), dict(shape)
            cut = shape.pop("cut", False)
            model, tokenizer = make_model(folder / "model", family, i, **shape)
            tokenizer = tokenizers.Tokenizer.from_file(str(folder / "model/tokenizer.json"))
            cases = [(q, 2048) for q in questions_of(family)]
            if cut:
                cases += [(QUESTIONS[0], 2048)] + [(q, 20) for q in QUESTIONS]
            differences = []
            for question, max_length in cases:
                got = question_scores(mezo, folder, folder / "model", question, max_length=max_length)
                room = min(max_length, model.config.max_position_embeddings)
                differences.append(largest_difference(model, tokenizer, question, got, room))
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
    reviews = test.read_text(encoding="utf-8").splitlines()[:EXAMPLES]
    prompts = [json.loads(line)["text"] + " It was" for line in reviews]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        rows = folder / "reviews.jsonl"
        rows.write_text("\n".join(reviews) + "\n", encoding="utf-8")
        question = Question("reviews", {"0": " terrible", "1": " great"}, prompts)
        worst = report("SmolLM2", model, tokenizer, question, mezo_scores(mezo, folder, path, "movie_reviews", rows))
        return max([worst] + [report("SmolLM2", model, tokenizer, q, question_scores(mezo, folder, path, q)) for q in QUESTIONS[1:]])


def opt_tokenizer(folder, start):
    """transformers' slow tokenizer of OPT; `start`: the token that every sequence begins with, or None."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    if start:
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single=f"{start} $A", special_tokens=[(start, tokenizer.token_to_id(start))])
    return tokenizer


def opt_30m(mezo, shared):
    path, test = shared / "models/opt-30m", shared / "data/sst2/dev.jsonl"
    for needed in (path / "model.safetensors", test):
        if not needed.exists():
            skip(f"{needed} is absent")
    model = transformers.OPTForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    lines = test.read_text(encoding="utf-8").splitlines()[:EXAMPLES]
    prompts = [json.loads(line)["sentence"] + " It was" for line in lines]
    one = Question("SST-2", {"0": " terrible", "1": " great"}, prompts)
    several = Question("SST-2, longer options", {"0": " a waste of time", "1": " one of the year's best films"}, prompts)
    long = Question("longer than its positions", one.options, [" ".join([p] * 60) for p in prompts[:3]])
    own = opt_tokenizer(path, "</s>")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        rows = folder / "sst2.jsonl"
        rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
        differences = [report("OPT-30m", model, own, one, mezo_scores(mezo, folder, path, "sst2", rows))]
        for question in (several, long, *QUESTIONS[1:]):
            got = question_scores(mezo, folder, path, question)
            differences.append(report("OPT-30m", model, own, question, got, model.config.max_position_embeddings))
        for bos, start in ((0, "<s>"), ("none", None)):
            got = mezo_scores(mezo, folder, path, "sst2", rows, bos=bos)
            differences.append(report(f"OPT-30m, task.bos={bos}", model, opt_tokenizer(path, start), one, got))
    return max(differences)


def roberta_30m(mezo, shared):
    path = shared / "models/roberta-30m"
    if not path.exists():
        skip(f"no {path}")
    model = transformers.RobertaForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path).backend_tokenizer
    worst = 0.0
    for data, template, words in (
            ("sst2", "{sentence} It was<mask>.", {"0": " terrible", "1": " great"}),
            ("mnli", "{premise}?<mask>, {hypothesis}", {"0": " Yes", "1": " Maybe", "2": " No"})):
        rows = [json.loads(line) for line in (shared / f"data/{data}/dev.jsonl").read_text().splitlines()[:60]]
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            question = Question(data, words, rows, template)
            (folder / "task.yaml").write_text(json.dumps({"prompt": template, "options": words}))
            got = mezo_scores(mezo, folder, path, folder / "task.yaml", write_rows(folder / "rows.jsonl", rows))
            worst = max(worst, report("roberta-30m", model, tokenizer, question, got))
    return worst


def main():
    mezo, what, *rest = sys.argv[1:]
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    worst = {"shapes": lambda: shapes(mezo, *rest), "smollm2": lambda: smollm2(mezo, pathlib.Path(*rest)),
             "opt-30m": lambda: opt_30m(mezo, pathlib.Path(*rest)), "roberta-30m": lambda: roberta_30m(mezo, pathlib.Path(*rest))}[what]()
    limit = 1e-3 if what == "roberta-30m" else LIMIT
    print(f"largest difference {worst:.2e}, allowed {limit:g}")
    sys.exit(0 if worst <= limit else 1)


if __name__ == "__main__":
    main()
