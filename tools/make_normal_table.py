#!/usr/bin/env python3
"""Write core/zo/normal_table.inc: the 2,048 magnitudes that core/zo/direction.h maps 11 random bits to.

Magnitude i is the quantile of |N(0, 1)| at (i + 1/2) / 2048, all scaled by one factor so that their mean square is 1, and
rounded once to fp32. Hexadecimal floats, so that every compiler reads the same bits. Run from the repository's root.
"""
from statistics import NormalDist
import struct

COUNT = 2048


def fp32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def main():
    quantiles = [NormalDist().inv_cdf(0.5 + (i + 0.5) / (2 * COUNT)) for i in range(COUNT)]
    scale = (sum(q * q for q in quantiles) / COUNT) ** -0.5
    values = [fp32(q * scale).hex() for q in quantiles]
    with open("core/zo/normal_table.inc", "w") as out:
        out.write("// Made by tools/make_normal_table.py; do not edit.\n")
        for i in range(0, COUNT, 4):
            out.write(" ".join(f"{v}f," for v in values[i:i + 4]) + "\n")


if __name__ == "__main__":
    main()
