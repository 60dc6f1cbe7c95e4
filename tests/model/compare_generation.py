#!/usr/bin/env python3
"""Texts that `mezo predict` generates, against transformers' generate(): the same ones, token for token.

    compare_generation.py MEZO FAMILY             # small random models of one of small_models.FAMILIES
    compare_generation.py MEZO opt-30m SHARED     # the shared folder's real model; skipped without it
    compare_generation.py MEZO smollm2 SOURCE     # the quickstart's model; skipped where it was not fetched

Of the first shape and of those with windows or few positions: prompts of all lengths together and one of them alone. Of the first
alone: end tokens of generation_config.json, stop strings, a LoRA and a prefix adapter of the peft package. A text may differ where transformers' two best logits are
within 1e-3 of each other. Exits with 77 (skipped) where a package is absent.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare_with_transformers import model_of_gguf, opt_tokenizer, smollm2_tokenizer  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import FAMILIES, make_model, read_model  # noqa: E402

try:
    import peft
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

TOKENS = 50
CLOSE = 1e-3
PROMPTS = [t for t in TEXTS if len(t) < 200] + ["a word " * 12, "the", "Two hours", "good film, really"]


def predict(mezo, model, *arguments, rows=None):
    text = "".join(json.dumps({"prompt": p}) + "\n" for p in rows or [])
    done = subprocess.run([mezo, "predict", model, *arguments], input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"mezo predict {model} {arguments}: exit code {done.returncode}: {done.stderr}"
    return done.stdout


def generated(mezo, model, prompts, *arguments):
    """Of each prompt (text, finish)."""
    lines = predict(mezo, model, "--file", "-", *arguments, rows=prompts).splitlines()
    return [(r["text"], r["finish"]) for r in map(json.loads, lines)]


class Reference:
    """transformers' own texts: one sequence at a time, without padding, by arg-max over the whole sequence's logits or generate()."""

    def __init__(self, model, tokenizer, ends=(), limit=None):
        self.known = {}
        self.model, self.tokenizer, self.ends, self.limit = model, tokenizer, list(ends), limit

    def text(self, prompt, tokens=TOKENS):
        if (prompt, tokens) not in self.known:
            self.known[prompt, tokens] = self.generate(prompt, tokens)
        return self.known[prompt, tokens]

    @torch.no_grad()
    def generate(self, prompt, tokens):
        ids = self.tokenizer.encode(prompt).ids
        if self.limit:
            tokens = min(tokens, self.limit - len(ids) + 1)
        made = self.model.generate(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), max_new_tokens=tokens,
                                   do_sample=False, eos_token_id=self.ends or None, pad_token_id=0, output_logits=True,
                                   return_dict_in_generate=True)
        new = made.sequences[0][len(ids):].tolist()
        gaps = [(lambda best: (best[0] - best[1]).item())(step[0].float().topk(2).values) for step in made.logits]
        return new, gaps

    def decode(self, ids):
        if ids and ids[-1] in self.ends:
            ids = ids[:-1]
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def same(reference, prompt, got, tokens=TOKENS, text=None):
    """Whether a text is transformers', up to where its own choice was a close one. `text`: as it was cut elsewhere."""
    new, gaps = reference.text(prompt, tokens)
    if (reference.decode(new) if text is None else text) == got:
        return True
    return any(gap < CLOSE and got.startswith(reference.decode(new[:i])[:-3]) for i, gap in enumerate(gaps))


def check_all(reference, prompts, got, tokens=TOKENS):
    for prompt, (text, _) in zip(prompts, got, strict=True):
        if not same(reference, prompt, text, tokens):
            new, _ = reference.text(prompt, tokens)
            sys.exit(f"differs at {prompt!r}:\n  {text!r}\n  {reference.decode(new)!r}")


def check_model(mezo, path, reference, *arguments, prompts=PROMPTS):
    length = f"generation.max_new_tokens={TOKENS}"
    together = generated(mezo, path, prompts, length, *arguments)
    check_all(reference, prompts, together)
    alone = predict(mezo, path, "--prompt", prompts[3], length, *arguments)
    assert alone == together[3][0] + "\n", (alone, together[3])
    few = generated(mezo, path, prompts, length, "generation.texts_at_once=3", *arguments)
    assert few == together, "texts depend on what they are generated beside"
    return sum(len(set(reference.text(p)[0])) for p in prompts[:3])


def check_stop(mezo, path, reference):
    """A string that spans tokens ends a text and is no part of it."""
    prompt = PROMPTS[3]
    new, _ = reference.text(prompt)
    whole = reference.decode(new)
    for begin, end in ((4, 7), (1, 12), (0, 1)):
        stop = whole[begin:end]
        if not stop.strip() or "\ufffd" in stop:
            continue
        (text, finish), = generated(mezo, path, [prompt], "generation.max_new_tokens=50", "generation.stop=" + json.dumps([stop]))
        assert (text, finish) == (whole[:whole.index(stop)], "stop"), (stop, text, finish)


def check_end(mezo, path, reference):
    """The list of generation_config.json counts, and an end token at once gives an empty text."""
    new, _ = reference.text(PROMPTS[3])
    file = path / "generation_config.json"
    for end in (new[0], new[-1]):
        file.write_text(json.dumps({"eos_token_id": [end, 383]}))
        (text, finish), = generated(mezo, path, [PROMPTS[3]], "generation.max_new_tokens=50")
        cut = new[:min(new.index(e) for e in (end, 383) if e in new)]
        assert (text, finish) == (reference.decode(cut), "eos"), (end, text, finish, reference.decode(cut))
    file.unlink()


def adapters(model, folder):
    """Folders of random adapters for the peft package, and the models that they make."""
    torch.manual_seed(5)
    targets = [n for n in ("q_proj", "v_proj", "c_attn", "query_key_value") if any(n in name for name, _ in model.named_modules())]
    of = {"lora": peft.LoraConfig(r=4, lora_alpha=64, target_modules=targets, init_lora_weights=False, task_type="CAUSAL_LM",
                                  fan_in_fan_out="c_attn" in targets),
          "prefix": peft.PrefixTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM")}
    for kind, config in of.items():
        made = peft.get_peft_model(model, config).eval()
        with torch.no_grad():
            for name, p in made.named_parameters():
                if "prompt_encoder" in name:
                    p.normal_(0, 1)
        made.save_pretrained(folder / kind)
        yield kind, folder / kind, made
        if kind == "lora":
            made.unload()


def small(mezo, family):
    most = 0
    for shape, settings in FAMILIES[family][0].items():
        first = shape == next(iter(FAMILIES[family][0]))
        if settings.get("dtype") or not (first or any(part in shape for part in ("window", "positions", "head of its own"))):
            continue
        settings = {k: v for k, v in settings.items() if k != "cut"}
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            model, tokenizer = make_model(folder / "model", family, 300, **{**settings, "start": True})
            (folder / "model/generation_config.json").unlink(missing_ok=True)
            limit = getattr(model.config, "max_position_embeddings", None) or getattr(model.config, "n_positions", None)
            end = model.config.eos_token_id
            ends = [end] if isinstance(end, int) and end < model.config.vocab_size else []
            reference = Reference(model, tokenizer, ends, limit)
            distinct = check_model(mezo, folder / "model", reference)
            if first:
                check_stop(mezo, folder / "model", reference)
                check_end(mezo, folder / "model", reference)
                for kind, path, adapted in adapters(model, folder):
                    changed = Reference(adapted, tokenizer, ends, limit)
                    got = generated(mezo, folder / "model", PROMPTS[:6], "generation.max_new_tokens=20", f"peft.type={kind}", f"peft.adapter={path}")
                    check_all(changed, PROMPTS[:6], got, 20)
        most = max(most, distinct)
        print(f"{family}, {shape}: the same texts, {distinct} tokens in three of them", flush=True)
    assert most >= 10, "every text repeats a few tokens, and would whatever is remembered"


def opt_30m(path):
    model = transformers.OPTForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = opt_tokenizer(path, "</s>")
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return Reference(model, tokenizer, [model.config.eos_token_id], model.config.max_position_embeddings)


def smollm2(path):
    reader = gguf.GGUFReader(path)
    tokenizer = smollm2_tokenizer(reader.fields)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return Reference(model_of_gguf(reader), tokenizer, [reader.fields["tokenizer.ggml.eos_token_id"].contents()])


def main():
    mezo, what = sys.argv[1:3]
    print(f"transformers {transformers.__version__}, peft {peft.__version__}")
    if what in FAMILIES:
        return small(mezo, what)
    name, reference_of = {"opt-30m": ("models/opt-30m", opt_30m), "smollm2": ("models/smollm2-135m-instruct-q4_1.gguf", smollm2)}[what]
    path = pathlib.Path(sys.argv[3]) / name
    if not path.exists():
        skip(f"{path} is absent")
    reference = reference_of(path)
    check_model(mezo, path, reference, prompts=PROMPTS[:5])
    check_stop(mezo, path, reference)
    print(f"{path.name}: the same texts", flush=True)


if __name__ == "__main__":
    main()
