#!/usr/bin/env python3
"""Hugging Face folders that GPTQ and AWQ quantised: each scores to the last bit as a folder of what their formulas give, written out
here in numpy as AutoGPTQ, GPTQModel and AutoAWQ have them. What is damaged, or quantised in another way, is refused.

    packed_folders.py MEZO READ_FOLDERS      # exits with 77 (skipped) where a package is absent
"""

from quantised import *  # noqa: F403
from transformers.utils.quantization_config import AwqConfig, GPTQConfig

GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": True, "checkpoint_format": "gptq"}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}


def packed_along(codes, bits, axis, order=None):
    """Words of 32 bits of what lies along an axis, the first in the lowest bits; `order`: which of each eight is there instead."""
    codes = numpy.moveaxis(codes.astype(numpy.uint64), axis, -1)
    codes = codes.reshape(*codes.shape[:-1], -1, 32 // bits)
    if order:
        codes = codes[..., order]
    words = (codes << (numpy.arange(32 // bits, dtype=numpy.uint64) * numpy.uint64(bits))).sum(-1)
    return torch.from_numpy(numpy.moveaxis(words, -1, axis).astype(numpy.uint32).view(numpy.int32).copy())


def quantised(weight, bits, size, symmetric, dtype, group_of=None):
    """Codes [columns, rows], scales and zero points [groups, rows], the group of each column, and the weights that they stand for."""
    w = weight.float().numpy().T
    group_of = numpy.arange(len(w)) // size if group_of is None else group_of
    most, groups = 2 ** bits - 1, int(group_of.max()) + 1
    scales, zeros = numpy.empty((2, groups, w.shape[1]), numpy.float32)
    for g in range(groups):
        low, high = w[group_of == g].min(0).clip(max=0), w[group_of == g].max(0).clip(min=0)
        scales[g] = 2 * numpy.maximum(-low, high) / most if symmetric else (high - low) / most
        zeros[g] = (most + 1) // 2 if symmetric else numpy.rint(-low / scales[g])
    scales = torch.from_numpy(scales).to(dtype)
    codes = numpy.rint(w / scales.float().numpy()[group_of] + zeros[group_of]).clip(0, most)
    wide = torch.from_numpy(codes - zeros[group_of]).to(dtype) * scales[torch.from_numpy(group_of)]
    return codes, scales, zeros, group_of, wide.T


def gptq(bits=4, size=32, symmetric=True, version=1, dtype=torch.float16, order=None, index=True, biases=False):
    """`order`: "act", columns are quantised in another order, "static", the order is that but groups are not; `version`: of the format."""
    def pack(module, weight):
        columns = weight.shape[1]
        group_of = numpy.arange(columns) // (size or columns)
        if order:
            group_of = numpy.random.default_rng(columns).permutation(group_of)
        codes, scales, zeros, group_of, wide = quantised(weight, bits, size or columns, symmetric, dtype, group_of)
        # The first format stores less, and takes away from the whole word: 0 borrows from its neighbour, as adding gives back.
        words = packed_along(zeros, bits, 1).numpy().view(numpy.uint32)
        if version == 1:
            words = words - numpy.uint32(0xFFFFFFFF // (2 ** bits - 1))
        parts = {".qweight": packed_along(codes, bits, 0), ".qzeros": torch.from_numpy(words.view(numpy.int32).copy()), ".scales": scales}
        if index:
            parts[".g_idx"] = torch.from_numpy(group_of.astype(numpy.int32))
        return parts, wide
    return pack


def awq(size=32, dtype=torch.float16, symmetric=False):
    def pack(module, weight):
        codes, scales, zeros, _, wide = quantised(weight, 4, size or weight.shape[1], symmetric, dtype)
        order = [0, 2, 4, 6, 1, 3, 5, 7]
        return {".qweight": packed_along(codes, 4, 1, order), ".qzeros": packed_along(zeros, 4, 1, order), ".scales": scales}, wide
    return pack


def of(base, **settings):
    return {**base, **settings}


GPTQ_HARMLESS = dict(
    format="gptq", pack_dtype="int32", is_marlin_format=False, dynamic={}, static_groups=False, lm_head=False, true_sequential=True,
    damp_percent=0.01, damp_auto_increment=0.0025, act_group_aware=False, mse=0.0, dataset="wikitext2", tokenizer=None, model_seqlen=2048,
    block_name_to_quantize="model.layers", module_name_preceding_first_block=["model.embed_tokens"], batch_size=1, pad_token_id=0,
    cache_block_outputs=True, modules_in_block_to_quantize=[["self_attn.q_proj"]], meta={"quantizer": ["gptqmodel:7.7.0"]}, backend="auto",
    max_input_length=4096, use_exllama=True, disable_exllama=False, exllama_config={"version": 1}, use_cuda_fp16=False,
    model_name_or_path="somewhere", model_file_base_name="model")
AWQ_HARMLESS = dict(format="gemm", modules_to_not_convert=["lm_head"], backend="autoawq", do_fuse=False, modules_to_fuse={}, fuse_max_seq_len=512,
                    exllama_config={"version": 2})

CASES = [
    Case("GPTQ, 4 bits", gptq(), of(GPTQ, **GPTQ_HARMLESS), ("INT4_F16",)),
    Case("GPTQ, its second format, no order", gptq(version=2, index=False), of(GPTQ, checkpoint_format="gptq_v2"), ("INT4_F16",)),
    Case("GPTQ, that format by the newer key", gptq(version=2), {**{k: v for k, v in GPTQ.items() if k != "checkpoint_format"}, "format": "gptq_v2"},
         ("INT4_F16",)),
    Case("GPTQ, zero points, some of them 0", gptq(symmetric=False), of(GPTQ, sym=False), ("INT4_F16",)),
    Case("GPTQ, all columns, Qwen2's biases", gptq(size=None, symmetric=False), of(GPTQ, sym=False, group_size=-1), ("INT4_F16",), family="qwen2"),
    Case("GPTQ, 8 bits, bf16 scales", gptq(bits=8, dtype=torch.bfloat16), of(GPTQ, bits=8), ("INT8_BF16",)),
    Case("GPTQ, 8 bits, zero points", gptq(bits=8, symmetric=False), of(GPTQ, bits=8, sym=False), ("INT8_F16",)),
    Case("GPTQ, 2 bits", gptq(bits=2), of(GPTQ, bits=2), ("INT4_F16",)),
    Case("GPTQ, in another order", gptq(order=True), of(GPTQ, desc_act=True), ("F16",), ("dequantised as they are loaded",)),
    Case("GPTQ, an order that config.json does not tell", gptq(order=True), GPTQ, ("F16",), ("dequantised as they are loaded",)),
    Case("GPTQ, groups that are not whole blocks", gptq(size=16), of(GPTQ, group_size=16), ("F16",), ("dequantised as they are loaded",)),
    Case("GPTQ, a last group of fewer columns", gptq(size=128, index=True), of(GPTQ, group_size=128), ("INT4_F16",), hidden_size=64,
         intermediate_size=192),
    Case("GPTQ, groups of modules of their own", gptq(size=64), of(GPTQ, dynamic={"+:.*": {"group_size": 64}}), ("INT4_F16",)),
    Case("GPTQ, biases of 0 that the model does not have", lambda *of: (lambda parts, wide: ({**parts, ".bias": torch.zeros(len(wide))}, wide))(
        *gptq()(*of)), GPTQ, ("INT4_F16",)),
    Case("AWQ", awq(), of(AWQ, **AWQ_HARMLESS), ("INT4_F16",)),
    Case("AWQ, all columns", awq(size=None), of(AWQ, group_size=-1, version="GEMM"), ("INT4_F16",), family="qwen2"),
    Case("AWQ, its own file's keys, symmetric", awq(symmetric=True), {"quant_method": "awq", "w_bit": 4, "q_group_size": 32, "zero_point": False},
         ("INT4_F16",)),
    Case("AWQ, groups that are not whole blocks", awq(size=16), of(AWQ, group_size=16), ("F16",), ("dequantised as they are loaded",)),
]

REFUSED = {
    "3 bits": (setting(bits=3), "quantization_config.bits: weights of other than 2, 4 or 8 bits"),
    "no bits": (setting(bits=None), "quantization_config.bits"),
    "a kernel's order": (setting(checkpoint_format="marlin"), "quantization_config.checkpoint_format: weights in this form"),
    "that order by the older key": (setting(is_marlin_format=True), "quantization_config.is_marlin_format"),
    "words of 16 bits": (setting(pack_dtype="int16"), "quantization_config.pack_dtype"),
    "an unknown key": (setting(rotation="hadamard"), "quantization_config.rotation: not a key"),
    "auto-round": (setting(quant_method="auto-round"), "weights quantised by auto-round cannot be read"),
    "groups of no column": (setting(group_size=0), "quantization_config.group_size"),
    "no quantization_config": (dict(config=lambda c: c.pop("quantization_config") and None or c), "config.json has no quantization_config"),
    "the other format": (setting(checkpoint_format="gptq_v2"), "its checkpoint_format is gptq, which config.json should say"),
    "symmetric, but zero points of the second format": (
        dict(tensors=lambda t: t.update({n: w + 0x11111111 for n, w in t.items() if n.endswith("qzeros")})),
        "its checkpoint_format is gptq_v2, which config.json should say"),
    "groups of another size": (setting(group_size=64), "config.json says groups of 64 of its"),
    "another number of bits": (setting(bits=8), "of shape [4, 16], got [4, 8]"),
    "a matrix of another number of bits": (
        dict(tensors=lambda t: t.update(dict(zip([f"{MODULE}.qweight", f"{MODULE}.qzeros"], [torch.zeros(16, 64, dtype=torch.int32), torch.zeros(16, 64, dtype=torch.int32)])))),
        f"{MODULE}.qzeros of shape [2, 8], got [16, 64]"),
    "no words": (without(f"{MODULE}.qweight"), f"{MODULE}.qweight is missing"),
    "no scales": (without(f"{MODULE}.scales"), f"{MODULE}.scales is missing"),
    "no zero points": (without(f"{MODULE}.qzeros"), f"{MODULE}.qzeros is missing"),
    "scales of fewer rows": (replaced(f"{MODULE}.scales", lambda t: t[:, :32]), f"{MODULE}.scales of shape [2, 64], got [2, 32]"),
    "scales of integers": (replaced(f"{MODULE}.scales", lambda t: t.to(torch.int32)), "to be F16 or BF16 or F32, got I32"),
    "an order of fewer columns": (replaced(f"{MODULE}.g_idx", lambda t: t[:32]), f"{MODULE}.g_idx of shape [64], got [32]"),
    "an order of 64 bits": (replaced(f"{MODULE}.g_idx", lambda t: t.long()), f"{MODULE}.g_idx to be I32, got I64"),
    "a group that there is none of": (replaced(f"{MODULE}.g_idx", lambda t: t + 1), "expected groups from 0 to 1 in"),
    "another shape than the model's": (dict(config=lambda c: c.update(intermediate_size=64)), "asks for shape"),
}
REFUSED_AWQ = {
    "8 bits": (setting(bits=8), "quantization_config.bits: weights of other than 4 bits"),
    "another kernel's order": (setting(version="gemv"), "quantization_config.version: weights in the order of another kernel"),
    "yet another": (setting(version="gemv_fast"), "quantization_config.version"),
    "that by the newer key": (setting(version=None, format="llm-awq"), "quantization_config.format"),
    "another program": (setting(backend="llm-awq"), "quantization_config.backend"),
    "an unknown key": (setting(desc_act=True), "quantization_config.desc_act: not a key"),
    "GPTQ's words": (setting(quant_method="gptq", zero_point=None, version=None), "scales of shape [4, 8], got [4, 64]"),
    "no words": (without(f"{MODULE}.qweight"), f"{MODULE}.qweight is missing"),
    "groups of another size": (setting(group_size=64), "config.json says groups of 64 of its"),
}


def scores_and_export(mezo, folder):
    wide = write_pair(folder, gptq(symmetric=False), of(GPTQ, sym=False))
    return scored(mezo, folder, "GPTQ", "wide") and export(mezo, folder, wide)


def awq_is_refused(mezo, folder):
    write_pair(folder / "whole", awq(), AWQ)
    return all(read_all([Refused(f"AWQ, {name}", *how) for name, how in REFUSED_AWQ.items()], folder))


def every_key(*_):
    ours = {"quant_method", *GPTQ, *GPTQ_HARMLESS}
    awqs = {"quant_method", *AWQ, *AWQ_HARMLESS}
    return all([known_keys(GPTQConfig(bits=4).to_dict(), ours),
                known_keys(set(AwqConfig().to_dict()) - set(GPTQConfig(bits=4).to_dict()), awqs)])


if __name__ == "__main__":
    run(CASES, (gptq(), GPTQ), REFUSED, [scores_and_export, awq_is_refused, every_key])
