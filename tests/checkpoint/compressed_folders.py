#!/usr/bin/env python3
"""Hugging Face folders that the compressed-tensors library writes: each scores to the last bit as a folder of what the library
decompresses. What is damaged, or quantised in another way, is refused.

    compressed_folders.py MEZO READ_FOLDERS      # exits with 77 (skipped) where a package is absent
"""

from quantised import *  # noqa: F403

try:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig, QuantizationScheme
    from compressed_tensors.quantization.quant_args import QuantizationArgs
    from compressed_tensors.quantization.utils import calculate_qparams
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

DYNAMIC = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}


def config_of(form, weights, **more):
    group = {"targets": ["Linear"], "weights": {"dynamic": False, "observer": "minmax", **weights}, "input_activations": None, "output_activations": None}
    return {"quant_method": "compressed-tensors", "format": form, "quantization_status": "compressed", "global_compression_ratio": 1.5,
            "ignore": ["lm_head"], "kv_cache_scheme": None, "config_groups": {"group_0": group}, **more}


def blocks_of(weight, args):
    """[rows of groups, groups of a row, weights of a group]."""
    rows, columns = weight.shape
    height, width = {"tensor": (rows, columns), "channel": (1, columns), "group": (1, args.group_size),
                     "block": args.block_structure or (1, 1)}[args.strategy]
    padded = torch.zeros(-(-rows // height) * height, -(-columns // width) * width)
    padded[:rows, :columns] = weight
    return padded.reshape(padded.shape[0] // height, height, -1, width).transpose(1, 2).flatten(2)


def packed(form, weights, dtype=torch.bfloat16, change=None, wide_of=None):
    """By the library. `change`: of what it saves; `wide_of`: what it computes then."""
    args = QuantizationArgs(**weights)
    scheme = QuantizationScheme(targets=["Linear"], weights=args, format=form)
    compressor = BaseCompressor.get_value_from_registry(form)

    def pack(module, weight):
        weight = weight.to(dtype)
        blocks = blocks_of(weight.float(), args)
        scale, zero = calculate_qparams(blocks.amin(-1).to(dtype), blocks.amax(-1).to(dtype), args)
        if args.strategy == "tensor":
            scale, zero = scale.reshape(1), zero.reshape(1)
        state = {"weight": weight, "weight_scale": scale, "weight_zero_point": zero}
        saved = compressor.compress(state, scheme)
        if change:
            change(saved)
        wide = wide_of(saved) if wide_of else compressor.decompress(saved, scheme)["weight"]
        assert wide.dtype == dtype
        return {f".{name}": tensor for name, tensor in saved.items()}, wide
    return pack


def case(name, form, weights, types, dtype=torch.bfloat16, saved=None, wide_of=None, **more):
    return Case(name, packed(form, weights, dtype, saved, wide_of), config_of(form, weights), types, **more)


INT4 = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32}
INT8 = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
FP8 = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "tensor"}


def two_groups():
    """Attention in 8-bit floats, the rest in packed integers, as llm-compressor mixes them."""
    how = {True: ("float-quantized", {**FP8, "strategy": "channel"}), False: ("pack-quantized", INT4)}
    config = config_of("mixed-precision", INT4)
    config["config_groups"] = {f"group_{int(attention)}": {**config["config_groups"]["group_0"], "format": form, "weights": weights,
                                                           "targets": ["re:.*self_attn.*"] if attention else ["re:.*mlp.*"]}
                               for attention, (form, weights) in how.items()}
    return Case("two groups of another form", lambda module, weight: packed(*how["self_attn" in module])(module, weight), config,
                ("FP8_BF16", "INT4_BF16"))


def regroup(saved):
    """Columns in the order of their activations, as llm-compressor had it before it gave that up."""
    order = torch.randperm(saved["weight_scale"].shape[1] * 32, generator=torch.Generator().manual_seed(3))
    saved["weight_g_idx"] = (order // 32).to(torch.int32)


def regrouped(saved):
    from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32
    codes = unpack_from_int32(saved["weight_packed"], 4, saved["weight_shape"])
    groups = saved["weight_g_idx"].long()
    return codes.to(torch.float16) * saved["weight_scale"][:, groups]


def extras(saved):
    """What symmetric weights and static activations brought along in older versions."""
    saved["weight_zero_point"] = torch.zeros_like(saved["weight_scale"], dtype=torch.int8)
    saved["input_scale"], saved["output_scale"] = torch.ones(1), torch.ones(1)


def scores_and_export(mezo, folder):
    """transformers reads the folder itself. It rounds products to the type that the model is loaded in, so scales are of that type."""
    wide = write_pair(folder, packed("pack-quantized", INT4, torch.float32), config_of("pack-quantized", INT4))
    return scored(mezo, folder, "packed, 4 bits") and export(mezo, folder, wide)


def weights(**settings):
    return dict(config=lambda config: config["quantization_config"]["config_groups"]["group_0"]["weights"].update(settings))


def group(**settings):
    return dict(config=lambda config: config["quantization_config"]["config_groups"]["group_0"].update(settings))


PACKED, SCALE = f"{MODULE}.weight_packed", f"{MODULE}.weight_scale"
EVERYTHING = {"version": "0.20.0", "sparsity_config": {}, "transform_config": {}, "kv_cache_scheme": {**DYNAMIC, "strategy": "tensor", "dynamic": False},
              "run_compressed": True, "dequantize": False, "use_optimized_inference": False, "moe_sparsity_config": None}
REFUSED = {
    "another form": (setting(format="nvfp4-pack-quantized"), "quantization_config.format: weights in this form cannot be read"),
    "mxfp4": (setting(format="mxfp4-pack-quantized"), "got \"mxfp4-pack-quantized\""),
    "a form of a group that is not read": (group(format="mxfp8-quantized"), "got \"mxfp8-quantized\""),
    "sparse": (setting(format="marlin-24"), "got \"marlin-24\""),
    "sparse weights": (setting(sparsity_config={"format": "sparse-24-bitmask"}), "sparsity_config: weights that are also sparse"),
    "rotated weights": (setting(transform_config={"config_groups": {"R1": {}}}), "transform_config: weights that are also sparse or transformed"),
    "weights that are quantised as they are used": (setting(quantization_status="frozen"), "quantization_config.quantization_status"),
    "sparse experts": (setting(moe_sparsity_config={"method": "prune"}), "moe_sparsity_config: not a key"),
    "an unknown key": (setting(zeropoint=1), "quantization_config.zeropoint: not a key"),
    "an unknown key of a group": (group(bias=1), "config_groups.group_0.bias: not a key"),
    "an unknown key of weights": (weights(num_groups=1), "weights.num_groups: not a key"),
    "no groups": (setting(config_groups={}), "config_groups: expected groups"),
    "no weights": (group(weights=None), "weights: expected how the weights"),
    "a preset": (setting(config_groups={"W4A16": ["Linear"]}), "config_groups.W4A16"),
    "weights in 5 bits": (weights(num_bits=5), "num_bits: packed integers of other than 2, 4 or 8 bits"),
    "packed floats": (weights(type="float"), "packed floats (nvfp4, mxfp4)"),
    "dynamic weights": (weights(dynamic=True), "weights.dynamic: weights that are quantised anew"),
    "another strategy": (weights(strategy="tensor_group"), "weights.strategy: weights quantised so"),
    "no size of groups": (weights(group_size=None), "weights.group_size: expected"),
    "blocks without a size": (weights(strategy="block", group_size=None), "weights.block_structure"),
    "another number of bits": (weights(num_bits=8), "not quantised as config.json says; quantization_config.config_groups.group_0: expected words"),
    "another size of groups": (weights(group_size=64), "expected scales of shape [64, 2] in"),
    "groups that do not divide": (weights(group_size=48), "groups of 48 columns do not divide its"),
    "zero points that are missing": (weights(symmetric=False), "zero points are missing"),
    "zero points of symmetric weights": (replaced(f"{MODULE}.weight_zero_point", lambda t: torch.ones(8, 2, dtype=torch.int32)), "expected no zero points but 0"),
    "no scales": (without(SCALE), f"{SCALE} is missing"),
    "scales of integers": (replaced(SCALE, lambda t: t.to(torch.uint8)), "F32 or F16 or BF16, got U8"),
    "scales without weights": (without(PACKED), f"in {MODULE}.weight, got none"),
    "scales of weights that are not quantised": (dict(tensors=lambda t: t.update({f"{MODULE}.weight": t.pop(PACKED).float()})), "got F32"),
    "no shape": (without(f"{MODULE}.weight_shape"), "weight_shape is missing"),
    "another shape": (replaced(f"{MODULE}.weight_shape", lambda t: t + 64), "expected words of shape"),
    "a shape of one number": (replaced(f"{MODULE}.weight_shape", lambda t: t[:1]), "weight_shape of shape [2], got [1]"),
    "groups of fewer columns": (replaced(f"{MODULE}.weight_g_idx", lambda t: torch.zeros(32, dtype=torch.int32)), "weight_g_idx of shape [64], got [32]"),
    "a group that there is none of": (replaced(f"{MODULE}.weight_g_idx", lambda t: torch.full((64,), 2, dtype=torch.int32)), "expected groups from 0 to 1"),
    "some groups that are not set": (replaced(f"{MODULE}.weight_g_idx", lambda t: torch.arange(64, dtype=torch.int32) // 32 - 1), "got -1"),
}


def every_key(*_):
    of_weights = [*INT4, "dynamic", "observer", "observer_kwargs", "actorder", "scale_dtype", "zp_dtype", "block_structure"]
    return all([known_keys(QuantizationConfig.model_fields, {*config_of("", INT4), *EVERYTHING}),
                known_keys(QuantizationScheme.model_fields, ["targets", "weights", "input_activations", "output_activations", "format"]),
                known_keys(QuantizationArgs.model_fields, of_weights)])


MORE = {"actorder": "static", "scale_dtype": None, "zp_dtype": "torch.int8", "observer_kwargs": {"averaging_constant": 0.01}}
if __name__ == "__main__":
    run([
        case("packed, 4 bits", "pack-quantized", INT4, ("INT4_BF16",), says=("keys and values are meant to be quantised too",),
             change=dict(config=lambda c: c["quantization_config"].update(EVERYTHING))),
        case("packed, 4 bits with zero points", "pack-quantized", {**INT4, "symmetric": False}, ("INT4_F16",), torch.float16, change=weights(**MORE)),
        case("packed, 8 bits of rows, fp32", "pack-quantized", {**INT8, "symmetric": False}, ("INT8_F32",), torch.float32),
        case("packed, 2 bits", "pack-quantized", {**INT4, "num_bits": 2}, ("INT4_BF16",)),
        case("packed, rows that are not whole words", "pack-quantized", {**INT4, "strategy": "channel", "group_size": None}, ("INT4_BF16", "BF16"),
             hidden_size=36, num_attention_heads=3, num_key_value_heads=3, says=("dequantised as they are loaded",)),
        case("packed, columns in another order", "pack-quantized", INT4, ("F16",), torch.float16, saved=regroup, wide_of=regrouped,
             says=("dequantised as they are loaded",)),
        case("packed, an order that was never set, zero points that are 0", "pack-quantized", INT4, ("INT4_BF16",),
             saved=lambda s: (extras(s), s.update(weight_g_idx=torch.full((s["weight_scale"].shape[1] * 32,), -1, dtype=torch.int32)))),
        case("8 bits of rows", "int-quantized", INT8, ("INT8_BF16",), change=group(input_activations=DYNAMIC),
             says=("activations are meant to be quantised too, which is not done",)),
        case("8 bits with zero points", "naive-quantized", {**INT8, "symmetric": False}, ("INT8_F16",), torch.float16),
        case("8 bits with one zero point", "int-quantized", {**INT8, "symmetric": False, "strategy": "tensor"}, ("INT8_BF16",)),
        case("packed, one zero point", "pack-quantized", {"num_bits": 4, "type": "int", "symmetric": False, "strategy": "tensor"}, ("INT4_BF16",)),
        case("4 bits that are not packed, in groups", "naive-quantized", INT4, ("INT8_BF16",)),
        case("floats, one scale, of activations too", "float-quantized", FP8, ("FP8_BF16",), saved=extras, change=group(output_activations=DYNAMIC),
             says=("activations are meant",)),
        case("floats of rows", "float-quantized", {**FP8, "strategy": "channel"}, ("FP8_F16",), torch.float16),
        case("floats of blocks that stick out", "float-quantized", {**FP8, "strategy": "block", "block_structure": [48, 96]}, ("FP8_F32",),
             torch.float32),
        case("packed, the embedding and the head too", "pack-quantized", INT4, ("INT4_BF16",), chosen=lambda name, tensor: tensor.dim() == 2),
        two_groups(),
    ], (packed("pack-quantized", INT4), config_of("pack-quantized", INT4)), REFUSED, [scores_and_export, every_key])
