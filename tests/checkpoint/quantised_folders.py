#!/usr/bin/env python3
"""Hugging Face folders that bitsandbytes quantised, to 4 or 8 bits: each scores to the last bit as a folder of what the library
dequantises. What is damaged or quantised in another way is refused by what is wrong with it.

    quantised_folders.py MEZO READ_FOLDERS      # exits with 77 (skipped) where a package is absent
"""

from quantised import *  # noqa: F403

try:
    import bitsandbytes.functional
    from transformers import BitsAndBytesConfig
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

STATE = "quant_state.bitsandbytes__nf4"
CONFIG = {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False, "bnb_4bit_quant_type": "nf4"}
EIGHT = {"quant_method": "bitsandbytes", "load_in_8bit": True}
NOTE = "activations are meant to be quantised to 8 bits too, which is not done"


def four(dtype, nested, blocksize=64, kind="nf4"):
    def pack(module, weight):
        packed, state = bitsandbytes.functional.quantize_4bit(weight.to(dtype), quant_type=kind, compress_statistics=nested, blocksize=blocksize)
        parts = {f".weight.{suffix}": part for suffix, part in state.as_dict(packed=True).items()}
        return {".weight": packed, **parts}, bitsandbytes.functional.dequantize_4bit(packed, state)
    return pack


def eight(module, weight):
    codes, largest, _ = bitsandbytes.functional.int8_vectorwise_quant(weight.half())
    wide = bitsandbytes.functional.int8_vectorwise_dequant(codes, largest)
    return {".weight": codes, ".SCB": largest, ".weight_format": torch.tensor(0, dtype=torch.uint8)}, wide


HARMLESS = dict(_load_in_4bit=True, _load_in_8bit=False, bnb_4bit_compute_dtype="bfloat16", bnb_4bit_quant_storage="uint8",
                bnb_4bit_use_double_quant=True, llm_int8_enable_fp32_cpu_offload=False, llm_int8_has_fp16_weight=False, llm_int8_skip_modules=None,
                llm_int8_threshold=6.0)
CASES = [
    Case("bf16, nested scales", four(torch.bfloat16, True), {**CONFIG, **HARMLESS}, ("NF4_BF16",)),
    Case("fp16", four(torch.float16, False), CONFIG, ("NF4_F16",)),
    Case("fp32, nested, blocks of 128", four(torch.float32, True, 128), CONFIG, ("NF4_F32",), hidden_size=128),
    Case("fp4, which is meant where no type is said", four(torch.bfloat16, True, kind="fp4"), {**CONFIG, "bnb_4bit_quant_type": None}, ("FP4_BF16",)),
    Case("fp4, fp16", four(torch.float16, False, kind="fp4"), {**CONFIG, "bnb_4bit_quant_type": "fp4"}, ("FP4_F16",)),
    Case("fp4, fp32", four(torch.float32, False, kind="fp4"), {**CONFIG, "bnb_4bit_quant_type": "fp4"}, ("FP4_F32",)),
    Case("8 bits", eight, EIGHT, ("INT8_BNB",), (NOTE,)),
    Case("8 bits, rows that are not whole blocks", eight, EIGHT, (), (NOTE, "dequantised as they are loaded"), hidden_size=72, num_attention_heads=9,
         num_key_value_heads=3, intermediate_size=80),
]
WEIGHT = f"{MODULE}.weight"


def state(**settings):
    def change(tensors):
        values = {**json.loads(bytes(tensors[f"{WEIGHT}.{STATE}"].tolist())), **settings}
        tensors[f"{WEIGHT}.{STATE}"] = torch.tensor(list(json.dumps(values).encode()), dtype=torch.uint8)
    return dict(tensors=change)


# What is changed in a folder with nested scales, and a part of the error.
REFUSED = {
    "no library": (dict(config=lambda config: config.update(quantization_config={"bits": 4})), "quantised by what it does not say"),
    "neither 4 bits nor 8": (setting(load_in_4bit=False), "expected either load_in_4bit or load_in_8bit"),
    "another type": (setting(bnb_4bit_quant_type="int4"), "bnb_4bit_quant_type: weights of another type"),
    "an unknown key": (setting(bnb_4bit_levels=3), "quantization_config.bnb_4bit_levels: not a key"),
    "weights that are quantised for each forward": (
        setting(load_in_4bit=False, load_in_8bit=True, llm_int8_has_fp16_weight=True), "llm_int8_has_fp16_weight: weights that are quantised anew"),
    "weights that are not quantised": (dict(tensors=lambda tensors: {n: t for n, t in tensors.items() if "weight." not in n}), "no tensor is"),
    "no scales": (without(f"{WEIGHT}.absmax"), f"{WEIGHT}.absmax is missing"),
    "no nested scales": (without(f"{WEIGHT}.nested_absmax"), f"{WEIGHT}.nested_absmax is missing"),
    "no weights": (without(WEIGHT), "expected 2048 bytes of 4-bit weights, got 0"),
    "fewer weights": (replaced(WEIGHT, lambda t: t[1:]), "expected 2048 bytes of 4-bit weights, got 2047"),
    "other levels": (replaced(f"{WEIGHT}.quant_map", lambda t: t * 2), "levels of nf4"),
    "a shape that is not the model's": (state(shape=[32, 128]), "asks for shape [64, 64], got [32, 128]"),
    "a width that blocks do not fit": (state(shape=[128, 32]), "rows of a multiple of 64"),
    "a block of no size": (state(blocksize=0), "expected a size as blocksize"),
    "a block that is too small": (state(blocksize=32), "blocksize of a multiple of 64"),
    "weights that were float64": (state(dtype="float64"), "got \"float64\""),
    "no offset": (state(nested_offset=None), "nested_offset"),
    "a state that is no JSON": (replaced(f"{WEIGHT}.{STATE}", lambda t: torch.full((8,), 33, dtype=torch.uint8)), "expected JSON"),
}
REFUSED_EIGHT = {
    "no scales": (without(f"{MODULE}.SCB"), f"{WEIGHT}: weights of type I8 cannot be read"),
    "no weights": (without(WEIGHT), f"{WEIGHT} is missing"),
    "scales of fewer rows": (replaced(f"{MODULE}.SCB", lambda t: t[1:]), f"{MODULE}.SCB of shape [64], got [63]"),
    "scales in fp16": (replaced(f"{MODULE}.SCB", lambda t: t.half()), f"{MODULE}.SCB to be F32, got F16"),
    "weights in another order": (replaced(f"{MODULE}.weight_format", lambda t: t + 1), "expected rows in their order (0)"),
}


def scores_and_export(mezo, folder):
    wide = write_pair(folder, four(torch.bfloat16, True), CONFIG)
    return scored(mezo, folder, "nested scales", "wide") and lora(mezo, folder) and export(mezo, folder, wide)


def eight_is_refused(mezo, folder):
    write_pair(folder / "whole", eight, EIGHT)
    return all(read_all([Refused(f"8 bits, {name}", *how) for name, how in REFUSED_EIGHT.items()], folder))


if __name__ == "__main__":
    run(CASES, (four(torch.bfloat16, True), CONFIG), REFUSED,
        [scores_and_export, eight_is_refused, lambda *_: known_keys(BitsAndBytesConfig().to_dict(), {*CONFIG, *HARMLESS})])
