#!/usr/bin/env python3
"""Gives every row of a classification file the text that answers it, for a task with `answers`. Only the standard library.

    tools/label_texts.py data/sst2/train.jsonl data/sst2_texts/train.jsonl 0="a bad movie" 1="a good movie"
"""

import argparse
import json
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, help="JSON lines")
    parser.add_argument("out", type=Path, help="the same rows with a field `answer` beside the others")
    parser.add_argument("texts", nargs="+", metavar="VALUE=TEXT", help="a value of the label field and its text")
    parser.add_argument("--label", default="label", help="the label field")
    arguments = parser.parse_args()
    texts = dict(text.split("=", 1) for text in arguments.texts)
    lines = []
    for number, line in enumerate(arguments.rows.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        value = str(row[arguments.label])
        if value not in texts:
            parser.error(f"{arguments.rows}:{number}: {arguments.label} is {value}, for which no text was given; add {value}=TEXT")
        lines.append(json.dumps(row | {"answer": texts[value]}, ensure_ascii=False) + "\n")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
