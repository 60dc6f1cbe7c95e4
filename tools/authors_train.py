#!/usr/bin/env python3
"""Trains with the MeZO authors' algorithm (Malladi et al. 2023), written plainly in PyTorch on transformers, in each PEFT mode: what
`mezo run` is compared with in docs/peft.md. In-place perturbation, four passes a step, z from PyTorch's generator.

  .venv/bin/python tools/authors_train.py --model models/opt-30m --mode lora --rates 3e-4 1e-3 --seeds 0 1 2 --bos 0
      --train data/sst2/train.jsonl --test data/sst2/dev.jsonl

The modes are as in that paper: LoRA of rank 8 and alpha 16 beside the query and value projections (B from zero); a prefix of 5 keys and
values a layer that starts from the activations of random tokens and shifts no position. Prints a JSON line for each rate and seed:
accuracy on every --test file before and after. Examples are JSON lines; options must be single tokens.

With --time TOKENS: the seconds of a step on sequences of so many random tokens, with the loss of every token; --model may then be an OPT
shape, of random weights. tools/bench quotes it.
"""
import argparse
import itertools
import json
import math
import random
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers

EPSILON = {"full": 1e-3, "lora": 1e-2, "prefix": 1e-1}
SHAPES = {  # hidden, layers, heads
    "opt-125m": (768, 12, 12), "opt-1.3b": (2048, 24, 32), "opt-2.7b": (2560, 32, 32), "opt-6.7b": (4096, 32, 32),
    "opt-13b": (5120, 40, 40), "opt-30b": (7168, 48, 56), "opt-66b": (9216, 64, 72)}


class Full:
    def __init__(self, model, args):
        self.parameters = list(model.parameters())
        self.start = [] if args.time else [p.detach().clone() for p in self.parameters]

    def restart(self, seed):
        for parameter, start in zip(self.parameters, self.start):
            parameter.data.copy_(start)

    def inputs(self, ids, mask):
        return {"input_ids": ids, "attention_mask": mask, "use_cache": False}


class Lora(Full):
    def __init__(self, model, args):
        self.parameters, self.factors = [], []
        for name, module in model.named_modules():
            if name.endswith(("q_proj", "v_proj")):
                a = torch.zeros(args.rank, module.in_features, device=args.device, dtype=model.dtype)
                b = torch.zeros(module.out_features, args.rank, device=args.device, dtype=model.dtype)
                self.parameters += [a, b]
                module.register_forward_hook(lambda m, x, y, a=a, b=b: y + args.alpha / args.rank * (x[0] @ a.T) @ b.T)

    def restart(self, seed):
        torch.manual_seed(seed)
        for a, b in zip(self.parameters[::2], self.parameters[1::2], strict=True):
            torch.nn.init.kaiming_uniform_(a, math.sqrt(5))
            b.zero_()


class Prefix(Full):
    def __init__(self, model, args):
        self.model, self.length, self.device, self.parameters = model, args.prefix, args.device, []

    def restart(self, seed):
        torch.manual_seed(seed)
        tokens = torch.randint(0, self.model.config.vocab_size, (1, self.length)).to(self.device)
        layers = self.model(input_ids=tokens, use_cache=True).past_key_values.layers
        self.parameters[:] = [part.clone() for layer in layers for part in (layer.keys, layer.values)]

    def inputs(self, ids, mask):
        cache = transformers.DynamicCache()
        for i, (keys, values) in enumerate(zip(self.parameters[::2], self.parameters[1::2], strict=True)):
            cache.update(keys.expand(len(ids), -1, -1, -1), values.expand(len(ids), -1, -1, -1), i)
        seen = torch.cat([torch.ones(len(ids), self.length, dtype=mask.dtype, device=mask.device), mask], 1)
        positions = torch.arange(ids.shape[1], device=ids.device).expand(len(ids), -1)
        return {"input_ids": ids, "attention_mask": seen, "position_ids": positions, "past_key_values": cache}


MODES = {"full": Full, "lora": Lora, "prefix": Prefix}


def encode(path, limit, tokenizer, args):
    """[(token ids, label)]; the last token's logits score the options."""
    with open(path) as file:
        rows = [json.loads(line) for line in file][:limit]
    bos = [] if args.bos is None else [args.bos]
    field = args.prompt.split("{", 1)[1].split("}", 1)[0]
    texts = [args.prompt.replace("{" + field + "}", row[field].strip()) for row in rows]
    return [(bos + tokenizer(text, add_special_tokens=False).input_ids, int(row["label"])) for text, row in zip(texts, rows, strict=True)]


def option_scores(model, mode, batch, options, device):
    """[examples, options]: logits; and the labels."""
    lengths = [len(ids) for ids, _ in batch]
    ids = torch.zeros(len(batch), max(lengths), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, (tokens, _) in enumerate(batch):
        ids[i, : len(tokens)] = torch.tensor(tokens)
        mask[i, : len(tokens)] = 1
    logits = model(**mode.inputs(ids.to(device), mask.to(device))).logits
    last = torch.tensor(lengths, device=device) - 1
    return logits[torch.arange(len(batch), device=device), last][:, options].float(), torch.tensor([y for _, y in batch], device=device)


def accuracy(model, mode, data, options, device):
    hits = 0
    for start in range(0, len(data), 64):
        scores, labels = option_scores(model, mode, data[start : start + 64], options, device)
        hits += (scores.argmax(-1) == labels).sum().item()
    return hits / len(data)


def perturb(parameters, seed, scale):
    torch.manual_seed(seed)
    for p in parameters:
        p.data.add_(torch.normal(0.0, 1.0, p.shape, device=p.device, dtype=p.dtype), alpha=scale)


def step(mode, loss, seed, epsilon, rate):
    perturb(mode.parameters, seed, epsilon)
    plus = loss()
    perturb(mode.parameters, seed, -2 * epsilon)
    minus = loss()
    perturb(mode.parameters, seed, epsilon)
    g = ((plus - minus) / (2 * epsilon)).item()
    perturb(mode.parameters, seed, -rate * g)


@torch.inference_mode()
def train(model, mode, train_rows, tests, options, args, rate, seed):
    mode.restart(seed)
    randomness, order = random.Random(seed), []
    before = [accuracy(model, mode, test, options, args.device) for test in tests]
    start = time.perf_counter()
    for i in range(args.steps):
        while len(order) < args.batch:  # each epoch in an order of its own
            order += randomness.sample(train_rows, len(train_rows))
        batch, order = order[: args.batch], order[args.batch :]

        def loss(batch=batch):
            scores, labels = option_scores(model, mode, batch, options, args.device)
            return F.cross_entropy(scores, labels)

        now = rate * (1 - i / args.steps) if args.schedule == "linear" else rate
        step(mode, loss, randomness.randrange(10**9), args.epsilon or EPSILON[args.mode], now)
    seconds = (time.perf_counter() - start) / max(1, args.steps)
    after = [accuracy(model, mode, test, options, args.device) for test in tests]
    return {"mode": args.mode, "rate": rate, "schedule": args.schedule, "seed": seed, "steps": args.steps, "before": before, "after": after,
            "seconds_a_step": seconds}


@torch.inference_mode()
def time_steps(model, mode, args):
    mode.restart(0)
    ids = torch.randint(4, model.config.vocab_size, (args.batch, args.time), device=args.device)
    mask, times = torch.ones_like(ids), []

    def loss():
        logits = model(**mode.inputs(ids, mask)).logits[:, :-1]
        return F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    for _ in range(args.steps + 1):
        start = time.perf_counter()
        step(mode, loss, 1, args.epsilon or EPSILON[args.mode], 1e-6)
        if args.device != "cpu":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return {"mode": args.mode, "batch": args.batch, "length": args.time, "step_s": statistics.median(times[1:])}


def from_files(kind, path, **options):
    path = Path(path)
    if path.suffix == ".gguf":
        return kind.from_pretrained(path.parent, gguf_file=path.name, **options)
    return kind.from_pretrained(path, **options)


def load(args):
    dtype = getattr(torch, args.dtype)
    if args.model not in SHAPES:
        return from_files(transformers.AutoModelForCausalLM, args.model, dtype=dtype).to(args.device).eval().requires_grad_(False)
    hidden, layers, heads = SHAPES[args.model]
    config = transformers.OPTConfig(hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, ffn_dim=4 * hidden,
                                    word_embed_proj_dim=hidden, vocab_size=50272)
    with torch.device("meta"):
        model = transformers.OPTForCausalLM(config)
    model = model.to(dtype).to_empty(device=args.device).eval().requires_grad_(False)
    model.tie_weights()
    for p in model.parameters():
        p.data.normal_(0, 0.02)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a Hugging Face folder or a .gguf file; with --time also " + ", ".join(SHAPES))
    parser.add_argument("--mode", choices=MODES, default="full")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    parser.add_argument("--time", type=int, metavar="TOKENS", help="only measure --steps steps on sequences of this length")
    parser.add_argument("--train")
    parser.add_argument("--train-size", type=int, default=1000)
    parser.add_argument("--test", nargs="+")
    parser.add_argument("--prompt", default="{sentence} It was")
    parser.add_argument("--options", nargs="+", default=[" terrible", " great"])
    parser.add_argument("--bos", type=int, help="a token that every sequence begins with")
    parser.add_argument("--rates", nargs="+", type=float, help="learning rates")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--schedule", choices=["constant", "linear"], default="constant")
    parser.add_argument("--epsilon", type=float, help="default: the authors' for the mode")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--prefix", type=int, default=5)
    args = parser.parse_args()
    if args.time is not None and args.time < 2:
        parser.error("--time needs sequences of at least 2 tokens: the loss is of each token after the first")
    if args.model in SHAPES and args.time is None:
        parser.error(f"{args.model} has random weights, of which only a step's --time says anything")
    if args.time is not None:
        model = load(args)
        print(json.dumps(time_steps(model, MODES[args.mode](model, args), args)))
        return
    if not (args.train and args.test and args.rates):
        parser.error("training needs --train, --test and --rates")
    tokenizer = from_files(transformers.AutoTokenizer, args.model)
    options = [tokenizer(option, add_special_tokens=False).input_ids for option in args.options]
    if any(len(ids) != 1 for ids in options):
        parser.error(f"every option must be one token, got {dict(zip(args.options, options))}")
    options = [ids[0] for ids in options]
    model = load(args)
    rows = encode(args.train, args.train_size, tokenizer, args)
    tests = [encode(path, None, tokenizer, args) for path in args.test]
    mode = MODES[args.mode](model, args)
    for rate, seed in itertools.product(args.rates, args.seeds):
        print(json.dumps(train(model, mode, rows, tests, options, args, rate, seed)), flush=True)


if __name__ == "__main__":
    main()
