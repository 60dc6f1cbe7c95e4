#!/usr/bin/env python3
"""Writes core/text/unicode_tables.cpp: make_unicode_tables.py > core/text/unicode_tables.cpp

The character classes are asked of the tokenizers package (0.23.3), one code point at a time, so that
they are the classes its pre-tokenizers use; the case mappings are those of Python's str.
"""
import tokenizers
from tokenizers import pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
DIGITS = pre_tokenizers.Digits(individual_digits=True)


def ranges(points):
    out = []
    for c in points:
        if out and out[-1][1] + 1 == c:
            out[-1][1] = c
        else:
            out.append([c, c])
    return [tuple(r) for r in out]


def joins(first, c):
    return len(BYTE_LEVEL.pre_tokenize_str(first + chr(c))) == 1


def case_runs(change):
    """(first, last, step, delta) of the code points that change into one other code point."""
    out = []
    for c in POINTS:
        other = change(chr(c))
        if len(other) != 1 or ord(other) == c:
            continue
        delta = ord(other) - c
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            gap = c - last
            if gap <= 2 and (first == last or gap == step):
                out[-1] = (first, c, gap, delta)
                continue
        out.append((c, c, 1, delta))
    return out


def emit(name, kind, rows):
    cells = ["{" + ", ".join(f"{v:#x}" if i < 2 else str(v) for i, v in enumerate(r)) + "}" for r in rows]
    print(f"const {kind} {name}[] = {{")
    line = "   "
    for cell in cells:
        if len(line) + len(cell) + 2 > 100:
            print(line)
            line = "   "
        line += " " + cell + ","
    print(line + "\n};")
    print(f"const std::size_t {name}_count = {len(rows)};\n")


letters = [c for c in POINTS if joins("a", c)]
numbers = [c for c in POINTS if joins("1", c)]
others = {c for c in POINTS if joins("!", c)}
spaces = sorted(set(POINTS) - set(letters) - set(numbers) - others)
digits = [c for c in POINTS if len(DIGITS.pre_tokenize_str("a" + chr(c))) == 2]

print(f"""// Made by tests/text/make_unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit by hand.
#include "core/text/unicode_tables.h"

namespace mezo::unicode_tables {{

// clang-format off""")
emit("letters", "Range", ranges(letters))
emit("numbers", "Range", ranges(numbers))
emit("spaces", "Range", ranges(spaces))
emit("digits", "Range", ranges(digits))
emit("lower_case", "CaseRun", case_runs(str.lower))
emit("upper_case", "CaseRun", case_runs(str.upper))
print("// clang-format on\n\n}  // namespace mezo::unicode_tables")
