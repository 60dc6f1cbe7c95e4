#!/usr/bin/env python3
"""Writes tests/io/golden with the PyPI packages safetensors, gguf and numpy (tests/requirements.txt) as oracles.

Every file is a function of the fixed seeds below, so a second run writes the same bytes. NAME.f32 holds the fp32 values that the
oracle gives for tensor NAME of the file whose stem is its folder, blocks.sha256 the hashes of those of blocks.gguf; fp32_to_16.bin holds records of fp32 bits, fp16 bits, bf16 bits.
"""

import hashlib
import json
import pathlib
import shutil
import struct

import gguf
import numpy as np
import safetensors

from blocks import SCALES, with_scales

GOLDEN = pathlib.Path(__file__).parent / "golden"
RNG = np.random.default_rng(20240229)

PACKAGE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
                 "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}


def bf16(values):
    return gguf.quantize(np.asarray(values, np.float32), gguf.GGMLQuantizationType.BF16).view(np.uint8).tobytes()


def write_floats(folder, name, values):
    path = GOLDEN / folder / f"{name}.f32"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(np.ascontiguousarray(values, np.float32).tobytes())


def save(path, tensors, metadata):
    # The package takes addresses: the arrays must outlive the call.
    arrays = {name: np.frombuffer(data or b"\0", np.uint8) for name, (_, _, data) in tensors.items()}
    entries = {name: safetensors.TensorSpec(dtype=PACKAGE_NAMES[dtype], shape=shape,
                                            data_ptr=arrays[name].ctypes.data, data_len=len(data))
               for name, (dtype, shape, data) in tensors.items()}
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(safetensors.serialize(entries, metadata))


def plain():
    weights = RNG.standard_normal((5, 7)).astype(np.float32)
    halves = np.array([0, -0.0, 1, -2, 65504, 6e-8, -6.1e-5, 2**-14, np.inf, -np.inf, 0.1, 1 / 3], np.float16)
    tensors = {
        "layer.weight": ("F32", [5, 7], weights.tobytes()),
        "layer.half": ("F16", [3, 4], halves.tobytes()),
        "layer.brain": ("BF16", [7, 5], bf16(weights.T)),
        "double": ("F64", [2], np.array([1.5, -2.5]).tobytes()),
        "ids": ("I64", [3], np.arange(3).tobytes()),
        "small.ids": ("I32", [2, 1], np.arange(2, dtype=np.int32).tobytes()),
        "shorts": ("I16", [1], np.array([-7], np.int16).tobytes()),
        "chars": ("I8", [3], np.array([-1, 0, 1], np.int8).tobytes()),
        "bytes": ("U8", [3], b"\x01\x02\xff"),
        "mask": ("BOOL", [2], b"\x00\x01"),
        "scalar": ("F32", [], np.float32(0.25).tobytes()),
        "empty": ("F32", [0, 4], b""),
    }
    save(GOLDEN / "plain.safetensors", tensors, {"format": "pt"})
    write_floats("plain", "layer.weight", weights)
    write_floats("plain", "layer.half", halves.astype(np.float32))
    write_floats("plain", "layer.brain",
                 gguf.dequantize(np.frombuffer(bf16(weights.T), np.uint8), gguf.GGMLQuantizationType.BF16))
    write_floats("plain", "scalar", [0.25])
    write_floats("plain", "empty", [])


def sharded():
    first = {"a.weight": ("F32", [2, 2], np.arange(4, dtype=np.float32).tobytes()), "b.bias": ("F16", [2], b"\x00\x3c\x00\xc0")}
    second = {"c.weight": ("F32", [1, 3], np.array([7, 8, 9], np.float32).tobytes())}
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    save(GOLDEN / "sharded" / names[0], first, {"format": "pt"})
    save(GOLDEN / "sharded" / names[1], second, {"format": "pt"})
    index = {"metadata": {"total_size": 32},
             "weight_map": {name: names[i] for i, part in enumerate((first, second)) for name in part}}
    (GOLDEN / "sharded" / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def scales(count):
    """fp16 scales: ordinary ones, then every kind that has its own branch. NaN and infinity are not among them."""
    special = np.array([0, 0x8000, 1, 0x8001, 0x03ff, 0x0400, 0x7bff, 0xfbff, 0x2e66, 0x9234], np.uint16)
    usual = RNG.normal(0, 0.01, count).astype(np.float16).view(np.uint16)
    usual[: len(special)] = special[:count]
    return usual


def blocks(kind, rows, columns):
    """Random blocks of a quantised type: all bit patterns of the weights, chosen scales."""
    count = rows * columns // 32
    scale = [scales(count)[:, None].view(np.uint8)]
    if kind == "Q4_1":
        scale.append(RNG.permutation(scales(count))[:, None].view(np.uint8))
    weights = RNG.integers(0, 256, (count, 32 if kind == "Q8_0" else 16), dtype=np.uint8)
    return np.concatenate([*scale, weights], axis=1).reshape(rows, -1)


def add_metadata(writer):
    writer.add_uint8("t.uint8", 255)
    writer.add_int8("t.int8", -128)
    writer.add_uint16("t.uint16", 65535)
    writer.add_int16("t.int16", -32768)
    writer.add_uint32("t.uint32", 4294967295)
    writer.add_int32("t.int32", -2147483648)
    writer.add_float32("t.float32", 100000.0)
    writer.add_bool("t.bool", True)
    writer.add_string("t.string", "Grüße")
    writer.add_key_value("t.raw", b"\xff\xfe\x00x", gguf.GGUFValueType.STRING)
    writer.add_uint64("t.uint64", 2**64 - 1)
    writer.add_int64("t.int64", -2**63)
    writer.add_float64("t.float64", 0.1)
    writer.add_array("t.integers", [1, -2, 3])
    writer.add_array("t.numbers", [0.5, -1.5])
    writer.add_array("t.booleans", [True, False, True])
    writer.add_array("t.texts", ["<s>", "Ġthe", "x"])
    writer.add_array("t.nested", [[1, 2], [3]])


def write_gguf(path, alignment=None):
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    add_metadata(writer)
    kinds = gguf.GGMLQuantizationType
    tensors = {
        "norm.weight": (kinds.F32, RNG.standard_normal(7).astype(np.float32)),
        "half.weight": (kinds.F16, RNG.normal(0, 0.02, (3, 5)).astype(np.float16)),
        "brain.weight": (kinds.BF16, gguf.quantize(RNG.standard_normal((2, 6)).astype(np.float32), kinds.BF16)),
        "q40.weight": (kinds.Q4_0, blocks("Q4_0", 8, 64)),
        "q41.weight": (kinds.Q4_1, blocks("Q4_1", 4, 160)),
        "q80.weight": (kinds.Q8_0, blocks("Q8_0", 6, 96)),
        "cube": (kinds.F32, RNG.standard_normal((2, 3, 4)).astype(np.float32)),
    }
    for name, (kind, data) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=None if data.dtype != np.uint8 else kind)
        write_floats(path.stem, name, gguf.dequantize(data, kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_files():
    write_gguf(GOLDEN / "v3.gguf")
    write_gguf(GOLDEN / "aligned64.gguf", alignment=64)
    # The package writes version 3 only; version 2 differs by its number alone.
    data = bytearray((GOLDEN / "v3.gguf").read_bytes())
    data[4:8] = struct.pack("<I", 2)
    (GOLDEN / "v2.gguf").write_bytes(data)


def every_block_type():
    """Random bytes of every quantised type that is read, with finite scales of every exponent."""
    draw = np.random.default_rng(256)
    writer = gguf.GGUFWriter(GOLDEN / "blocks.gguf", "llama")
    lines = []

    def finite_halves():
        half = draw.integers(0, 65536, 36).astype(np.uint16)
        half[(half & 0x7c00) == 0x7c00] ^= 0x4000
        return half

    for name in SCALES:
        kind = gguf.GGMLQuantizationType[name]
        weights, size = gguf.GGML_QUANT_SIZES[kind]
        data = with_scales(draw.integers(0, 256, (36, size), dtype=np.uint8), kind, finite_halves).reshape(3, -1)
        writer.add_tensor(name, data, raw_dtype=kind)
        values = np.ascontiguousarray(gguf.dequantize(data, kind), np.float32)
        assert values.shape == (3, 12 * weights) and np.isfinite(values).all()
        lines.append(f"{hashlib.sha256(values.tobytes()).hexdigest()} {name}\n")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (GOLDEN / "blocks.sha256").write_text("".join(lines))


def conversions():
    """fp32 around every boundary of the 16-bit formats, and at random, with numpy's and gguf's rounding."""
    halves = np.arange(0, 0x7c01, 29, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    corners = np.array([0, 1, 0x7fffff, 0x800000, 0x32ffffff, 0x33000000, 0x33000001, 0x337fffff, 0x33800000, 0x38000000,
                        0x387fc000, 0x387fe000, 0x387fffff, 0x38800000, 0x477fdfff, 0x477fe000, 0x477fefff, 0x477ff000,
                        0x47800000, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000], np.uint32)
    bits = np.concatenate([corners, halves, halves + 0xfff, halves + 0x1000, halves + 0x1001,
                           RNG.integers(0, 0x7f800000, 600).astype(np.uint32)]).astype(np.uint32)
    bits = np.concatenate([bits, bits | np.uint32(0x80000000)])
    with np.errstate(over="ignore"):
        fp16 = bits.view(np.float32).astype(np.float16).view(np.uint16)
    brain = gguf.quantize(bits.view(np.float32), gguf.GGMLQuantizationType.BF16).view(np.uint16)
    (GOLDEN / "fp32_to_16.bin").write_bytes(
        np.rec.fromarrays([bits, fp16, brain], dtype=[("a", "<u4"), ("b", "<u2"), ("c", "<u2")]).tobytes())
    # All 65,536 halves widened, as one number: FNV-1a over the fp32 bytes. NaNs are left out (a host's may differ).
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    digest = 0xcbf29ce484222325
    for byte in every[~np.isnan(every)].astype(np.float32).tobytes():
        digest = (digest ^ byte) * 0x100000001b3 % 2**64
    (GOLDEN / "fp16_to_fp32.fnv").write_text(f"{digest:016x}\n")


def main():
    shutil.rmtree(GOLDEN, ignore_errors=True)
    GOLDEN.mkdir()
    plain()
    sharded()
    gguf_files()
    every_block_type()
    conversions()


if __name__ == "__main__":
    main()
