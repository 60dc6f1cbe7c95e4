"""What the tests of folders with quantised weights share: such a folder beside the same model dequantised, and what mezo makes of both."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "model"))
from compare_gguf_with_folder import scores_kept  # noqa: E402
from odd_files import difference, eval_mezo, exported, rewrite  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import make_model  # noqa: E402

try:
    from safetensors.torch import load_file, save_file
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

SHAPE = dict(hidden_size=64, intermediate_size=128)
MODULE = "model.layers.0.self_attn.q_proj"
LIMIT = 1e-5


def is_quantised(name, tensor):
    return name.startswith("model.layers.") and tensor.dim() == 2


def save(folder, tensors):
    save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})


def write_pair(folder, pack, config, family="llama", chosen=is_quantised, **shape):
    """folder/model as a library saves it, with `config` as its quantization_config, folder/wide the same dequantised; the numbers of the
    latter. `pack` makes of a module's name and weight what is saved, by suffix of the name, and what the library computes with."""
    make_model(folder / "model", family, 5, **{**SHAPE, **shape})
    shutil.copytree(folder / "model", folder / "wide")
    packed, wide = {}, {}
    for name, tensor in load_file(folder / "model/model.safetensors").items():
        wide[name] = packed[name] = tensor
        if chosen(name, tensor):
            module = name.removesuffix(".weight")
            parts, wide[name] = pack(module, packed.pop(name))
            packed.update({module + suffix: part for suffix, part in parts.items()})
    save(folder / "wide", {name: t.float() for name, t in wide.items()})
    save(folder / "model", packed)
    rewrite(folder / "model", config=lambda c: c.update(quantization_config=config))
    return wide


def check(name, right, detail=""):
    print(f"{name}: {'as it should be' if right else f'WRONG {detail}'}", flush=True)
    return right


def scored(mezo, folder, name, model="model", family="llama"):
    """Whether a model scores, kept as its file has it and widened, as folder/wide to the last bit, and as transformers scores folder/`model`."""
    expected, said = eval_mezo(mezo, folder, "wide")
    kept, also = scores_kept(mezo, folder, "model")
    widened, more = eval_mezo(mezo, folder)  # the last, whose eval.yaml lora() and export() use
    off = difference(folder / model, family, expected) if expected else 1
    return check(f"{name}, scores (transformers: {off:.1e})", expected is not None and expected == kept == widened and off <= LIMIT,
                 said + also + more)


def lora(mezo, folder):
    """A step of LoRA over both; scored() was asked before."""
    losses = []
    for model in ("model", "wide"):
        done = subprocess.run([mezo, "run", "eval.yaml", f"model.path={folder}/{model}", "peft.type=lora", "trainer.steps=2", "task.train=rows.jsonl",
                               "trainer.batch_size=2", "optimizer.learning_rate=1e-3", "optimizer.epsilon=1e-2", f"output={model}-run"],
                              cwd=folder, capture_output=True, text=True)
        if done.returncode:
            return check("LoRA over quantised weights", False, done.stderr)
        lines = [json.loads(line) for line in (folder / f"{model}-run/metrics.jsonl").read_text().splitlines()]
        losses.append([line["loss"] for line in lines if "loss" in line])
    return check("LoRA over quantised weights", len(losses[0]) == 2 and losses[0] == losses[1], losses)


def export(mezo, folder, wide):
    """Of what no step has changed; scored() was asked before."""
    copy = exported(mezo, folder)
    tensors, config = load_file(copy / "model.safetensors"), json.loads((copy / "config.json").read_text())
    equal = tensors.keys() == wide.keys() and all(torch.equal(tensors[name].float(), wide[name].float()) for name in wide)
    stale = [file.name for file in copy.iterdir() if "quant" in file.name]
    return check("export", equal and "quantization_config" not in config and not stale and
                 "float32" in (config.get("dtype"), config.get("torch_dtype")), config)


def setting(**settings):
    """A change of quantization_config; None takes a key away."""
    def change(config):
        values = config["quantization_config"]
        values.update(settings)
        for key in [key for key, value in values.items() if value is None]:
            del values[key]
    return dict(config=change)


def without(name):
    return dict(tensors=lambda tensors: {key: tensor for key, tensor in tensors.items() if key != name})


def replaced(name, make):
    """`make`: the tensor of that name anew, of the old one."""
    return dict(tensors=lambda tensors: tensors.update({name: make(tensors.get(name))}))


def known_keys(keys, tried):
    """Whether a test tries every key that a library's class has."""
    return check("every key", set(keys) <= set(tried), sorted(set(keys) - set(tried)))


class Case:
    """A folder that write_pair() makes: its quantised matrices are read in `types`, with `says` in the notes. `change`: what is done to it then."""

    def __init__(self, name, pack, config, types, says=(), change=None, **how):
        self.name, self.pack, self.config, self.types, self.says, self.change, self.how = name, pack, config, types, says, change, how

    def write(self, folder):
        write_pair(folder, self.pack, self.config, **self.how)
        if self.change:
            rewrite(folder / "model", **self.change)
        return folder / "model", folder / "wide"

    def right(self, line):
        notes = " ".join(line.get("notes", []))
        return (not line.get("error") and not line["unequal"] and set(line["types"]) - {"F32"} == set(self.types) and
                all(text in notes for text in self.says) and bool(self.says) == bool(notes))


class Refused:
    """The folder `whole` with a change: refused, with `says` in the error."""

    def __init__(self, name, change, says):
        self.name, self.change, self.says = name, change, says

    def write(self, folder):
        shutil.copytree(folder.parent / "whole", folder)
        rewrite(folder / "model", **self.change)
        return folder / "model", "-"

    def right(self, line):
        return line.get("code") == 5 and self.says in line["error"] and str(WHERE) in line["error"]


WHERE = pathlib.Path(tempfile.gettempdir())


def read_all(cases, temporary):
    """Whether each is read as it should be."""
    mezo, tool = (pathlib.Path(argument).absolute() for argument in sys.argv[1:3])
    paths = [path for i, case in enumerate(cases) for path in case.write(temporary / f"c{i}")]
    done = subprocess.run([tool, mezo.parent.parent / "lib/mezo/plugins", *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(cases)
    return [check(case.name, case.right(line), f"{vars(case)} {line}") for case, line in zip(cases, lines)]


def run(cases, whole=None, refused=(), tests=()):
    """Reads the folders of `cases`, and those of `refused` (name to change and error), which are changes of write_pair(*whole); `tests`
    are asked with mezo and a folder of their own. Exits."""
    mezo = str(pathlib.Path(sys.argv[1]).absolute())
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        if whole:
            write_pair(temporary / "whole", *whole)
        right = read_all([*cases, *(Refused(name, *how) for name, how in dict(refused).items())], temporary)
        right += [test(mezo, temporary / f"t{i}") for i, test in enumerate(tests)]
    print("all as they should be" if all(right) else f"{right.count(False)} WRONG")
    sys.exit(0 if all(right) else 1)
