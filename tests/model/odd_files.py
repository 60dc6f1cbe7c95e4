#!/usr/bin/env python3
"""Model folders as people have them: other spellings, stale keys, tensors that the configuration does not expect.

    odd_files.py MEZO oddities    # each case of CASES: transformers' numbers, or a refusal that says what was found
    odd_files.py MEZO keys        # every key of transformers' configuration classes, given another value: the same

transformers is asked with the very same folder. A difference above 1e-4 is an error. Exits with 77 (skipped) where a package is absent.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from odd_cases import CASES, KEYS, OTHERS  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import FAMILIES, make_model, question_of, read_model, whole_model  # noqa: E402

try:
    from safetensors.torch import load_file, save_file
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

LIMIT = 1e-4
QUESTION = question_of("llama")


def rewrite(folder, config=None, tensors=None):
    if config:
        path = folder / "config.json"
        values = json.loads(path.read_text())
        text = config(values)
        path.write_text(text if isinstance(text, str) else json.dumps(values))
    if tensors:
        path = folder / "model.safetensors"
        values = load_file(path)
        values = tensors(values) or values
        save_file({name: t.contiguous() for name, t in values.items()}, path, metadata={"format": "pt"})


def eval_mezo(mezo, folder, model="model", more=(), question=QUESTION):
    """The scores, or None where it is refused; and what was said. `more`: prompts behind the question's."""
    task = folder / "task.yaml"
    task.write_text(json.dumps({"prompt": question.template, "options": question.options}))
    rows = write_rows(folder / "rows.jsonl", [{"text": p, "label": next(iter(question.options))} for p in [*question.prompts, *more]])
    done = run_mezo(mezo, "eval", folder, folder / model, task, rows)
    if done.returncode:
        assert done.returncode in (3, 4, 5), f"exit code {done.returncode}: {done.stderr}"
        return None, done.stderr
    with open(folder / "out/predictions.jsonl", encoding="utf-8") as lines:
        return [json.loads(line)["scores"] for line in lines], done.stderr


def exported(mezo, folder):
    """The folder that an export of the untrained model writes."""
    for arguments in (["run", "eval.yaml", "trainer.steps=0", "task.train=rows.jsonl", "optimizer.learning_rate=1e-6", "optimizer.epsilon=1e-3",
                       "output=run"], ["export", "run", "copy"]):
        done = subprocess.run([pathlib.Path(mezo).absolute(), *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"mezo {arguments}: {done.stderr}"
    return folder / "copy"


def difference(folder, family, got, read=read_model):
    """From transformers on that folder."""
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return largest_difference(read(folder, family), tokenizer, question_of(family), got)


def try_folder(mezo, name, folder, family, refused=None, says=None, more=(), export=False):
    """Whether it went as it should; prints how it went."""
    got, said = eval_mezo(mezo, folder, more=more, question=question_of(family))
    if refused:
        right = got is None and refused in said
        print(f"{name}: {'refused' if right else f'expected to be refused with {refused!r}, got {said}'}", flush=True)
        return right
    if got is None:
        print(f"{name}: expected scores, got {said}")
        return False
    worst = difference(folder / "model", family, got)
    if export:
        worst = max(worst, difference(exported(mezo, folder), family, got, whole_model))
    right = worst <= LIMIT and (not says or says in said) and (says or "does not read" not in said)
    print(f"{name}: largest difference {worst:.2e}{'' if right else f', expected {says!r} in {said}'}", flush=True)
    return right


def oddities(mezo, temporary):
    wrong = []
    for i, (name, case) in enumerate(CASES.items()):
        case, folder = dict(case), temporary / str(i)
        family = case.pop("family", "llama")
        expected = {key: case.pop(key) for key in ("refused", "says", "more", "export") if key in case}
        how = {key: case.pop(key, None) for key in ("config", "tensors", "after")}
        make_model(folder / "model", family, i, **case)
        rewrite(folder / "model", how["config"], how["tensors"])
        if how["after"]:
            how["after"](folder / "model")
        if not try_folder(mezo, name, folder, family, **expected):
            wrong.append(name)
    return wrong


def keys(mezo, temporary):
    wrong = []
    wrong += [f"{family}: its keys are in no table" for family in FAMILIES if family not in {**KEYS, **OTHERS}]
    for family, table in {**KEYS, **OTHERS}.items():
        config = FAMILIES[family][2]()
        known = set(config.to_dict()) - {"_name_or_path", "model_type", "output_attentions"}
        others = set(KEYS["llama"]) & known if family in OTHERS else set()
        if known != set(table) | others:
            wrong.append(f"{family}: keys {sorted(known ^ (set(table) | others))} are in one of transformers' class and the tables only")
        for i, (key, (value, refused)) in enumerate(table.items()):
            folder = temporary / f"{family}{i}"
            make_model(folder / "model", family, 7)
            rewrite(folder / "model", lambda c: c.update({key: value}))
            if not try_folder(mezo, f"{family} {key} {json.dumps(value)}", folder, family, refused):
                wrong.append(f"{family} {key}")
    return wrong


def main():
    mezo, what = sys.argv[1:]
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        wrong = {"oddities": oddities, "keys": keys}[what](mezo, pathlib.Path(temporary))
    print(f"wrong: {wrong}" if wrong else "all as they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
