#!/usr/bin/env python3
"""Frequencies of rotary positions, bit by bit against transformers' modeling_rope_utils.

    compare_rotary.py PRINT_ROTARY          # exits with 77 (skipped) where a package is absent
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from scores import *  # noqa: E402,F403
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS  # noqa: E402

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
SCALINGS = [
    {"rope_type": "linear", "factor": 8.0}, {"rope_type": "linear", "factor": 3},
    {"rope_type": "dynamic", "factor": 2.0}, {"rope_type": "dynamic", "factor": 2.1},
    LLAMA3, {**LLAMA3, "factor": 32.0}, {**LLAMA3, "factor": 3, "low_freq_factor": 0.7, "high_freq_factor": 9.3},
    YARN, {**YARN, "truncate": False}, {**YARN, "factor": None}, {**YARN, "attention_factor": 1.3}, {**YARN, "beta_fast": 16, "beta_slow": 0.3},
    {**YARN, "mscale": 1.0, "mscale_all_dim": 0.8}, {**YARN, "mscale": 1.0}, {**YARN, "factor": 0.5}, {**YARN, "original_max_position_embeddings": 7},
]


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "config.json"
        for scaling in SCALINGS:
            for width, base in ((128, 500000.0), (64, 10000.0), (10, 1e6)):
                values = dict(head_dim=width, max_position_embeddings=131072, rope_parameters={**scaling, "rope_theta": base})
                path.write_text(json.dumps(values))
                frequencies, amplitude = ROPE_INIT_FUNCTIONS[scaling["rope_type"]](transformers.LlamaConfig(**values))
                expected = [numpy.float32(amplitude)] + list(frequencies.numpy())
                done = subprocess.run([sys.argv[1], path, str(width)], capture_output=True, text=True)
                got = [numpy.float32(float.fromhex(line)) for line in done.stdout.split()]
                if got != expected:
                    wrong += 1
                    print(f"{scaling}, width {width}, base {base}: expected {expected}, got {got} {done.stderr}", flush=True)
    print(f"{len(SCALINGS) * 3} cases, {wrong} differ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
