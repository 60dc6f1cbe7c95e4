#!/usr/bin/env python3
"""Reads what write_sample wrote with the safetensors package and compares every value: check_sample.py WRITE_SAMPLE PATH."""

import subprocess
import sys

SKIPPED = 77

try:
    import numpy as np
    import safetensors
    import safetensors.numpy
except ImportError as error:
    print(f"skipped: {error} (pip install -r tests/requirements.txt)")
    sys.exit(SKIPPED)


def main():
    program, path = sys.argv[1:]
    subprocess.run([program, path], check=True)
    weights = np.arange(15, dtype=np.float32) - 7.5
    with open(path, "rb") as file:
        data = file.read()
    assert (8 + int.from_bytes(data[:8], "little")) % 8 == 0, "the data must begin at a multiple of 8"
    tensors = dict(safetensors.deserialize(data))
    assert len(tensors) == 5, sorted(tensors)
    expected = {
        "a.weight": ("F32", [3, 5], weights.tobytes()),
        "b.half": ("F16", [15], weights.astype(np.float16).tobytes()),
        "c.brain": ("BF16", [5, 3], (weights.view(np.uint32) >> 16).astype(np.uint16).tobytes()),
        'naïve "name"': ("I64", [3], np.array([1, -2, 3]).tobytes()),
        "empty": ("F32", [0, 2], b""),
    }
    for name, (dtype, shape, content) in expected.items():
        got = tensors[name]
        assert (got["dtype"], list(got["shape"]), bytes(got["data"])) == (dtype, shape, content), name
    with safetensors.safe_open(path, framework="np") as opened:
        assert opened.metadata() == {"format": "pt", "note": "line\nbreak"}, opened.metadata()


if __name__ == "__main__":
    main()
