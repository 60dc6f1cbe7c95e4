#!/usr/bin/env python3
"""What every family promises beside its scores (compare_with_transformers.py), of small random models.

    conformance.py MEZO FAMILY      # one of small_models.FAMILIES

- Scores are those of each example alone, to 3e-5: what shares a batch with it changes nothing;
- an exported folder has the base's config.json, and transformers finds every tensor in it and no other, with the same scores;
- so has a folder that is exported from the GGUF file which llama.cpp's converter makes of the model, where the family has one;
- adapters that were trained on it, LoRA and a prefix, are read by the peft package, with the scores that they have here;
- bf16 moves its scores at most three times as far as it moves transformers', and 0.02.

Exits with 77 (skipped) where a package is absent.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "checkpoint"))
from compare_gguf_with_folder import ARCHITECTURES, write_gguf  # noqa: E402
from odd_files import LIMIT, eval_mezo, exported  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import FAMILIES, make_model, question_of, whole_model  # noqa: E402

try:
    import peft
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")


def verb(mezo, folder, *arguments):
    done = subprocess.run([pathlib.Path(mezo).absolute(), *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"mezo {arguments}: {done.stderr}"


def scores(folder):
    with open(folder / "out/predictions.jsonl", encoding="utf-8") as lines:
        return [json.loads(line)["scores"] for line in lines]


def check_alone(mezo, folder, question):
    """How far each example's scores lie from those that it has in a batch."""
    together, _ = eval_mezo(mezo, folder, question=question)
    alone = [eval_mezo(mezo, folder, question=Question(question.name, question.options, [p], question.template))[0][0] for p in question.prompts]
    return max(abs(one[label] - score) for one, scores in zip(alone, together, strict=True) for label, score in scores.items())


def check_export(mezo, folder, family, tokenizer):
    question = question_of(family)
    got, _ = eval_mezo(mezo, folder, question=question)
    made = exported(mezo, folder)
    before, after = (json.loads((f / "config.json").read_text()) for f in (folder / "model", made))
    assert before == after, (before, after)
    return largest_difference(whole_model(made, family), tokenizer, question, got)


def check_gguf(mezo, folder, family, model, tokenizer):
    question, tensors = question_of(family), dict(model.state_dict())
    if model.config.tie_word_embeddings:
        del tensors["lm_head.weight"]
    (folder / "of_gguf").mkdir()
    write_gguf(folder / "of_gguf/model.gguf", model.config, tensors, tokenizer, False)
    got, said = eval_mezo(mezo, folder / "of_gguf", "model.gguf", question=question)
    assert got and "does not read" not in said, said
    made = exported(mezo, folder / "of_gguf")
    assert json.loads((made / "config.json").read_text())["architectures"] == [FAMILIES[family][3].__name__]
    return max(largest_difference(of, tokenizer, question, got) for of in (model, whole_model(made, family)))


def check_adapter(mezo, folder, model, tokenizer, question, *mode):
    verb(mezo, folder, "run", "eval.yaml", "trainer.steps=2", "task.train=rows.jsonl", "optimizer.learning_rate=1", "optimizer.epsilon=1e-2",
         *mode, "output=adapted", "--overwrite")
    verb(mezo, folder, "eval", "eval.yaml", "--overwrite", *mode, "peft.adapter=adapted/adapter")
    base = reference_scores(model, tokenizer, question, question.prompts[0])
    assert max(abs(base[key] - score) for key, score in scores(folder)[0].items()) > 1e-3, "the adapter changes nothing"
    adapted = peft.PeftModel.from_pretrained(copy.deepcopy(model), folder / "adapted/adapter").eval()
    return largest_difference(adapted, tokenizer, question, scores(folder))


def check_bf16(mezo, folder, model, tokenizer, question):
    """By how much bf16 moves the scores, and how far it may."""
    verb(mezo, folder, "eval", "eval.yaml", "--overwrite", "model.dtype=bfloat16")
    got = largest_difference(model, tokenizer, question, scores(folder))
    narrow = copy.deepcopy(model).to(torch.bfloat16)
    theirs = [reference_scores(narrow, tokenizer, question, prompt) for prompt in question.prompts]
    return got, 0.02 + 3 * largest_difference(model, tokenizer, question, theirs)


def main():
    mezo, family = sys.argv[1:]
    print(f"transformers {transformers.__version__}, peft {peft.__version__}")
    shape, question = next(iter(FAMILIES[family][0].values())), question_of(family)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model, tokenizer = make_model(folder / "model", family, 300, **{k: v for k, v in shape.items() if k != "cut"})
        alone = check_alone(mezo, folder, question)
        found = {"exported": check_export(mezo, folder, family, tokenizer)}
        # Of a window in every layer llama.cpp's files say nothing.
        if model.config.model_type in ARCHITECTURES and family != "mistral":
            found["GGUF"] = check_gguf(mezo, folder, family, model, tokenizer)
        bf16, most = check_bf16(mezo, folder, model, tokenizer, question)
        found["LoRA"] = check_adapter(mezo, folder, model, tokenizer, question, "peft.type=lora")
        found["prefix"] = check_adapter(mezo, folder, model, tokenizer, question, "peft.type=prefix", "peft.positions=peft")
    print(", ".join(f"{what} {worst:.2e}" for what, worst in found.items()) + f", bf16 {bf16:.2e} of {most:.2e}, alone {alone:.2e}", flush=True)
    sys.exit(0 if max(found.values()) <= LIMIT and bf16 <= most and alone <= 3e-5 else 1)


if __name__ == "__main__":
    main()
