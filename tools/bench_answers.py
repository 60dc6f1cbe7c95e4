#!/usr/bin/env python3
"""Evaluation and generation beside transformers', on one model, in turns in one run.

    tools/bench_answers.py MODEL [--mezo PATH] [--device cpu|cuda] [--dtype float32] [--rows 256] [--length 25 133]
                           [--batch 32] [--prompt 64] [--new 64] [--times 3]

MODEL is a Hugging Face folder of a causal model, or `random:llama:135m`, `random:llama:1.1b`, `random:opt:1.3b`: random weights of
that shape, made in --folder. Texts are random words. Per table a line for each: median of the times, tokens a second.

- evaluation: a task with two options of one token behind prompts of --length tokens. `mezo eval` is its `seconds` (a GPU's first use
  included) less nothing; transformers runs the prompts, sorted by length and padded on the left, through its sdpa attention with logits
  of the last position alone, in the best of several batch sizes, after a warm-up.
- generation: --batch prompts of --prompt tokens, --new greedy tokens each, no end token. `mezo predict` says its tokens/s; transformers is
  generate() with its cache and sdpa, after a warm-up.
"""

import argparse
import json
import pathlib
import random
import re
import statistics
import subprocess
import tempfile
import time

import tokenizers
import torch
import transformers

SHAPES = {
    "llama:135m": ("llama", dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3)),
    "llama:1.1b": ("llama", dict(hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4)),
    "opt:1.3b": ("opt", dict(hidden_size=2048, ffn_dim=8192, num_hidden_layers=24, num_attention_heads=32, word_embed_proj_dim=2048)),
    "opt:13b": ("opt", dict(hidden_size=5120, ffn_dim=20480, num_hidden_layers=40, num_attention_heads=40, word_embed_proj_dim=5120)),
}


def random_model(name, folder, dtype, device="cpu"):
    kind, shape = SHAPES[name]
    words = {w: i for i, w in enumerate(["<unk>", *(f"w{i}" for i in range(49151))])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    config = {"llama": transformers.LlamaConfig, "opt": transformers.OPTConfig}[kind](
        vocab_size=len(words), max_position_embeddings=2048, tie_word_embeddings=True, bos_token_id=1, eos_token_id=None, **shape)
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder, max_shard_size="5GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    return folder


def text(length, draw):
    return " ".join(f"w{draw.randrange(1000, 40000)}" for _ in range(length))


def mezo(command, *arguments, cwd):
    done = subprocess.run([command, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def synchronised(device):
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Bench:
    def __init__(self, a, path, folder):
        self.a, self.path, self.folder = a, path, folder
        self.model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, a.dtype), attn_implementation="sdpa")
        self.model = self.model.to(a.device).eval()
        self.tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
        self.mezo = pathlib.Path(a.mezo).absolute()
        self.settings = [f"model.device={a.device}", f"model.dtype={a.dtype}"]

    @torch.no_grad()
    def forwards(self, ids, size):
        start = synchronised(self.a.device)
        for first in range(0, len(ids), size):
            batch = ids[first:first + size]
            longest = max(map(len, batch))
            rows = torch.tensor([[0] * (longest - len(i)) + i for i in batch], device=self.a.device)
            mask = torch.tensor([[0] * (longest - len(i)) + [1] * len(i) for i in batch], device=self.a.device)
            self.model(rows, attention_mask=mask, use_cache=False, logits_to_keep=1).logits.float().log_softmax(-1).cpu()
        return synchronised(self.a.device) - start

    def evaluation(self, length):
        draw = random.Random(1)
        rows = [{"text": text(draw.randrange(length // 2, length * 3 // 2), draw), "label": 0} for _ in range(self.a.rows)]
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        (self.folder / "task.yaml").write_text('prompt: "{text}"\noptions: {0: " w7", 1: " w8"}\n')
        (self.folder / "eval.yaml").write_text(json.dumps({
            "model": {"path": str(self.path)}, "task": {"file": "task.yaml", "test": "rows.jsonl", "test_size": "all"}, "output": "out"}))
        ids = sorted((self.tokenizer.encode(r["text"]).ids for r in rows), key=len)
        tokens = sum(map(len, ids))
        sizes = [s for s in (8, 16, 32, 64, 128, 256, 512) if s <= max(8, self.a.rows)]
        self.forwards(ids, 32)
        best = min(sizes, key=lambda size: self.forwards(ids, size))
        theirs, ours = [], []
        for _ in range(self.a.times):
            theirs.append(self.forwards(ids, best))
            mezo(self.mezo, "eval", "eval.yaml", "--overwrite", *self.settings, cwd=self.folder)
            ours.append(json.loads((self.folder / "out/result.json").read_text())["seconds"])
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"evaluation, {length} tokens: mezo {tokens / a:.0f} tokens/s, transformers (batches of {best}) {tokens / b:.0f}, {b / a:.2f} times",
              flush=True)

    @torch.no_grad()
    def generation(self):
        a, draw = self.a, random.Random(2)
        prompts = [text(a.prompt, draw) for _ in range(a.batch)]
        ids = torch.tensor([self.tokenizer.encode(p).ids for p in prompts], device=a.device)
        (self.folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": p}) + "\n" for p in prompts))

        def theirs():
            start = synchronised(a.device)
            self.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=a.new, min_new_tokens=a.new, do_sample=False,
                                pad_token_id=0)
            return synchronised(a.device) - start

        def ours():
            said = mezo(self.mezo, "predict", self.path, "--file", "prompts.jsonl", f"generation.max_new_tokens={a.new}", *self.settings,
                        cwd=self.folder).stderr
            tokens, speed = re.search(r"texts: (\d+) tokens in [\d.]+ s \((\d+) tokens/s", said).groups()
            assert int(tokens) == a.batch * a.new, said
            return int(tokens) / int(speed)

        theirs()
        pairs = [(ours(), theirs()) for _ in range(a.times)]
        x, y = (statistics.median(p) for p in zip(*pairs))
        tokens = a.batch * a.new
        print(f"generation, {a.batch} prompts of {a.prompt}, {a.new} new: mezo {tokens / x:.0f} tokens/s, transformers {tokens / y:.0f}, "
              f"{y / x:.2f} times", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--mezo", default=pathlib.Path(__file__).resolve().parent.parent / "build/release/bin/mezo")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--folder", type=pathlib.Path, help="where a random model is made; kept if given")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--length", type=int, nargs="*", default=[25, 133])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--times", type=int, default=3)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if a.model.startswith("random:"):
            path = (a.folder or folder / "model").absolute()
            if not (path / "config.json").exists():
                random_model(a.model.removeprefix("random:"), path, getattr(torch, a.dtype), a.device)
        else:
            path = pathlib.Path(a.model).absolute()
        bench = Bench(a, path, folder)
        print(f"{a.model}, {a.dtype}, {a.device}, {torch.get_num_threads()} threads, transformers {transformers.__version__}", flush=True)
        for length in a.length:
            bench.evaluation(length)
        bench.generation()


if __name__ == "__main__":
    main()
