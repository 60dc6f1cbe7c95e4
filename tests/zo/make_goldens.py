#!/usr/bin/env python3
"""Writes tests/zo/golden: values of z, of the batch order and of stochastic rounding that may never change, computed here in plain
Python integers and fractions from the description in core/zo/direction.h, philox.h and rounding.h, sharing no code with them. Checks itself against the known-answer vectors of
Random123, and core/zo/normal_table.inc against quantiles computed with 50 decimal digits.

    make_goldens.py            # writes the files
    make_goldens.py --check    # exits with 1 if the files are not what would be written
"""
import decimal
import fractions
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "core/zo/normal_table.inc"
WORD, LONG = 2**32 - 1, 2**64 - 1
DIRECTION, ORDER, SIGNS = 0, 1, 3

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


def is_negative(key, step, probe, element):
    """Whether a Rademacher z is -1: a bit of 128."""
    words = philox(counter_of(element // 128, step, probe, SIGNS), key)
    whole = sum(word << (32 * i) for i, word in enumerate(words))
    return (whole >> (element % 128)) & 1


def rounding_draw(key, step, element):
    """16 bits of word k of the step's first block, made of the words 1 and 2, 2 and 3, 3 and 0, 0 and 1."""
    words, place = philox(counter_of(element // 8, step, 0, DIRECTION), key), element % 8
    first = (place // 2 + 1) % 4
    return ((words[first] ^ words[(first + 1) % 4]) >> (16 * (place % 2))) & 0xFFFF


class Binary:
    """A binary floating-point type: its magnitudes are the numbers m * 2**unit with m < 2**precision, unit >= lowest."""

    def __init__(self, precision, lowest, largest, resolution):
        self.precision, self.lowest, self.largest = precision, lowest, largest
        self.resolution = resolution  # how many bits of the way to the next neighbour are looked at

    def neighbour_and_way(self, magnitude):
        """The neighbour towards zero, the spacing, and how far above the neighbour it lies: in 2**-resolution, cut off."""
        unit = self.lowest
        while magnitude >= fractions.Fraction(2) ** (unit + self.precision):
            unit += 1
        spacing = fractions.Fraction(2) ** unit
        below = magnitude // spacing * spacing
        return below, spacing, (magnitude - below) * 2**self.resolution // spacing

    def rounded(self, magnitude, draw16):
        below, spacing, way = self.neighbour_and_way(magnitude)
        return min(self.largest, below + (spacing if way + (draw16 >> (16 - self.resolution)) >= 2**self.resolution else 0))

    def first_draw_up(self, magnitude):
        return (2**self.resolution - self.neighbour_and_way(magnitude)[2]) << (16 - self.resolution)


BF16 = Binary(8, -133, fractions.Fraction(255 * 2**120), 16)
BF16_8 = Binary(16, -141, fractions.Fraction(65535 * 2**112), 8)
FP16 = Binary(11, -24, fractions.Fraction(65504), 16)


def magnitude_of(bits):
    """Of a finite fp32."""
    exponent, mantissa = bits >> 23 & 255, bits & (2**23 - 1)
    return (mantissa + (2**23 if exponent else 0)) * fractions.Fraction(2) ** (max(exponent, 1) - 150)


def bits_of(magnitude, mantissa_bits, bias):
    """A number that a type of so many mantissa bits holds."""
    exponent = 1
    while magnitude * fractions.Fraction(2) ** (bias - exponent) >= 2:
        exponent += 1
    scaled = magnitude * fractions.Fraction(2) ** (bias - exponent + mantissa_bits)
    assert scaled.denominator == 1
    whole = int(scaled)
    return (exponent << mantissa_bits) + whole - 2**mantissa_bits if whole >= 2**mantissa_bits else whole


def round_all(bits, draw16):
    """As bf16 and bf16+8 (the bits of an fp32 each) and fp16."""
    sign, low = bits >> 31, bits & (2**31 - 1)
    if low >= 0x7F800000:
        payload = low & (2**23 - 1)
        if payload:  # a NaN keeps the upper bits of its payload and becomes quiet
            payload |= 2**22
        results = [0x7F800000 | payload >> 16 << 16, 0x7F800000 | payload >> 8 << 8, 0x7C00 | payload >> 13]
    else:
        value = magnitude_of(low)
        results = [bits_of(t.rounded(value, draw16), 23, 127) for t in (BF16, BF16_8)]
        results.append(bits_of(FP16.rounded(value, draw16), 10, 15))
    return results[0] | sign << 31, results[1] | sign << 31, results[2] | sign << 15


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


def signs():
    lines = ["# name as hexadecimal UTF-8, seed, step, probe, first element, signs of 40 elements; made by make_goldens.py"]
    firsts = FIRSTS + [31, 32, 95, 127, 128, 2**39 - 17, 2**63 - 64]
    for i in range(42):
        name, seed, step, probe, first = NAMES[i % 6], SEEDS[i % 5], STEPS[i // 2 % 4], PROBES[i // 3 % 3], firsts[i % 21]
        key = key_of(seed, name)
        text = "".join("-" if is_negative(key, step, probe, first + j) else "+" for j in range(40))
        lines.append("\t".join([name.encode().hex() or "-", str(seed), str(step), str(probe), str(first), text]))
    return "\n".join(lines) + "\n"


def rounding_draws():
    lines = ["# name as hexadecimal UTF-8, seed, step, first element, 16 bits for 10 elements; made by make_goldens.py"]
    for i in range(28):
        name, seed, step, first = NAMES[i % 6], SEEDS[i % 5], STEPS[i // 2 % 4], FIRSTS[i % 14]
        key = key_of(seed, name)
        draws = [f"{rounding_draw(key, step, first + j):04x}" for j in range(10)]
        lines.append("\t".join([name.encode().hex() or "-", str(seed), str(step), str(first)] + draws))
    return "\n".join(lines) + "\n"


# Magnitudes of every kind, as the bits of fp32.
ORDINARY = [0x3CA3D70A, 0x3F800000, 0x3F7FFFFF, 0x3F800001, 0x3F808000, 0x3F80FFFF, 0x3F801000, 0x3F80007F, 0x40490FDB, 0x3A83126F, 0x3D00FF80]
SMALL_FOR_FP16 = [0x38800000, 0x387FFFFF, 0x387FE000, 0x38000001, 0x33800000, 0x33800001, 0x337FFFFF, 0x33000000, 0x32FFFFFF, 0x33C00000,
                  0x34123456, 0x37654321, 0x2B800001, 0x2B7FFFFF, 0x27800000, 0x2F400000]
TINY = [0, 1, 0xFF, 0x100, 0xFFFF, 0x10000, 0x18000, 0x7FFFFF, 0x800000, 0x800001, 0x80FFFF, 0x00ABCDEF]
LARGE = [0x477FE000, 0x477FDFFF, 0x477FC001, 0x477FE001, 0x477FF000, 0x477FFFFF, 0x47800000, 0x60AD78EC, 0x7F7F0000, 0x7F7EFFFF, 0x7F7F0001,
         0x7F7FFF00, 0x7F7FFEFF, 0x7F7FFF01, 0x7F7FFFFF]
SPECIAL = [0x7F800000, 0x7FC00000, 0x7F800001, 0x7F8000FF, 0x7F812345, 0x7FFFFFFF, 0x7FA00000]


def roundings():
    lines = ["# bits of fp32, 16 random bits, and what they round to: bf16 and bf16+8 as bits of fp32, fp16; made by make_goldens.py"]
    for i, low in enumerate(ORDINARY + SMALL_FOR_FP16 + TINY + LARGE + SPECIAL):
        draws = {0, 1, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFEFF, 0xFFFF}
        if low < 0x7F800000:  # the draws on both sides of each type's boundary
            ups = [t.first_draw_up(magnitude_of(low)) for t in (BF16, BF16_8, FP16)]
            draws |= {min(0xFFFF, max(0, up + side)) for up in ups for side in (-1, 0)}
        for j, draw in enumerate(sorted(draws)):
            bits = low | ((i + j) % 2) << 31
            bf16, bf16_8, fp16 = round_all(bits, draw)
            lines.append(f"{bits:08x}\t{draw:04x}\t{bf16:08x}\t{bf16_8:08x}\t{fp16:04x}")
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
    written = {"directions.tsv": directions(table), "signs.tsv": signs(), "orders.tsv": orders(),
               "rounding_draws.tsv": rounding_draws(), "roundings.tsv": roundings()}
    for name, text in written.items():
        path = HERE / "golden" / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not what make_goldens.py computes")


if __name__ == "__main__":
    main()
