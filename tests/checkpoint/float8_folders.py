#!/usr/bin/env python3
"""Hugging Face folders in 8-bit floats with scales of blocks, rows or the whole of a matrix: each scores to the last bit as a folder of
what transformers dequantises, where its blocks fit, and otherwise of what a plain product gives. What is damaged is refused.

    float8_folders.py MEZO READ_FOLDERS      # exits with 77 (skipped) where a package is absent
"""

from quantised import *  # noqa: F403

try:
    import accelerate  # noqa: F401, transformers needs it
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize
    from transformers.utils.quantization_config import FineGrainedFP8Config
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

CONFIG = {"quant_method": "fp8", "activation_scheme": "dynamic", "fmt": "e4m3", "weight_block_size": [32, 32]}
NOTE = "activations are meant to be quantised to 8 bits too, which is not done"


def plain(codes, scale, block):
    """The product in fp32, of blocks that may stick out."""
    spread = scale.float().reshape(scale.shape if scale.dim() == 2 else (-1, 1))
    spread = spread.repeat_interleave(block[0], 0).repeat_interleave(block[1], 1)
    return codes.float() * spread[:codes.shape[0], :codes.shape[1]]


def packed(block=(32, 32), dtype=torch.float32, suffix=".weight_scale_inv", shape=None, more=()):
    """`block`: None for all rows or columns; `shape`: of scales as they are saved."""
    def pack(module, weight):
        rows, columns = weight.shape
        size = [block[0] or rows, block[1] or columns]
        grid = [-(-rows // size[0]), -(-columns // size[1])]
        scale = torch.zeros(grid)
        for r in range(grid[0]):
            for c in range(grid[1]):
                scale[r, c] = weight[r * size[0]:(r + 1) * size[0], c * size[1]:(c + 1) * size[1]].abs().max() / 448
        scale = scale.to(dtype)
        spread = scale.float().repeat_interleave(size[0], 0).repeat_interleave(size[1], 1)[:rows, :columns]
        codes = (weight / spread).clamp(-448, 448).to(torch.float8_e4m3fn)
        wide = plain(codes, scale, size)
        if rows % size[0] == 0 and columns % size[1] == 0:
            assert torch.equal(wide, Fp8Dequantize(None)._dequantize_one(codes, scale, torch.float32)), "transformers' own numbers"
        saved = scale.reshape(shape(scale)) if shape else scale
        return {".weight": codes, suffix: saved, **{name: torch.ones(1) for name in more}}, wide
    return pack


def case(name, config=CONFIG, types=("FP8_F32",), says=(NOTE,), how=None, **more):
    return Case(name, packed(**(how or {})), config, types, says, **more)


def every_code(module, weight):
    """All 256 codes but NaN."""
    codes = torch.arange(256, dtype=torch.uint8)
    codes[[127, 255]] = 0
    codes = codes.repeat(weight.numel() // 256 + 1)[:weight.numel()].view(torch.float8_e4m3fn).reshape(weight.shape)
    scale = torch.full((1,), 2.0 ** -8)
    return {".weight": codes, ".weight_scale": scale}, codes.float() * scale


def by_transformers(mezo, folder):
    """It reads the folder itself."""
    wide = write_pair(folder, packed(dtype=torch.bfloat16), CONFIG, family="qwen2", tie_word_embeddings=True)
    return scored(mezo, folder, "blocks, bf16 scales", family="qwen2") and export(mezo, folder, wide)


WEIGHT, SCALE = f"{MODULE}.weight", f"{MODULE}.weight_scale_inv"
EVERYTHING = setting(modules_to_not_convert=["lm_head"], ignored_layers=["lm_head"], modules_to_convert=[], dequantize=True,
                     scale_fmt="float", fmt="float8_e4m3fn", activation_scheme="static")
REFUSED = {
    "another float": (setting(fmt="e5m2"), "quantization_config.fmt: weights in other floats"),
    "another scale": (setting(scale_fmt="e5m3"), "quantization_config.scale_fmt"),
    "another scheme of activations": (setting(activation_scheme="none"), "quantization_config.activation_scheme"),
    "a block of one number": (setting(weight_block_size=[128]), "expected rows and columns of a block"),
    "a block of nothing": (setting(weight_block_size=[0, 128]), "expected rows and columns of a block"),
    "an unknown key": (setting(weight_rotation="hadamard"), "quantization_config.weight_rotation: not a key that is known"),
    "another library": (setting(quant_method="mxfp4"), "weights quantised by mxfp4 cannot be read"),
    "NVIDIA's": (setting(quant_method="modelopt"), "weights quantised by modelopt cannot be read"),
    "half a square": (setting(quant_method="hqq"), "weights quantised by hqq cannot be read"),
    "code books": (setting(quant_method="aqlm"), "weights quantised by aqlm cannot be read"),
    "blocks of another size": (setting(weight_block_size=[64, 64]), "weight_scale_inv of shape [1, 2], got [2, 4]"),
    "no size of blocks": (dict(config=lambda c: c["quantization_config"].update(weight_block_size=None)), "has no weight_block_size"),
    "the size that is meant when none is said": (setting(weight_block_size=None), "of shape [1, 1], got [2, 4]"),
    "no scale": (without(SCALE), f"{SCALE} is missing"),
    "no weight": (without(WEIGHT), f"{SCALE}\": expected F8_E4M3 weights in {WEIGHT}, got none"),
    "a weight that is not quantised": (replaced(WEIGHT, lambda t: t.to(torch.bfloat16)), "expected F8_E4M3 weights in " + WEIGHT + ", got BF16"),
    "two scales": (replaced(f"{MODULE}.weight_scale", lambda t: torch.ones(2, 2)), "expected one scale"),
    "a scale of integers": (replaced(SCALE, lambda t: t.to(torch.int32)), "to be F32, BF16, F16 or F8_E8M0, got I32"),
    "other rows": (replaced(WEIGHT, lambda t: t.view(torch.uint8)[:32].clone().view(torch.float8_e4m3fn)), "weight_scale_inv of shape [1, 2]"),
    "a weight in another float": (replaced(WEIGHT, lambda t: t.float().to(torch.float8_e5m2)), "got F8_E5M2"),
    "all that is wrong at once": (dict(config=lambda c: c.update(vocab_size=300, head_dim=32), tensors=lambda t: {n: w for n, w in t.items() if n != "model.norm.weight"}),
                                  "model.norm.weight\ntensors are not as they should be:\n  ["),
    "nothing quantised": (dict(tensors=lambda tensors: {n: t.float() for n, t in tensors.items() if "scale" not in n}), "no tensor is"),
}


TRIED = {"quant_method", "weight_rotation", "weight_block_size", "modules_to_not_convert", "ignored_layers", "modules_to_convert", "dequantize",
         "scale_fmt", "fmt", "activation_scheme"}


if __name__ == "__main__":
    row = lambda scale: (scale.shape[0], 1)
    run([
        case("blocks", change=EVERYTHING),
        case("blocks, bf16 scales, biases, a tied head", how=dict(dtype=torch.bfloat16), family="qwen2", tie_word_embeddings=True),
        case("blocks that stick out", how=dict(block=(48, 64)), config={**CONFIG, "weight_block_size": [48, 64]}),
        case("the size that is meant when none is said", how=dict(block=(128, 128)), change=setting(weight_block_size=None)),
        case("a scale of each matrix, of activations too", how=dict(block=(None, None), shape=lambda scale: (), more=(".input_scale",)),
             config={**CONFIG, "weight_block_size": None}),
        case("a scale of each row, by the other name", how=dict(block=(1, None), suffix=".weight_scale", shape=row)),
        case("scales that are powers of two", how=dict(dtype=torch.float8_e8m0fnu), change=setting(scale_fmt="ue8m0")),
        case("rows that are not whole blocks, the head and embedding too", types=(), hidden_size=72, num_attention_heads=9, num_key_value_heads=3,
             how=dict(block=(24, 24)), config={**CONFIG, "weight_block_size": [24, 24]}, says=(NOTE, "dequantised as they are loaded"),
             chosen=lambda name, tensor: tensor.dim() == 2),
        case("a module that is not quantised, whose name is another in the list", change=setting(
            modules_to_not_convert=["model.language_model.layers.0.self_attn.q_proj"]), chosen=lambda name, tensor: is_quantised(name, tensor) and
            MODULE not in name),
        Case("every code", every_code, CONFIG, ("FP8_F32",), (NOTE,)),
    ], (packed(), CONFIG), REFUSED, [by_transformers, lambda *_: known_keys(FineGrainedFP8Config().to_dict(), TRIED)])
