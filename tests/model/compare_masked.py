#!/usr/bin/env python3
"""Compares the scores of `mezo eval` at a mask with those of transformers.

    compare_masked.py MEZO shapes FAMILY      # small random models, bert or roberta, of every shape; and what is exported of them
    compare_masked.py MEZO roberta-30m SHARED # models/roberta-30m there, on SST-2 and MNLI

transformers scores in fp32, each example alone, without padding. Prints the largest differences; more than 1e-4, or
1e-3 of the real model, is an error. Exits with 77 (skipped) where a package, the model or the data is absent.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from scores import *  # noqa: E402,F403

LIMITS = {"shapes": 1e-4, "roberta-30m": 1e-3}
EXAMPLES = 60
SMALL = dict(hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=90)


def older(config):
    """As files of before transformers 5 are."""
    config.pop("tie_word_embeddings", None)
    config.update(position_embedding_type="absolute", gradient_checkpointing=False)


def gamma_and_beta(tensors):
    return {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t for name, t in tensors.items()}


def with_other_heads(tensors):
    width = SMALL["hidden_size"]
    return {**tensors, "bert.pooler.dense.weight": torch.ones(width, width), "bert.pooler.dense.bias": torch.ones(width),
            "cls.seq_relationship.weight": torch.ones(2, width), "cls.seq_relationship.bias": torch.ones(2),
            "bert.embeddings.position_ids": torch.arange(90)[None]}


def with_both_biases(value):
    def change(tensors):
        bias = next(name for name in tensors if name in ("lm_head.bias", "cls.predictions.bias"))
        other = bias.replace("bias", "decoder.bias")
        return {**tensors, other: tensors[bias] + value}
    return change


def with_own_head(tensors):
    """A head that is not the embedding, in a file whose configuration ties them."""
    name = "lm_head.decoder.weight" if "lm_head.bias" in tensors else "cls.predictions.decoder.weight"
    words = next(t for n, t in tensors.items() if n.endswith("word_embeddings.weight"))
    return {**tensors, name: words * 0.5}


SHAPES = {
    "as it is": {},
    "a head of its own": dict(tie_word_embeddings=False),
    "relu, epsilon 1e-3": dict(hidden_act="relu", layer_norm_eps=1e-3),
    "gelu_new, one layer and head": dict(hidden_act="gelu_new", num_hidden_layers=1, num_attention_heads=1),
    "fp16": dict(dtype=torch.float16),
    "bf16, 3 types": dict(dtype=torch.bfloat16, type_vocab_size=3),
    "as older files are": dict(rewrite=older, tensors=gamma_and_beta),
    "two equal biases": dict(tensors=with_both_biases(0)),
    "two biases": dict(tensors=with_both_biases(0.5)),
    "tied by its configuration, and not by its file": dict(tensors=with_own_head),
}
KINDS = {
    "bert": (transformers.BertConfig, transformers.BertForMaskedLM, {"heads for other purposes": dict(tensors=with_other_heads)}),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForMaskedLM, {"padding is token 4": dict(pad_token_id=4)}),
}


def masked_tokenizer(folder, names):
    """Trained on TEXTS, with the special tokens of a kind: beginning, padding, end, mask."""
    tokenizer = train_tokenizer(folder)
    tokenizer.add_special_tokens([tokenizers.AddedToken(name, special=True, lstrip=name == names[3]) for name in names])
    first, end = names[0], names[2]
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{first} $A {end}", special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, end)])
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = dict(zip(("bos_token", "pad_token", "eos_token", "mask_token"), names))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **roles}))
    return tokenizer


def make(folder, kind, seed, rewrite=None, tensors=None, dtype=torch.float32, **shape):
    config_class, model_class, _ = KINDS[kind]
    names = ["[CLS]", "[PAD]", "[SEP]", "[MASK]"] if kind == "bert" else ["<cls>", "<pad>", "</sep>", "<mask>"]
    tokenizer = masked_tokenizer(folder, names)
    config = config_class(vocab_size=tokenizer.get_vocab_size() + 3, **{"pad_token_id": 1, **SMALL, **shape})
    model = model_class(config)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name.lower() and p.dim() == 1 else 0.0, 1.5 / p.shape[-1] ** 0.5 if p.dim() > 1 else 0.3, generator=draw)
    model.to(dtype).save_pretrained(folder)
    if rewrite:
        config = json.loads((folder / "config.json").read_text())
        rewrite(config)
        (folder / "config.json").write_text(json.dumps(config))
    if tensors:
        from safetensors.torch import load_file, save_file
        path = folder / "model.safetensors"
        save_file({n: t.contiguous().clone() for n, t in tensors(load_file(path)).items()}, path, metadata={"format": "pt"})
    return model_class.from_pretrained(folder, dtype=torch.float32).eval(), tokenizer, names[3]


@torch.no_grad()
def expected(model, tokenizer, mask, pieces, words):
    """pieces: texts, None for the mask. {label: log-probability}."""
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    start, end = tokenizer.encode("").ids
    ids = [start]
    for piece in pieces:
        ids += [tokenizer.token_to_id(mask)] if piece is None else encode(piece)
    logits = model(torch.tensor([ids + [end]])).logits[0, ids.index(tokenizer.token_to_id(mask))].log_softmax(-1)
    return {label: logits[encode(word)[0]].item() for label, word in words.items()}


def compare(mezo, folder, model_path, model, tokenizer, mask, prompt, words, rows):
    """`prompt`: fields and None in their order, as a list of ('text', ...), ('field', ...) and None."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join("<mask>" if p is None else p[1] if p[0] == "text" else "{" + p[1] + "}" for p in prompt)
    (folder / "task.yaml").write_text(json.dumps({"prompt": text, "options": words}))
    write_rows(folder / "rows.jsonl", rows)
    got = mezo_scores(mezo, folder, model_path, folder / "task.yaml", folder / "rows.jsonl")
    assert len(got) == len(rows)
    worst = 0.0
    for row, scores in zip(rows, got):
        pieces = [None if p is None else p[1] if p[0] == "text" else row[p[1]] for p in prompt]
        theirs = expected(model, tokenizer, mask, pieces, words)
        worst = max([worst] + [d if d == d else float("inf") for d in (abs(scores[k] - theirs[k]) for k in theirs)])
    return worst


def single_words(tokenizer, count):
    words = sorted(token for token in tokenizer.get_vocab() if token.startswith("\u0120") and token[1:].isalpha() and len(token) > 2)
    return {str(i): " " + word[1:] for i, word in enumerate(words[:count])}


def exported(mezo, folder, model_class):
    """The model as a run of two steps at rate 0 exports it: the base again."""
    config = json.loads((folder / "eval.yaml").read_text())
    config["task"]["train"] = config["task"]["test"]
    config.update(optimizer={"learning_rate": 1e-30}, trainer={"steps": 1, "batch_size": 2}, output=str(folder / "run"))
    (folder / "run.yaml").write_text(json.dumps(config))
    for arguments in (["run", "run.yaml"], ["export", "run", "exported"]):
        done = subprocess.run([pathlib.Path(mezo).absolute(), *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"mezo {arguments}: {done.stderr}"
    model, info = model_class.from_pretrained(folder / "exported", dtype=torch.float32, output_loading_info=True)
    assert not any(info.values()), info
    return model.eval()


def shapes(mezo, kind):
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        for i, (name, shape) in enumerate({**SHAPES, **KINDS[kind][2]}.items()):
            folder = pathlib.Path(temporary) / str(i)
            model, tokenizer, mask = make(folder / "model", kind, i, **shape)
            words = single_words(tokenizer, 3)
            prompt = [("field", "text"), ("text", " It was"), None, ("text", ". "), ("field", "more")]
            rows = [{"text": t, "more": TEXTS[j - 1], "label": "0"} for j, t in enumerate(TEXTS) if len(t) + len(TEXTS[j - 1]) < 120]
            differences = [compare(mezo, folder, folder / "model", model, tokenizer, mask, prompt, words, rows)]
            model = exported(mezo, folder, KINDS[kind][1])
            differences.append(compare(mezo, folder, folder / "exported", model, tokenizer, mask, prompt, words, rows))
            print(f"{name}: {len(rows)} examples, largest difference {differences[0]:.2e}; exported {differences[1]:.2e}", flush=True)
            worst = max(worst, *differences)
    return worst


def roberta_30m(mezo, shared):
    path = shared / "models/roberta-30m"
    if not path.exists():
        skip(f"no {path}")
    model = transformers.RobertaForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path).backend_tokenizer
    worst = 0.0
    for data, prompt, words in (
            ("sst2", [("field", "sentence"), ("text", " It was"), None, ("text", ".")], {"0": " terrible", "1": " great"}),
            ("mnli", [("field", "premise"), ("text", "?"), None, ("text", ", "), ("field", "hypothesis")], {"0": " Yes", "1": " Maybe", "2": " No"})):
        rows = [json.loads(line) for line in (shared / f"data/{data}/dev.jsonl").read_text().splitlines()[:EXAMPLES]]
        with tempfile.TemporaryDirectory() as temporary:
            found = compare(mezo, pathlib.Path(temporary), path, model, tokenizer, "<mask>", prompt, words, rows)
        print(f"roberta-30m, {data}: {len(rows)} examples, largest difference {found:.2e}", flush=True)
        worst = max(worst, found)
    return worst


def main():
    mezo, what, where = sys.argv[1:]
    worst = shapes(mezo, where) if what == "shapes" else roberta_30m(mezo, pathlib.Path(where))
    sys.exit(0 if worst <= LIMITS[what] else 1)


if __name__ == "__main__":
    main()
