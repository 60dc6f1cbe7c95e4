#!/usr/bin/env python3
"""Exports models with export_model and loads what it wrote in transformers, tokenizers, safetensors and mezo.

    check_export.py EXPORT_MODEL MEZO folder|gguf|smollm2|types|refusals|shared SOURCE_DIR SHARED

folder    small Hugging Face folders: no key missing or unexpected, the base's scores, files copied byte for byte
gguf      small GGUF files: the same, against the folder that each was made from, and the same token ids
smollm2   the same of models/smollm2-135m-instruct-q4_1.gguf
types     other types than the file's: every weight as torch rounds it, and the printed cost as numpy finds it
refusals  what cannot be written, and that nothing is left behind then
shared    the models of the shared folder that a plugin serves

Exits with 77 (skipped) where a package, a model or the data is absent.
"""

import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "model"))
from scores import *  # noqa: E402,F403
from compare_gguf_with_folder import SHAPES as GGUF_SHAPES, write_both  # noqa: E402
from compare_with_transformers import make_model, model_of_gguf, smollm2_tokenizer  # noqa: E402

try:
    import safetensors
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")

EXPORT, MEZO, WHAT, SOURCE, SHARED = sys.argv[1:]
PLUGINS = pathlib.Path(MEZO).parent.parent / "lib/mezo/plugins"
SCORE_LIMIT = 1e-3

FOLDERS = {
    "tied": dict(tie_word_embeddings=True),
    "a head of its own, biases, <s> first": dict(attention_bias=True, mlp_bias=True, start=True),
    "fp16": dict(dtype=torch.float16, tie_word_embeddings=True),
    "bf16, shards": dict(dtype=torch.bfloat16, shards="40KB"),
}


def export(model, path, dtype="auto", change=0.0, shard_bytes=5_000_000_000, **how):
    done = subprocess.run([EXPORT, str(model), str(PLUGINS), str(path), dtype, str(change), str(shard_bytes)],
                          capture_output=True, text=True, **how)
    return done


def exported(*arguments, **options):
    done = export(*arguments, **options)
    if done.returncode:
        sys.exit(f"export_model {arguments}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def tensors_of(folder):
    """The folder's tensors, through its index where it has one, as transformers finds them."""
    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    assert sorted(p.name for p in folder.glob("*.safetensors")) == files, files
    tensors = {}
    for file in files:
        with safetensors.safe_open(folder / file, framework="pt") as opened:
            assert opened.metadata() == {"format": "pt"}, opened.metadata()
            for name in opened.keys():
                tensors[name] = opened.get_tensor(name)
    return tensors


def load(folder, **options):
    """The model as transformers loads it; not one key may be left over on either side."""
    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    problems = {key: value for key, value in info.items() if value}
    assert not problems, problems
    return model.eval()


def texts(count=3000):
    """Words, marks and special tokens, digits, and characters of many scripts."""
    draw = random.Random(3)
    words = TEXTS + ["<s>", "</s>", "<|im_start|>", "<|im_end|>", " <|endoftext|>", "12", "3.5", "\u0664\u0665", "'s", "'LL", "  ", "\r\n", "\t", " "]
    ranges = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x5FF), (0x900, 0x97F), (0x2000, 0x218F), (0x2460, 0x24FF), (0x4E00, 0x4FFF), (0x1F300, 0x1FAFF)]
    made = list(TEXTS)
    while len(made) < count:
        made.append("".join(draw.choice(words) if draw.random() < 0.4 else chr(draw.randint(*draw.choice(ranges)))
                            for _ in range(draw.randint(1, 25))))
    return made


def check_tokenizer(folder, reference, start=()):
    """AutoTokenizer on `folder` gives the ids of `reference` (a tokenizers.Tokenizer) and puts `start` before a sequence."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    wrong = 0
    for text in texts():
        expected = reference.encode(text, add_special_tokens=False).ids
        got = tokenizer(text, add_special_tokens=False)["input_ids"]
        full = tokenizer(text)["input_ids"]
        decoded = tokenizer.decode(got)
        if got != expected or full != list(start) + expected or decoded != text:
            wrong += 1
            if wrong <= 3:
                print(f"{text!r}\n  expected {expected}\n  got      {got}\n  decoded  {decoded!r}")
    print(f"  {len(texts())} texts, {wrong} differ", flush=True)
    assert not wrong
    return tokenizer


def log_shares(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits.float().log_softmax(-1)


def check_scores(a, b, ids):
    difference = (log_shares(a, ids) - log_shares(b, ids)).abs().max().item()
    print(f"  largest difference of log-probabilities {difference:.2e}", flush=True)
    return difference


def same_in_mezo(folder, base, copy):
    for question in QUESTIONS[1:]:
        assert question_scores(MEZO, folder, base, question) == question_scores(MEZO, folder, copy, question), question.name


def folder(temporary):
    for i, (name, shape) in enumerate(FOLDERS.items()):
        print(name, flush=True)
        at = temporary / str(i)
        base, copy = at / "base", at / "copy"
        _, tokenizer = make_model(base, "llama", 200 + i, **shape)
        (base / "chat_template.jinja").write_text("{{ messages }}")
        (base / "special_tokens_map.json").write_text('{"eos_token": "</s>"}')
        (base / "optimizer.pt").write_text("not a part of the model")
        exported(base, copy, shard_bytes=40_000 if "shards" in name else 5_000_000_000)
        left = sorted(p.name for p in base.iterdir() if p.suffix not in (".safetensors", ".pt") and "index" not in p.name)
        assert sorted(p.name for p in copy.iterdir() if p.suffix != ".safetensors" and "index" not in p.name) == left, left
        for file in left:
            assert (copy / file).read_bytes() == (base / file).read_bytes(), file
        before, after = tensors_of(base), tensors_of(copy)
        assert before.keys() == after.keys() and ("lm_head.weight" in after) == ("tied" not in name and "fp16" not in name), after.keys()
        for key in before:
            assert before[key].dtype == after[key].dtype and torch.equal(before[key], after[key]), key
        assert (len(list(copy.glob("*.safetensors"))) > 1) == ("shards" in name)
        check_tokenizer(copy, tokenizer, start=[0] if shape.get("start") else [])
        assert check_scores(load(base), load(copy), list(range(2, 60))) == 0
        same_in_mezo(at, base, copy)


def gguf_files(temporary):
    for i, (name, (family, shape)) in enumerate(GGUF_SHAPES.items()):
        if family != "llama":
            continue
        print(name, flush=True)
        at = temporary / str(i)
        copy = at / "copy"
        model, tokenizer = write_both(at, family, 100 + i, shape)
        tensors = {n: t.to(shape.get("dtype", torch.float32)) for n, t in model.state_dict().items()}
        if model.config.tie_word_embeddings:
            del tensors["lm_head.weight"]
        exported(at / "model.gguf", copy)
        after = tensors_of(copy)
        assert after.keys() == tensors.keys()
        for key in tensors:
            assert after[key].dtype == tensors[key].dtype and torch.equal(after[key], tensors[key]), key
        check_tokenizer(copy, tokenizer, start=[0] if shape.get("start") else [])
        loaded = load(copy)
        assert (loaded.config.bos_token_id, loaded.config.eos_token_id) == (0, 1)
        assert loaded.dtype == shape.get("dtype", torch.float32)
        # Not to the bit: the file has rms_norm_eps and rope_theta in fp32.
        assert check_scores(model, load(copy, dtype=torch.float32), list(range(2, 60))) < 1e-4
        same_in_mezo(at, at / "model.gguf", copy)


def smollm2(temporary):
    path = pathlib.Path(SOURCE) / "models/smollm2-135m-instruct-q4_1.gguf"
    if not path.exists():
        skip(f"{path} is absent")
    copy = temporary / "copy"
    print(exported(path, copy), end="")
    reader = gguf.GGUFReader(path)
    tokenizer = check_tokenizer(copy, smollm2_special_tokens(reader))
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token) == \
        ("<|im_start|>", "<|im_end|>", "<|im_end|>", "<|endoftext|>")
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True)
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"), chat
    loaded, reference = load(copy), model_of_gguf(reader)
    assert loaded.dtype == torch.float32 and loaded.generation_config.eos_token_id == 2
    got = loaded.state_dict()
    for key, tensor in reference.state_dict().items():
        assert torch.equal(got[key], tensor), key
    for prompt in TEXTS:
        assert check_scores(reference, loaded, tokenizer(prompt)["input_ids"]) < 1e-4
    same_in_mezo(temporary, path, copy)


def smollm2_special_tokens(reader):
    """compare_with_transformers' tokenizer, with the file's control tokens."""
    tokenizer = smollm2_tokenizer(reader.fields)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    names, kinds = (reader.fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type"))
    tokenizer.add_special_tokens([name for name, kind in zip(names, kinds) if kind == gguf.TokenType.CONTROL])
    return tokenizer


def rms(values):
    return numpy.sqrt(numpy.mean(numpy.square(values)))


def types(temporary):
    base = temporary / "base"
    make_model(base, "llama", 300, dtype=torch.float16, tie_word_embeddings=True)
    change = 2e-4  # some of the changes are smaller than half a step of the type, some larger
    trained = temporary / "float32"
    assert "rounding: none" in exported(base, trained, "float32", change)
    before, exact = tensors_of(base), tensors_of(trained)
    assert {t.dtype for t in exact.values()} == {torch.float32}
    for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16), ("auto", torch.float16)):
        printed = exported(base, temporary / name, name, change)
        print(printed, end="")
        written = tensors_of(temporary / name)
        for key in exact:
            assert torch.equal(written[key], exact[key].to(dtype)), key
        stack = lambda tensors: numpy.concatenate([tensors[key].double().numpy().ravel() for key in sorted(exact)])
        w, b, r = stack(exact), stack(before), stack(written)
        as_before = stack({key: before[key].to(dtype) for key in before})
        expected = [rms(r - w) / rms(w), rms(r - w) / rms(w - b), 100 * numpy.mean((r == as_before)[w != b])]
        line = re.search(r"rounding: RMS error (\S+) of the weights', (\S+) of the change's; (\S+)% of the changed", printed)
        got = [float(text) for text in line.groups()]
        for mine, theirs, unit in zip(got, expected, (1e-3 * expected[0], 1e-3 * expected[1], 0.01)):
            assert abs(mine - theirs) <= 0.51 * unit + 1e-12, (got, expected)
        config = json.loads((temporary / name / "config.json").read_text())
        assert config["dtype"] == str(dtype).removeprefix("torch."), config
        assert {k: v for k, v in config.items() if k != "dtype"} == \
            {k: v for k, v in json.loads((base / "config.json").read_text()).items() if k != "dtype"}
        assert load(temporary / name).dtype == dtype
    assert load(trained).dtype == torch.float32


def limit_files(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def refusals(temporary):
    base = temporary / "base"
    make_model(base, "llama", 400)
    place = temporary / "place"
    place.mkdir()
    place.chmod(0o777)

    def refused(path, reason, **how):
        before = sorted(str(p) for p in place.rglob("*"))
        done = export(base, path, **how)
        print(done.stderr, end="", flush=True)
        assert done.returncode == 6 and reason in done.stderr, (done.returncode, done.stderr)
        assert sorted(str(p) for p in place.rglob("*")) == before

    (place / "full").mkdir()
    (place / "full/file").write_text("mine")
    refused(place / "full", "expected a new folder, got one with files in it")
    refused(place / "full/file", "expected a new folder, got a file of this name")
    refused(place / "full/file/below", "Not a directory")
    for size in (10, 50_000):  # in config.json, in the weights; Python's own signal handling would undo the limit's
        refused(place / "out", "File too large", preexec_fn=limit_files(size), restore_signals=False)
        refused(place / "a/b/out", "File too large", preexec_fn=limit_files(size), restore_signals=False)
    (place / "closed").mkdir()
    (place / "closed").chmod(0o555)
    nobody = dict(user=65534, group=65534) if os.geteuid() == 0 else {}
    for path in (temporary, base, *base.iterdir()):  # whom it is must be able to read the base
        path.chmod(path.stat().st_mode | 0o055)
    refused(place / "closed/out", "Permission denied", **nobody)
    (place / "empty").mkdir()
    exported(base, place / "empty")
    exported(base, place / "a/b/out/")
    load(place / "empty")
    load(place / "a/b/out")


def shared(temporary):
    served = 0
    for base in sorted(pathlib.Path(os.environ.get("MEZO_SHARED") or SHARED).glob("models/*")):
        done = export(base, temporary / base.name)
        if "no model serves" in done.stderr or "architectures: expected" in done.stderr:
            print(f"{base.name}: no plugin serves it")
            continue
        served += 1
        assert done.returncode == 0, done.stderr
        print(done.stdout, end="")
        before, after = tensors_of(base), tensors_of(temporary / base.name)
        for key in after:
            assert before[key].dtype == after[key].dtype and torch.equal(before[key], after[key]), key
        kind = transformers.AutoModelForMaskedLM if "roberta" in base.name else transformers.AutoModelForCausalLM
        (a, info_a), (b, info_b) = (kind.from_pretrained(f, output_loading_info=True) for f in (base, temporary / base.name))
        assert info_a == info_b, (info_a, info_b)
        assert check_scores(a.eval(), b.eval(), list(range(4, 60))) == 0
    if not served:
        skip("no plugin serves a model of the shared folder")


def main():
    steps = dict(folder=folder, gguf=gguf_files, smollm2=smollm2, types=types, refusals=refusals, shared=shared)
    with tempfile.TemporaryDirectory() as temporary:
        steps[WHAT](pathlib.Path(temporary))


if __name__ == "__main__":
    main()
