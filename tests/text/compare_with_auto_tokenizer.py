#!/usr/bin/env python3
"""Compares tokenize_lines with AutoTokenizer on folders whose files disagree or are odd.

    compare_with_auto_tokenizer.py TOKENIZE_LINES [WORD…]      # only the folders whose name has a WORD

Each folder is made from goldens/gpt2 and must give AutoTokenizer's ids, alone and as a whole sequence, for texts
that contain the tokens in question with and without space around them; or it must be refused with the words given.
Exits with 77 (skipped) where transformers is absent.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from auto_tokenizer_folders import FOLDERS, PLAIN

SKIPPED = 77
TEXTS = ["It was great", "  It was  1987 ", "a\tb\n\nc", "don't", "", "é猫", "half ½  2nd 3.5%"]


def texts_with(words):
    texts = list(TEXTS)
    for word in words:
        texts += [word, f"a{word}b", f"a {word} b", f"a  {word}  b", f"{word}{word}", f"{word} {word}", f"\n{word}\n",
                  f"x{word}", f"{word}x", f"It was {word}.", f"_{word}é"]
    return texts


def write(folder, files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")


def answers(tool, folder, texts, *around):
    request = "".join(text.encode().hex() + "\n" for text in texts)
    answer = subprocess.run([tool, str(folder), *around], input=request, capture_output=True, text=True)
    if answer.returncode:
        return answer.stderr
    return [[int(i) for i in line.split("\t")[0].split()] for line in answer.stdout.split("\n")[:-1]]


def oracle(folder, texts, whole, of_file):
    if of_file:
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return [tokenizer.encode(text, add_special_tokens=whole).ids for text in texts]
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    return [tokenizer(text, add_special_tokens=whole).input_ids for text in texts]


def fault_of(tool, folder, case):
    texts = texts_with(case.words)
    if case.refused:
        got = answers(tool, folder, texts)
        return None if isinstance(got, str) and case.refused in got else f"expected '{case.refused}', got {got}"
    for whole in (False, True):
        got = answers(tool, folder, texts, *(["whole"] if whole else []))
        if isinstance(got, str):
            return got
        expected = oracle(folder, texts, whole, case.like_file)
        for text, ids, wanted in zip(texts, got, expected, strict=True):
            if ids != wanted:
                return f"{text!r} (whole: {whole})\n  expected {wanted}\n  got      {ids}"
    return None


def main():
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        import transformers
    except ImportError:
        print("SKIPPED: transformers is not installed")
        sys.exit(SKIPPED)
    transformers.logging.set_verbosity_error()
    tool, wanted = sys.argv[1], sys.argv[2:]
    wrong = count = 0
    for name, case in FOLDERS.items():
        if wanted and not any(word in name for word in wanted):
            continue
        count += 1
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made)
            write(folder, {"tokenizer.json": PLAIN, "config.json": {"model_type": "llama"}} | case.files)
            for absent in [n for n, content in case.files.items() if content is None]:
                (folder / absent).unlink()
            try:
                fault = fault_of(tool, folder, case)
            except Exception as error:  # the oracle does not read the folder
                fault = f"the oracle: {error!r}"
        if fault:
            wrong += 1
            print(f"{name}: {fault}")
    print(f"transformers {transformers.__version__}: {count} folders, {wrong} differ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
