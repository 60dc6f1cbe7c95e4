#!/usr/bin/env python3
"""Compares tokenize_lines with the tokenizers package on the models and data of the shared folder.

    compare_with_tokenizers.py TOKENIZE_LINES SHARED      # MEZO_SHARED in the environment wins

Every string in data/*/*.jsonl (once) and 12,000 random ones, for each model with vocab.json + merges.txt.
Exits with 77 (skipped) where the package or the folder is absent.
"""
import glob
import json
import os
import pathlib
import random
import subprocess
import sys

SKIPPED = 77
RANDOM_TEXTS = 12_000


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_in(part)


def data_texts(shared):
    seen = {}
    for path in sorted(glob.glob(str(shared / "data/*/*.jsonl"))):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                for text in strings_in(json.loads(line)):
                    seen.setdefault(text.encode("utf-8", "surrogatepass"))
    return list(seen)


def random_bytes(draw):
    """Mostly characters of many scripts and classes, words, marks and tokens; some bytes that are not UTF-8."""
    words = ["the", "It", " was", "'s", "'LL", "'re", " terrible", "</s>", "<pad>", "<mask>", "<s>", "n't", "\r\n", "  ", "\u200d"]
    ranges = [(0, 0x7F), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0x1680, 0x1680),
              (0x2000, 0x206F), (0x2070, 0x218F), (0x2460, 0x24FF), (0x3000, 0x30FF), (0x4E00, 0x4FFF), (0x1F300, 0x1FAFF),
              (0, 0xD7FF), (0xE000, 0x10FFFF)]
    out = b""
    for _ in range(draw.randint(1, 30)):
        kind = draw.random()
        if kind < 0.3:
            out += draw.choice(words).encode()
        elif kind < 0.95:
            out += chr(draw.randint(*draw.choice(ranges))).encode() * draw.choice([1, 1, 1, 1, 2, 3, 9])
        else:
            out += bytes(draw.randrange(256) for _ in range(draw.randint(1, 4)))
    return out


def oracle(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    vocabulary = json.loads((folder / "vocab.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    contents = {token_id: token for token, token_id in vocabulary.items()}
    special = [contents[config[key]] for key in ("bos_token_id", "eos_token_id", "pad_token_id")]
    if config["model_type"] == "roberta":
        special += ["<unk>", "<mask>"]
    tokenizer.add_special_tokens(special)
    return tokenizer


def compare(tool, folder, texts):
    reference = oracle(folder)
    request = "".join(text.hex() + "\n" for text in texts)
    answer = subprocess.run([tool, str(folder)], input=request, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{tool} {folder}: exit code {answer.returncode}\n{answer.stderr}")
    lines = answer.stdout.split("\n")[:-1]
    assert len(lines) == len(texts), (len(lines), len(texts))
    wrong = tokens = 0
    expected = reference.encode_batch([t.decode("utf-8", "replace") for t in texts], add_special_tokens=False)
    for text, line, encoding in zip(texts, lines, expected):
        ids, decoded = line.split("\t")
        ids = [int(i) for i in ids.split()]
        tokens += len(ids)
        returned = bytes.fromhex(decoded).decode("utf-8", "replace")
        if ids != encoding.ids or returned != text.decode("utf-8", "replace"):
            wrong += 1
            if wrong <= 5:
                print(f"{text!r}\n  expected {encoding.ids}\n  got      {ids} {returned!r}")
    print(f"{folder.name}: {len(texts)} texts, {tokens} tokens, {wrong} differ")
    return wrong


def main():
    tool, shared = sys.argv[1], pathlib.Path(os.environ.get("MEZO_SHARED") or sys.argv[2])
    try:
        import tokenizers
    except ImportError:
        skip("the tokenizers package is not installed")
    folders = sorted(p.parent for p in shared.glob("models/*/merges.txt"))
    if not folders:
        skip(f"no models with merges.txt in {shared}")
    draw = random.Random(7)
    texts = data_texts(shared) + [random_bytes(draw) for _ in range(RANDOM_TEXTS)]
    print(f"tokenizers {tokenizers.__version__}, {len(texts)} texts")
    sys.exit(1 if sum(compare(tool, folder, texts) for folder in folders) else 0)


if __name__ == "__main__":
    main()
