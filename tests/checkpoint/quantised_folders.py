#!/usr/bin/env python3
"""Hugging Face folders with quantised weights: each scores to the last bit as a folder of what the library that quantised it dequantises.

    quantised_folders.py MEZO      # exits with 77 (skipped) where a package is absent

Exported, its tensors are these too. What is damaged or quantised in another way is refused by what is wrong with it.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "model"))
from compare_gguf_with_folder import scores_kept  # noqa: E402
from odd_files import eval_mezo, exported, rewrite  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import make_model  # noqa: E402

try:
    import bitsandbytes.functional
    from safetensors.torch import load_file, save_file
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

STATE = "quant_state.bitsandbytes__nf4"
CONFIG = {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False, "bnb_4bit_quant_type": "nf4"}
SHAPE = dict(hidden_size=64, intermediate_size=128)
KEPT = {torch.float32: "NF4_F32", torch.float16: "NF4_F16", torch.bfloat16: "NF4_BF16"}


def is_quantised(name, tensor):
    return name.startswith("model.layers.") and tensor.dim() == 2


def nf4(weight, nested, blocksize):
    """What bitsandbytes saves of a weight, by suffix, and what it computes with."""
    packed, state = bitsandbytes.functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=nested, blocksize=blocksize)
    parts = {f".{suffix}": part for suffix, part in state.as_dict(packed=True).items()}
    return {"": packed, **parts}, bitsandbytes.functional.dequantize_4bit(packed, state)


def quantised(folder, dtype, nested, blocksize=64, **shape):
    """folder/model as bitsandbytes' folders are, folder/wide the same dequantised; the numbers of the latter."""
    make_model(folder / "model", "llama", 5, **{**SHAPE, **shape})
    shutil.copytree(folder / "model", folder / "wide")
    packed, wide = {}, {}
    for name, tensor in load_file(folder / "model/model.safetensors").items():
        wide[name] = packed[name] = tensor
        if is_quantised(name, tensor):
            parts, wide[name] = nf4(tensor.to(dtype), nested, blocksize)
            packed.update({name + suffix: part for suffix, part in parts.items()})
    save_file({name: t.float().contiguous() for name, t in wide.items()}, folder / "wide/model.safetensors", metadata={"format": "pt"})
    save_file(packed, folder / "model/model.safetensors", metadata={"format": "pt"})
    rewrite(folder / "model", config=lambda config: config.update(quantization_config=CONFIG))
    return wide


def check(name, right, detail=""):
    print(f"{name}: {'as it should be' if right else f'WRONG {detail}'}", flush=True)
    return right


def same(mezo, folder, name, dtype, **how):
    quantised(folder, dtype, **how)
    widened, said = eval_mezo(mezo, folder)
    expected, _ = eval_mezo(mezo, folder, "wide")
    kept, saying = scores_kept(mezo, folder, "model")
    return check(name, widened is not None and widened == expected == kept and f"kept in {KEPT[dtype]}" in saying, said + saying)


def lora_and_export(mezo, folder):
    """A step of LoRA over both, and the export of what no step has changed."""
    wide = quantised(folder, torch.bfloat16, True)
    eval_mezo(mezo, folder)
    losses = []
    for model in ("model", "wide"):
        done = subprocess.run([mezo, "run", "eval.yaml", f"model.path={folder}/{model}", "peft.type=lora", "trainer.steps=2", "task.train=rows.jsonl",
                               "trainer.batch_size=2", "optimizer.learning_rate=1e-3", "optimizer.epsilon=1e-2", f"output={model}-run"],
                              cwd=folder, capture_output=True, text=True)
        if done.returncode:
            return check("LoRA over quantised weights", False, done.stderr)
        lines = [json.loads(line) for line in (folder / f"{model}-run/metrics.jsonl").read_text().splitlines()]
        losses.append([line["loss"] for line in lines if "loss" in line])
    right = check("LoRA over quantised weights", len(losses[0]) == 2 and losses[0] == losses[1], losses)
    copy = exported(mezo, folder)
    tensors, config = load_file(copy / "model.safetensors"), json.loads((copy / "config.json").read_text())
    equal = tensors.keys() == wide.keys() and all(torch.equal(tensors[name], wide[name].float()) for name in wide)
    return check("export", equal and "quantization_config" not in config and "float32" in (config.get("dtype"), config.get("torch_dtype")), config) and right


FIRST = "model.layers.0.self_attn.q_proj.weight"


def other(**settings):
    return dict(config=lambda config: config["quantization_config"].update(settings))


def without(suffix):
    return dict(tensors=lambda tensors: {name: tensor for name, tensor in tensors.items() if name != FIRST + suffix})


def state(**settings):
    def change(tensors):
        values = {**json.loads(bytes(tensors[f"{FIRST}.{STATE}"].tolist())), **settings}
        tensors[f"{FIRST}.{STATE}"] = torch.tensor(list(json.dumps(values).encode()), dtype=torch.uint8)
    return dict(tensors=change)


# What is changed in a folder with nested scales, and a part of the error.
REFUSED = {
    "another library": (other(quant_method="gptq"), "weights quantised by gptq cannot be read"),
    "no library": (dict(config=lambda config: config.update(quantization_config={"bits": 4})), "quantised by what it does not say"),
    "8 bits": (other(load_in_4bit=False, load_in_8bit=True), "8 bits cannot be read"),
    "fp4": (other(bnb_4bit_quant_type="fp4"), "type fp4 cannot be read"),
    "the type that is meant when none is said": (other(bnb_4bit_quant_type=None), "type fp4"),
    "weights that are not quantised": (dict(tensors=lambda tensors: {n: t for n, t in tensors.items() if "weight." not in n}), "no tensor is called"),
    "no scales": (without(".absmax"), f"{FIRST}.absmax is missing"),
    "no nested scales": (without(".nested_absmax"), f"{FIRST}.nested_absmax is missing"),
    "no weights": (without(""), "expected 2048 bytes of 4-bit weights, got 0"),
    "fewer weights": (dict(tensors=lambda tensors: tensors.update({FIRST: tensors[FIRST][1:]})), "expected 2048 bytes of 4-bit weights, got 2047"),
    "other levels": (dict(tensors=lambda tensors: tensors.update({f"{FIRST}.quant_map": tensors[f"{FIRST}.quant_map"] * 2})), "levels of nf4"),
    "a shape that is not the model's": (state(shape=[32, 128]), "asks for shape [64, 64], got [32, 128]"),
    "a width that blocks do not fit": (state(shape=[128, 32]), "rows of a multiple of 64"),
    "a block of no size": (state(blocksize=0), "expected a size as blocksize"),
    "a block that is too small": (state(blocksize=32), "blocksize of a multiple of 64"),
    "another type": (state(dtype="float64"), "got \"float64\""),
    "no offset": (state(nested_offset=None), "nested_offset"),
    "a state that is no JSON": (dict(tensors=lambda tensors: tensors.update({f"{FIRST}.{STATE}": torch.full((8,), 33, dtype=torch.uint8)})), "expected JSON"),
}


def refused(mezo, folder, name, change, says):
    shutil.copytree(folder.parent / "whole", folder)
    rewrite(folder / "model", **change)
    scores, said = eval_mezo(mezo, folder)
    return check(name, scores is None and says in said and "model" in said, f"expected {says!r}, got {said}")


def main():
    mezo, right = str(pathlib.Path(sys.argv[1]).absolute()), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        right.append(same(mezo, folder / "a", "bf16, nested scales", torch.bfloat16, nested=True))
        right.append(same(mezo, folder / "b", "fp16", torch.float16, nested=False))
        right.append(same(mezo, folder / "c", "fp32, nested, blocks of 128", torch.float32, nested=True, blocksize=128, hidden_size=128))
        right.append(lora_and_export(mezo, folder / "d"))
        quantised(folder / "whole", torch.bfloat16, True)
        for i, (name, (change, says)) in enumerate(REFUSED.items()):
            right.append(refused(mezo, folder / str(i), name, change, says))
    sys.exit(0 if all(right) else 1)


if __name__ == "__main__":
    main()
