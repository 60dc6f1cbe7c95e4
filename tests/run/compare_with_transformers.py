"""Scores of options of several tokens, against transformers: mean log-probability over the whole vocabulary.

python compare_with_transformers.py MEZO TINY_MODEL. Exits with 77 where transformers or the model is absent.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

TASK = 'prompt: "{text} It was"\noptions: {a: " terrible", b: " great", c: " not so very bad", d: "."}\n'
TEXTS = ["A warm and funny film.", "Dull.", "Two hours of noise; nobody in the room was awake at the end.", "Bold, strange and moving."]


def main():
    mezo, model = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
    try:
        import torch
        from tokenizers import Tokenizer
        from transformers import LlamaForCausalLM
    except ImportError as missing:
        print(f"skipped: {missing}")
        sys.exit(77)
    if not (model / "model.safetensors").exists():
        print(f"skipped: no model in {model}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "toy.yaml").write_text(TASK)
        (folder / "test.jsonl").write_text("".join(json.dumps({"text": text, "label": "b"}) + "\n" for text in TEXTS))
        (folder / "run.yaml").write_text(f"model: {{path: {model}}}\ntask: {{file: toy.yaml, test: test.jsonl}}\noutput: out\n")
        subprocess.run([mezo, "eval", folder / "run.yaml"], check=True)
        lines = [json.loads(line) for line in (folder / "out/predictions.jsonl").read_text().splitlines()]

    reference, tokenizer = LlamaForCausalLM.from_pretrained(model).eval(), Tokenizer.from_file(str(model / "tokenizer.json"))
    options, worst = {"a": " terrible", "b": " great", "c": " not so very bad", "d": "."}, 0
    for text, line in zip(TEXTS, lines, strict=True):
        prompt = tokenizer.encode(text + " It was").ids
        for label, option in options.items():
            ids = tokenizer.encode(text + " It was" + option).ids
            scored = len(ids) - len(prompt)
            with torch.no_grad():
                shares = reference(torch.tensor([ids])).logits[0].log_softmax(-1)
            mean = sum(shares[len(ids) - scored + i - 1, ids[len(ids) - scored + i]].item() for i in range(scored)) / scored
            worst = max(worst, abs(mean - line["scores"][label]))
    print(f"{len(TEXTS)} examples, {len(options)} options of 1 to several tokens: largest difference {worst:.2e}")
    sys.exit(0 if worst < 1e-4 else 1)


main()
