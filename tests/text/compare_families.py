#!/usr/bin/env python3
"""Compares tokenize_lines with the tokenizers package on small tokenizers of each family.

    compare_families.py TOKENIZE_LINES [SHARED] [WORD…]      # only the families whose name has a WORD

Ids and decoded text must be the package's for sentences in several languages, nasty and random strings, and every code
point, alone and beside others. Prints how fast each is. Exits with 77 (skipped) where the package is absent.
"""
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

SKIPPED = 77
NASTY = ["'ſ'S'LL'll K 'K", "don'T I'Ve", "x\r\n\r\n  \r y \n", "   \n\n\t a", "e\u0301\u0323\u0327 \u0344", "각\u11a8 \u1100\u1161\u11a8", "ﬁﬂ ßẞ ŉ",
         "İIıi ΑΣΑΣ", "12345678901", "1²3½Ⅳ٣३", "a\u00adb\u200bc\ufeff", "<s>a </s>b<added>", "<added> ü水 u\u0308水 Ü水 <l>  <r>  x", "  <l> <l>",
         "..!!?? ...a", "hello.World FooBar fooBAR XMLHttp", "<0x41><0x0A>▁▁a ▁ b", " lead", "  two", "trail ", "\x00\x01\x7f\ufffd",
         "日本語とEnglish混在123", "ก็ำ", "\U0001F468\u200d\U0001F469", "a" * 300, " " * 99 + "x", "\u0301" * 50, "!" * 150, "ab " * 99,
         "[UNK] [CLS] [MASK]", "do not , n't 'm ' x", "supercalifragilisticexpialidocious" * 4]


def all_points():
    """Each code point beside a letter, a digit, a space, a mark and itself."""
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = []
    for first in range(0, len(points), 128):
        texts.append("".join(f"a{c}{c}b 1{c}" for c in map(chr, points[first:first + 128])))
    # Beyond the first planes most are unassigned: some are enough.
    return texts[:0x3400 // 128] + texts[0x3400 // 128:0x33000 // 128:11] + texts[0x33000 // 128::101]


def sample(shared):
    from compare_with_tokenizers import data_texts, random_bytes
    from make_goldens import BYTES, SENTENCES, TEXTS, random_texts
    from tokenizer_families import CORPUS
    draw = random.Random(11)
    texts = NASTY + SENTENCES + TEXTS + CORPUS + random_texts(200) + all_points()
    texts = [text.encode() for text in texts] + BYTES + [random_bytes(draw) for _ in range(800)]
    return texts + draw.sample(data_texts(shared), 500) if shared.is_dir() else texts


def answer(tool, folder, texts):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([tool, folder], input="".join(t.hex() + "\n" for t in texts), capture_output=True, text=True)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.split("\n")[:-1], sum(map(len, texts)) / 1e6 / max(seconds, 1e-3)


def differences(tool, tokenizer, texts):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(str(pathlib.Path(folder) / "tokenizer.json"))
        lines, speed = answer(tool, folder, texts)
    assert len(lines) == len(texts), (len(lines), len(texts))
    wrong = 0
    expected = tokenizer.encode_batch([t.decode("utf-8", "replace") for t in texts], add_special_tokens=False)
    decoded = tokenizer.decode_batch([e.ids for e in expected], skip_special_tokens=False)
    for text, line, encoding, wanted in zip(texts, lines, expected, decoded, strict=True):
        ids, returned = line.split("\t")
        ids, returned = [int(i) for i in ids.split()], bytes.fromhex(returned).decode("utf-8", "replace")
        if ids != encoding.ids or returned != wanted:
            wrong += 1
            if wrong <= 2:
                what = "ids" if ids != encoding.ids else "decoded text"
                print(f"  {what} of {text.decode('utf-8', 'replace')[:100]!r}\n  expected {encoding.tokens[:20]} {wanted[:99]!r}\n"
                      f"  got      {[tokenizer.id_to_token(i) for i in ids[:20]]} {returned[:99]!r}")
    return wrong, speed


def main():
    try:
        import tokenizers
    except ImportError:
        print("SKIPPED: the tokenizers package is not installed")
        sys.exit(SKIPPED)
    from tokenizer_families import FAMILIES
    tool, shared, words = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    texts = sample(shared)
    print(f"tokenizers {tokenizers.__version__}, {len(texts)} texts")
    failed = 0
    for name, make in FAMILIES.items():
        if words and not any(word in name for word in words):
            continue
        try:
            few = name.startswith("behaviour")  # what a step alone does needs no more
            wrong, speed = differences(tool, make(), texts[::6] if few else texts)
        except RuntimeError as error:
            failed += 1
            print(f"{name}: {error}")
            continue
        failed += bool(wrong)
        print(f"{name}: {wrong} differ, {speed:.1f} MB/s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
