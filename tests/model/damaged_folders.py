#!/usr/bin/env python3
"""Model folders that are damaged or put together wrongly: each is refused by an error that names the file and what was found.

    damaged_folders.py MEZO

Exits with 77 (skipped) where a package is absent.
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from scores import *  # noqa: E402,F403
from small_models import FAMILIES, make_model, question_of  # noqa: E402

from safetensors.torch import load_file, save_file  # noqa: E402

INDEX = "model.safetensors.index.json"


def shards(folder):
    return sorted(folder.glob("model-*.safetensors"))


def halved(name):
    def damage(folder):
        path = folder / name
        path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    return damage


def in_shards(change, which=slice(1, 2)):
    """Changes the tensors of shards, the second unless others are asked for."""
    def damage(folder):
        for path in shards(folder)[which]:
            tensors = load_file(path)
            change(tensors)
            save_file(tensors, path, metadata={"format": "pt"})
    return damage


def narrower(tensors):
    tensors[first(tensors)] = tensors[first(tensors)][..., :-1].contiguous()


def in_index(shard):
    """Says of one tensor that it lies there."""
    def damage(folder):
        index = json.loads((folder / INDEX).read_text())
        index["weight_map"][max(index["weight_map"])] = shard
        (folder / INDEX).write_text(json.dumps(index))
    return damage


def nowhere(folder):
    name = max(load_file(shards(folder)[0]))
    in_shards(lambda tensors: tensors.pop(name), slice(0, 1))(folder)
    index = json.loads((folder / INDEX).read_text())
    del index["weight_map"][name]
    (folder / INDEX).write_text(json.dumps(index))


def first(tensors):
    return next(iter(tensors))


def other_config(folder):
    """That of OPT or, where the folder is of it, of LLaMA."""
    other = "opt" if json.loads((folder / "config.json").read_text())["model_type"] != "opt" else "llama"
    _, base, config_class, model_class = FAMILIES[other]
    config = config_class(vocab_size=389, **base)
    config.architectures = [model_class.__name__]
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))


# What is done to a folder, expressions that the error fits, and what else is said on the command line: of files, tried with one family
# each, and of what families know, tried with all.
OF_FILES = {
    "a shard that is missing": (lambda folder: shards(folder)[1].unlink(), [INDEX, "model-00002-of", "no such file"]),
    "a shard cut short": (lambda folder: halved(shards(folder)[1].name)(folder), ["model-00002-of.* expected .* within"]),
    "a tensor of another shape": (in_shards(narrower), ["model-00002-of.* tensor .*asks for shape"]),
    "a tensor that its index has": (in_shards(lambda t: t.pop(first(t))), [INDEX, "no such tensor"]),
    "NaN in a tensor": (in_shards(lambda t: t[first(t)].fill_(float("nan"))), [r"/model\] tensor .* are not finite numbers: the file is damaged"]),
    "a tokenizer cut short": (halved("tokenizer.json"), ["tokenizer.json: expected JSON"]),
    "a configuration cut short": (halved("config.json"), [r"config.json\]: expected JSON"]),
    "an index of a file that is not there": (in_index("model-9.safetensors"), [INDEX, "model-9.safetensors.*no such file"]),
    "an index of a file elsewhere": (in_index("../model-9.safetensors"), [INDEX, "file in this folder"]),
    "an index cut short": (halved(INDEX), [INDEX, "JSON"]),
}
OF_FAMILIES = {
    "several tensors of other shapes": (in_shards(narrower, slice(None)), ["asks for shape.*\n.*model-.*asks for shape"]),
    "a tensor that is nowhere": (nowhere, ["tensors that the model needs are not there:\n  [a-z]"]),
    "another family's configuration": (other_config, ["are not there:(\n  .*)*\nThe files have [0-9]+ that it does not use, such as .*may be another model's"]),
}


def other_type(family):
    other = "opt" if family != "opt" else "gpt2"
    return {"a type that is not its own": (lambda folder: None, [f"model.type is {other}, but the model is of the {family} family"],
                                           f"model.type={other}")}


def tried(mezo, folder, family, *overrides):
    question = question_of(family)
    (folder / "task.yaml").write_text(json.dumps({"prompt": question.template, "options": question.options}))
    rows = write_rows(folder / "rows.jsonl", [{"text": question.prompts[0], "label": next(iter(question.options))}])
    return run_mezo(mezo, "eval", folder, folder / "model", folder / "task.yaml", rows, overrides=overrides)


def main():
    mezo, wrong = str(pathlib.Path(sys.argv[1]).absolute()), 0
    with tempfile.TemporaryDirectory() as temporary:
        whole, folder = pathlib.Path(temporary) / "whole", pathlib.Path(temporary) / "tried"
        of_files = list(OF_FILES.items())
        for i, family in enumerate(FAMILIES):
            shutil.rmtree(whole, ignore_errors=True)
            make_model(whole, family, 1, shards="40KB")
            for name, (damage, parts, *overrides) in {**dict(of_files[i::len(FAMILIES)]), **OF_FAMILIES, **other_type(family)}.items():
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(whole, folder / "model")
                damage(folder / "model")
                done = tried(mezo, folder, family, *overrides)
                if done.returncode != 5 or not all(re.search(part, done.stderr) for part in parts):
                    print(f"{family}, {name}: expected {parts}, got exit code {done.returncode} and {done.stderr}")
                    wrong += 1
    print(f"{wrong} wrong" if wrong else "all as they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
