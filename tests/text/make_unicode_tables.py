#!/usr/bin/env python3
"""Writes the generated tables of core/text: make_unicode_tables.py core/text

Every class is asked of the tokenizers package (0.23.3), one code point at a time, so that it is the class that its
normalizers and pre-tokenizers use: the package's libraries follow Unicode of several ages. The case mappings of the
prompt modifiers are those of Python's str.
"""
import pathlib
import sys
import unicodedata

import regex
import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
ALL = "".join(map(chr, POINTS))
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cn Co".split()
HANGUL = range(0xAC00, 0xD7A4)


def ranges(points):
    out = []
    for c in points:
        if out and out[-1][1] + 1 == c:
            out[-1][1] = c
        else:
            out.append([c, c])
    return [tuple(r) for r in out]


def runs(pairs):
    """(first, last, value) of (point, value) in order."""
    out = []
    for c, value in pairs:
        if out and out[-1][1] + 1 == c and out[-1][2] == value:
            out[-1][1] = c
        else:
            out.append([c, c, value])
    return [tuple(r) for r in out]


def members(expression):
    split = pre_tokenizers.Split(Regex(f"[^{expression}]"), "removed")
    return [c for _, (begin, end) in split.pre_tokenize_str(ALL) for c in POINTS[begin:end]]


def cut_as(pre_tokenizer, pieces):
    cut = lambda c: [piece for piece, _ in pre_tokenizer.pre_tokenize_str(f"a{chr(c)}a")]
    return [c for c in POINTS if cut(c) == pieces(chr(c))]


def changed(normalizer):
    """Each code point that becomes something else, alone between two others, and what it becomes."""
    out = {}
    for c in POINTS:
        made = normalizer.normalize_str(f"a{chr(c)}a")[1:-1]
        if made != chr(c):
            out[c] = made
    return out


def bert(**what):
    return normalizers.BertNormalizer(**(dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False) | what))


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


def combining_classes(whole):
    """By the order that NFD gives to a mark and each of one known mark a class."""
    nfd = normalizers.NFD()
    overlay, iota = "\u0334", "\u0345"  # of the lowest class and of the highest
    in_order = lambda first, second: nfd.normalize_str(first + second) == first + second
    known = {1: overlay}
    for c in range(0x300, 0x3100):
        if c not in whole and not in_order(chr(c), overlay):
            known.setdefault(unicodedata.combining(chr(c)), chr(c))
    marks = [c for c in POINTS if c not in whole and c not in HANGUL and not (in_order(chr(c), overlay) and in_order(iota, chr(c)))]
    out = []
    for c in marks:
        smaller = [k for k, mark in known.items() if not in_order(chr(c), mark)]
        larger = [k for k, mark in known.items() if not in_order(mark, chr(c))]
        own = set(known) - set(smaller) - set(larger) or {unicodedata.combining(chr(c))}
        assert len(own) == 1 and max(smaller, default=0) < min(own) < min(larger, default=255), (hex(c), own)
        out.append((c, own.pop()))
    return runs(out)


def compositions(canonical):
    nfc, out = normalizers.NFC(), []
    for whole, parts in canonical.items():
        once = unicodedata.decomposition(chr(whole)).split()
        parts = "".join(chr(int(p, 16)) for p in once) if once else parts
        if len(parts) == 2 and nfc.normalize_str(parts) == chr(whole):
            out.append((ord(parts[0]), ord(parts[1]), whole))
    return sorted(out)


def grapheme_extenders():
    """What joins a letter before it into one grapheme: Precompiled, with x alone in its map, then takes both for x."""
    units = [0] * 512
    units[0] = 256 << 10                         # the root's children begin at 256
    units[256 ^ ord("x")] = ord("x") | 1 << 8 | 1 << 10  # a leaf, beside it
    units[256 ^ ord("x") ^ 1] = 1 << 31          # its value: the text at 0
    tree = b"".join(unit.to_bytes(4, "little") for unit in units)
    normalizer = normalizers.Precompiled(len(tree).to_bytes(4, "little") + tree + b"Y\0")
    return [c for c in POINTS if c not in (ord("x"),) and len(chr(c).encode()) < 5 and normalizer.normalize_str(f"x{chr(c)}") == "Y"]


def graphemes_of(name):
    return [c for c in POINTS if regex.match(rf"\p{{GCB={name}}}", chr(c))]


def hexadecimal(value, i):
    return f"{value:#x}" if i < 2 else str(value)


def emit(name, kind, rows, shown=hexadecimal):
    cells = ["{" + ", ".join(shown(v, i) for i, v in enumerate(r)) + "}" if isinstance(r, tuple) else f"{r:#x}" for r in rows]
    lines, line = [f"const {kind} {name}[] = {{"], "   "
    for cell in cells:
        if len(line) + len(cell) + 2 > 100:
            lines.append(line)
            line = "   "
        line += " " + cell + ","
    return "\n".join([*lines, line, "};", f"const std::size_t {name}_count = {len(rows)};\n\n"])


def emit_decompositions(name, mapping):
    pool, rows = [], []
    for whole, parts in mapping.items():
        rows.append((whole, len(pool), len(parts)))
        pool += map(ord, parts)
    return (emit(name, "Decomposition", rows, lambda v, i: str(v) if i else f"{v:#x}") +
            emit(f"{name}_parts", "char32_t", pool))


def file(header, body):
    return (f"// Made by tests/text/make_unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit by hand.\n"
            f'#include "core/text/{header}"\n\nnamespace mezo::unicode_tables {{\n\n// clang-format off\n{body}'
            "// clang-format on\n\n}  // namespace mezo::unicode_tables\n")


def classes():
    category = {c: name for name in CATEGORIES for c in members(rf"\p{{{name}}}")}
    assert len(category) == len(POINTS)
    enum = lambda v, i: hexadecimal(v, i) if i < 2 else f"Category::{v}"
    cleaned = changed(bert(clean_text=True))
    lower = changed(normalizers.Lowercase())
    assert [c for c, made in lower.items() if len(made) != 1] == [0x130] and lower[0x130] == "i\u0307"
    accents = lambda normalizer: ranges(c for c in POINTS if normalizer.normalize_str(chr(c)) == "")
    punctuation = cut_as(pre_tokenizers.BertPreTokenizer(), lambda c: ["a", c, "a"])
    assert punctuation == cut_as(pre_tokenizers.Punctuation(), lambda c: ["a", c, "a"])
    return "".join([
        emit("categories", "CategoryRun", runs((c, category[c]) for c in POINTS if category[c] != "Cn"), enum),
        emit("spaces", "Range", ranges(members(r"\s"))),
        emit("digits", "Range", ranges(cut_as(pre_tokenizers.Digits(individual_digits=True), lambda c: ["a", c, "a"]))),
        emit("punctuation", "Range", ranges(punctuation)),
        emit("bert_removed", "Range", ranges(c for c, made in cleaned.items() if made == "")),
        emit("bert_accents", "Range", accents(bert(strip_accents=True))),
        emit("accents", "Range", accents(normalizers.StripAccents())),
        emit("grapheme_extenders", "Range", ranges(grapheme_extenders())),
        emit("grapheme_prefixes", "Range", ranges(graphemes_of("Prepend"))),
        emit("grapheme_controls", "Range", ranges(sorted(graphemes_of("Control") + graphemes_of("CR") + graphemes_of("LF")))),
        emit("lower_case", "CaseRun", case_runs(str.lower)),
        emit("upper_case", "CaseRun", case_runs(str.upper)),
        emit("normalizer_lower_case", "CaseRun", case_runs(lambda c: lower.get(ord(c), c)))])


def forms():
    canonical = {c: made for c, made in changed(normalizers.NFD()).items() if c not in HANGUL}
    compatible = {c: made for c, made in changed(normalizers.NFKD()).items() if c not in HANGUL and made != canonical.get(c)}
    return "".join([
        emit_decompositions("canonical", canonical),
        emit_decompositions("compatible", compatible),
        emit("combining_classes", "CombiningRun", combining_classes(canonical)),
        emit("compositions", "Composition", compositions(canonical), lambda v, i: f"{v:#x}")])


if __name__ == "__main__":
    to = pathlib.Path(sys.argv[1])
    (to / "unicode_form_tables.cpp").write_text(file("unicode_form_tables.h", forms()))
    (to / "unicode_tables.cpp").write_text(file("unicode_tables.h", classes()))
