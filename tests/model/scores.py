"""What compare_*.py share: `mezo eval` on a model, and the same scores from transformers, computed the plain way."""

import json
import re
import subprocess
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    import gguf
    import numpy
    import tokenizers
    import torch
    import transformers
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

TEXTS = ["a", "I", "The film", "It was not what we had hoped for, but the actors are good.",
         "Two hours of rain, a train and nobody to talk to: I liked every minute of it!",
         "caf\u00e9 na\u00efve \u2014 \u65e5\u672c\u8a9e \U0001f600 tabs\tand\nlines", "1234567890 3.14 it's we'll DON'T",
         "a word " * 60, "the end of a story that goes on and on, " * 8]


class Question:
    """A prompt with its options: {label: text}. The prompt is one field of a row, so it may be anything; `template` is the task's."""

    def __init__(self, name, options, prompts, template="{text}"):
        self.name, self.options, self.prompts, self.template = name, options, prompts, template


# Options of one token, of several, of different length, with shared beginnings, and one that begins another.
QUESTIONS = [
    Question("single", {"0": " a", "1": " b"}, TEXTS),
    Question("several", {"short": " yes", "long": " a very long answer, longer than the others", "alike": " a very long anthem"}, TEXTS),
    Question("nested", {"one": " good", "two": " good film", "three": " good film, really", "other": " ;-)"}, TEXTS),
]
# For who fills a mask: each option is one token.
MASKED = Question("mask", {"0": " film", "1": " good", "2": " word"}, TEXTS, "{text} It was<mask>. {text}")
SPECIAL = {"bert": ["[CLS]", "[PAD]", "[SEP]", "[MASK]"], "roberta": ["<cls>", "<pad>", "</sep>", "<mask>"]}


def train_tokenizer(folder, vocabulary=384, start=False):
    """A byte-level BPE tokenizer trained on TEXTS; `start`: every sequence begins with <s>."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXTS * 4 + [o for q in QUESTIONS for o in q.options.values()] * 4, tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    if start:
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def masked_tokenizer(folder, names):
    """The same with the special tokens of who fills a mask: beginning, padding, end, mask."""
    tokenizer = train_tokenizer(folder)
    tokenizer.add_special_tokens([tokenizers.AddedToken(name, special=True, lstrip=name == names[3]) for name in names])
    first, end = names[0], names[2]
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{first} $A {end}", special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, end)])
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = dict(zip(("bos_token", "pad_token", "eos_token", "mask_token"), names))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **roles}))
    return tokenizer


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def run_mezo(mezo, verb, folder, model, task, rows, overrides=(), **settings):
    """`mezo VERB` on a configuration in `folder`; `settings` are more of its task block. The output goes to folder/out."""
    config = {"model": {"path": str(model)}, "task": {"file": str(task), "test": str(rows), "test_size": "all", **settings},
              "output": str(folder / "out")}
    path = folder / "eval.yaml"
    path.write_text(json.dumps(config, indent=1))  # JSON is YAML
    return subprocess.run([mezo, verb, str(path)] + (["--overwrite"] if verb == "eval" else []) + [*overrides], capture_output=True, text=True)


def mezo_scores(mezo, folder, model, task, rows, **settings):
    """Of each row, {label: score}."""
    done = run_mezo(mezo, "eval", folder, model, task, rows, **settings)
    if done.returncode:
        sys.exit(f"mezo eval {model}: exit code {done.returncode}\n{done.stderr}")
    with open(folder / "out/predictions.jsonl", encoding="utf-8") as lines:
        return [json.loads(line)["scores"] for line in lines]


def question_scores(mezo, folder, model, question, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    task = folder / f"{question.name}.yaml"
    task.write_text(json.dumps({"prompt": question.template, "options": question.options}))
    first = next(iter(question.options))
    rows = write_rows(folder / f"{question.name}.jsonl", [{"text": p, "label": first} for p in question.prompts])
    return mezo_scores(mezo, folder, model, task, rows, **settings)


@torch.no_grad()
def mask_scores(model, tokenizer, question, prompt):
    """{label: log-probability of the option, which is one token, at the mask}."""
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    mask = next(id for id in map(tokenizer.token_to_id, (names[3] for names in SPECIAL.values())) if id)
    start, end = tokenizer.encode("").ids
    pieces = re.split("(<mask>|{[a-z]+})", question.template)
    fields = prompt if isinstance(prompt, dict) else {"text": prompt}
    ids = sum(([mask] if p == "<mask>" else encode(fields[p[1:-1]] if p[:1] == "{" else p) for p in pieces), [start]) + [end]
    log_share = model(torch.tensor([ids])).logits[0, ids.index(mask)].float().log_softmax(-1)
    words = {label: encode(text) for label, text in question.options.items()}
    assert all(len(ids) == 1 for ids in words.values()), words
    return {label: log_share[ids[0]].item() for label, ids in words.items()}


@torch.no_grad()
def reference_scores(model, tokenizer, question, prompt, max_length=2048):
    """{label: mean log-probability of the option's tokens}: one unpadded forward an option."""
    if question.template != "{text}":
        return mask_scores(model, tokenizer, question, prompt)
    options = question.options
    encode = lambda text: tokenizer.encode(text).ids
    start = len(encode(""))
    prompt_length = len(encode(prompt))
    sequences = {label: encode(prompt + text) for label, text in options.items()}
    excess = max(0, max(map(len, sequences.values())) - max_length)
    scores = {}
    for label, ids in sequences.items():
        count = len(ids) - prompt_length
        ids = torch.tensor([ids[:start] + ids[start + excess:]])
        # The row of the last token before the option is the first to predict one of its tokens.
        log_share = model(ids, use_cache=False, logits_to_keep=count + 1).logits[0].float().log_softmax(-1)
        scores[label] = log_share[torch.arange(count), ids[0, -count:]].mean().item()
    return scores


def largest_difference(model, tokenizer, question, got, max_length=2048):
    assert len(got) == len(question.prompts), (len(got), len(question.prompts))
    worst = 0.0
    for prompt, scores in zip(question.prompts, got):
        expected = reference_scores(model, tokenizer, question, prompt, max_length)
        assert list(expected) == list(scores), (list(expected), list(scores))
        # A score that is not a number compares as not larger: take it for infinite.
        worst = max([worst] + [d if d == d else float("inf") for d in (abs(scores[k] - expected[k]) for k in expected)])
    return worst
