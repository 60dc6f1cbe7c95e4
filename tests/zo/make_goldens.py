#!/usr/bin/env python3
"""Writes tests/zo/golden: values of z and of the batch order that may never change, computed here in plain Python integers from
the description in core/zo/direction.h and philox.h, sharing no code with them. Checks itself against the known-answer vectors of
Random123, and core/zo/normal_table.inc against quantiles computed with 50 decimal digits.

    make_goldens.py            # writes the files
    make_goldens.py --check    # exits with 1 if the files are not what would be written
"""
import decimal
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "core/zo/normal_table.inc"
WORD, LONG = 2**32 - 1, 2**64 - 1
DIRECTION, ORDER = 0, 1

# Random123, kat_vectors, philox4x32 10: counter, key, result (zeros; all ones; digits of pi).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD,) * 4, (WORD,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


def philox(counter, key):
    a, b, c, d = counter
    k, l = key
    for _ in range(10):
        first, second = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (second >> 32) ^ b ^ k, second & WORD, (first >> 32) ^ d ^ l, first & WORD
        k, l = (k + 0x9E3779B9) & WORD, (l + 0xBB67AE85) & WORD
    return a, b, c, d


def key_of(seed, name):
    h = 14695981039346656037
    for byte in name.encode():
        h = ((h ^ byte) * 1099511628211) & LONG
    h = (h + (seed + 1) * 0x9E3779B97F4A7C15) & LONG
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & LONG
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) & LONG
    h ^= h >> 31
    return h & WORD, h >> 32


def counter_of(block, step, probe, purpose):
    return block & WORD, step, probe, purpose * 2**24 + (block >> 32) % 2**24


def bits_of_z(table, key, step, probe, element):
    words = philox(counter_of(element // 8, step, probe, DIRECTION), key)
    whole = sum(word << (32 * i) for i, word in enumerate(words))  # 128 bits, element 0 of the block lowest
    bits = (whole >> (16 * (element % 8))) & 0xFFFF
    return table[bits % 2048] + (2**31 if bits >= 2**15 else 0)


def permutation(seed, epoch, n):
    key, order = key_of(seed, "batch order"), list(range(n))
    for left in range(n, 1, -1):
        high, low, _, _ = philox(counter_of(left, epoch, 0, ORDER), key)
        place = (high * 2**32 + low) * left >> 64
        order[left - 1], order[place] = order[place], order[left - 1]
    return order


def read_table():
    text = "".join(line for line in TABLE.read_text().splitlines() if not line.startswith("//"))
    return [struct.unpack("<I", struct.pack("<f", float.fromhex(v.strip().rstrip("f"))))[0] for v in text.split(",") if v.strip()]


def half_normal_quantile(p, guess):
    """x with P(|N(0,1)| < x) = p, by Newton's method on the series of erf."""
    D = decimal.Decimal
    root = (D(2) / D("3.14159265358979323846264338327950288419716939937510582")).sqrt()
    x = D(guess)
    for _ in range(3):
        term = total = x
        n = 0
        while abs(term) > D(10) ** -48:  # P(|N| < x) = sqrt(2/pi) sum of (-1)^n x^(2n+1) / (2^n n! (2n+1))
            n += 1
            term *= -x * x / (2 * n)
            total += term / (2 * n + 1)
        x -= (root * total - p) / (root * (-x * x / 2).exp())
    return x


def check_table(table):
    decimal.getcontext().prec = 60
    from statistics import NormalDist
    count = 2048
    quantiles = [half_normal_quantile(decimal.Decimal(2 * i + 1) / (2 * count), NormalDist().inv_cdf(0.5 + (i + 0.5) / (2 * count)))
                 for i in range(count)]
    scale = (sum(q * q for q in quantiles) / count).sqrt()
    for i, quantile in enumerate(quantiles):
        expected = struct.unpack("<I", struct.pack("<f", float(quantile / scale)))[0]
        assert table[i] == expected, f"magnitude {i}: {table[i]:08x} in the table, {expected:08x} computed"


NAMES = ["model.embed_tokens.weight", "model.layers.29.mlp.down_proj.weight", "h.0.attn.c_attn.bias", "naïve.重み", "", "a"]
SEEDS = [0, 1, 42, 2**63, LONG]
STEPS = [0, 1, 19999, WORD]
PROBES = [0, 1, 7]
FIRSTS = [0, 1, 7, 8, 9, 15, 1023, 2**32 - 3, 2**32, 2**35 - 5, 2**35, 2**35 + 8 * 2**20 - 1, 2**44 + 3, 2**50 - 4]


def directions(table):
    lines = ["# name as hexadecimal UTF-8, seed, step, probe, first element, bits of z at 8 elements; made by make_goldens.py"]
    for i in range(70):
        name, seed, step, probe, first = (NAMES[i % 6], SEEDS[i % 5], STEPS[i // 2 % 4], PROBES[i // 3 % 3], FIRSTS[i % 14])
        key = key_of(seed, name)
        values = [bits_of_z(table, key, step, probe, first + j) for j in range(8)]
        lines.append("\t".join([name.encode().hex() or "-", str(seed), str(step), str(probe), str(first)] + [f"{v:08x}" for v in values]))
    return "\n".join(lines) + "\n"


def orders():
    lines = ["# seed, epoch, the permutation; made by make_goldens.py"]
    for seed, epoch, n in [(0, 0, 1), (0, 0, 2), (0, 0, 10), (0, 1, 10), (1, 0, 10), (2**63, WORD, 10), (42, 3, 100)]:
        lines.append("\t".join(map(str, [seed, epoch] + permutation(seed, epoch, n))))
    return "\n".join(lines) + "\n"


def main():
    for counter, key, result in KNOWN:
        assert philox(counter, key) == result, "Philox differs from Random123's known answers"
    table = read_table()
    assert len(table) == 2048
    check_table(table)
    written = {"directions.tsv": directions(table), "orders.tsv": orders()}
    for name, text in written.items():
        path = HERE / "golden" / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not what make_goldens.py computes")


if __name__ == "__main__":
    main()
