"""Random blocks of ggml's quantised types, which tests write into GGUF files."""

import gguf
import numpy as np

# Where the fp16 scales of a block are.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2],
          "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}


def with_scales(blocks, kind, halves):
    """Puts fp16 scales, halves() an array of their bits, into blocks [n, bytes]."""
    for place in SCALES[kind.name]:
        blocks[:, place:place + 2] = halves()[:, None].view(np.uint8)
    return blocks


def random_blocks(draw, kind, rows, columns):
    """Bytes [rows, bytes of a row] whose weights have a spread of about 1 / sqrt(columns), and the type."""
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    count = rows * columns // weights
    blocks = draw.integers(0, 256, (count, size), dtype=np.uint8)
    ones = with_scales(blocks, kind, lambda: np.ones(count, np.float16).view(np.uint16))
    spread = gguf.dequantize(ones, kind).std() * columns ** 0.5
    blocks = with_scales(blocks, kind, lambda: (draw.uniform(0.5, 2, count) / spread).astype(np.float16).view(np.uint16))
    return blocks.reshape(rows, -1), kind
