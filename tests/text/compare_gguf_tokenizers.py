#!/usr/bin/env python3
"""Compares the tokenizers that GGUF files hold with the packages that made them.

    compare_gguf_tokenizers.py TOKENIZE_LINES      # MEZO's tool of tests/text

A vocabulary of SentencePiece (`llama`) must give the ids of the sentencepiece package, or, for the few texts where a piece
can be made in two ways that overlap, those of the tokenizers package with the merges that transformers derives of the
scores; one of byte-level BPE (`gpt2`, by the names of its pre-tokenizers) those of the tokenizers package. What is written
of either as a folder must give AutoTokenizer the same ids and text. Exits with 77 (skipped) where a package is absent.
"""
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

SKIPPED = 77
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def answers(tool, source, texts, *around):
    done = subprocess.run([tool, source, *around], input="".join(t.encode().hex() + "\n" for t in texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pairs = [line.split("\t") for line in done.stdout.split("\n")[:-1]]
    return [[int(i) for i in ids.split()] for ids, _ in pairs], [bytes.fromhex(text).decode("utf-8", "replace") for _, text in pairs]


def sample():
    from compare_families import NASTY, all_points
    from compare_with_tokenizers import random_bytes
    from make_goldens import TEXTS, random_texts
    from tokenizer_families import CORPUS
    draw = random.Random(5)
    return (NASTY + TEXTS + CORPUS[:30] + random_texts(200) + all_points()[::4] +
            [random_bytes(draw).decode("utf-8", "replace") for _ in range(500)])


def sentence_pieces(prefix):
    import sentencepiece
    from tokenizer_families import CORPUS
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 5), model_writer=made, model_type="bpe", vocab_size=900, byte_fallback=True, minloglevel=2,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=prefix, character_coverage=0.98,
        user_defined_symbols=["<added>"], control_symbols=["[INST]"], allow_whitespace_only_pieces=True)
    package = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    kind = lambda i: (UNKNOWN if package.is_unknown(i) else CONTROL if package.is_control(i) else BYTE if package.is_byte(i) else
                      USER_DEFINED if package.id_to_piece(i) == "<added>" else NORMAL)
    ids = range(package.get_piece_size())
    return package, {"model": "llama", "tokens": list(map(package.id_to_piece, ids)), "scores": list(map(package.get_score, ids)),
                     "types": list(map(kind, ids)), "add_space_prefix": prefix, "add_bos": True, "add_eos": True, "bos": 1, "eos": 2, "unk": 0}


def byte_level(family):
    from tokenizer_families import FAMILIES
    package = FAMILIES[family]()
    state = json.loads(package.to_str())
    added = {token["content"]: CONTROL if token["special"] else USER_DEFINED for token in state["added_tokens"]
             if not token["lstrip"] and not token["rstrip"]}
    tokens = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    tokens += [token for token in added if token not in state["model"]["vocab"]]
    return {"tokens": tokens, "types": [added.get(token, NORMAL) for token in tokens], "bos": 0, "eos": 1, "add_bos": True,
            "merges": [" ".join(merge) for merge in state["model"]["merges"]]}


def from_parts(vocabulary, family):
    """The package's tokenizer of the same parts; a GGUF file's own tokens are looked for as it says."""
    from tokenizer_families import FAMILIES
    from tokenizers import AddedToken, Tokenizer, models
    whole = FAMILIES[family]()
    merges = [tuple(merge.split(" ")) for merge in vocabulary["merges"]]
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary["tokens"])}, merges, ignore_merges=family == "llama3"))
    made.normalizer, made.pre_tokenizer, made.decoder = whole.normalizer, whole.pre_tokenizer, whole.decoder
    for token, kind in zip(vocabulary["tokens"], vocabulary["types"]):
        if kind in (CONTROL, USER_DEFINED):
            made.add_tokens([AddedToken(token, special=kind == CONTROL, normalized=kind == USER_DEFINED)])
    return made


def derived(vocabulary, prefix):
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers.tokenization_utils_base import generate_merges
    tokens, scores, kinds = vocabulary["tokens"], vocabulary["scores"], vocabulary["types"]
    ids = {token: i for i, token in enumerate(tokens)}
    merges = generate_merges(ids, dict(zip(tokens, scores)), [t for t, kind in zip(tokens, kinds) if kind != NORMAL])
    made = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence(([normalizers.Prepend("▁")] if prefix else []) + [normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()] +
                                     ([decoders.Strip(" ", 1, 0)] if prefix else []))
    made.add_tokens([AddedToken(t, special=kind != USER_DEFINED, normalized=False) for t, kind in zip(tokens, kinds)
                     if kind in (UNKNOWN, CONTROL, USER_DEFINED)])
    return made


def check_written(tool, source, texts, got, whole, folder):
    from transformers import AutoTokenizer
    subprocess.run([tool, source, "write", str(folder)], check=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    ids, decoded = got
    wrong = [text for text, one, around, back in zip(texts, ids, whole, decoded)
             if tokenizer(text, add_special_tokens=False).input_ids != one or tokenizer(text).input_ids != around or
             tokenizer.decode(one) != back]
    again = answers(tool, str(folder), texts)
    return wrong + [text for text, one, other in zip(texts, got[0], again[0]) if one != other]


def check(tool, name, vocabulary, package, texts, pieces=None):
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        source = str(folder / "vocabulary.json")
        pathlib.Path(source).write_text(json.dumps(vocabulary))
        got, (whole, _) = answers(tool, source, texts), answers(tool, source, texts, "whole")
        wrong = [(text, "expected", package.encode(text, add_special_tokens=False).ids, "got", ids)
                 for text, ids in zip(texts, got[0]) if package.encode(text, add_special_tokens=False).ids != ids]
        wrong += [(text, "decoded", back) for text, ids, back in zip(texts, *got) if package.decode(ids, skip_special_tokens=False) != back]
        wrong += [(text, "as a folder") for text in check_written(tool, source, texts, got, whole, folder / ".")]
        note = ""
        if pieces:
            # The package takes control tokens for text, keeps NUL out of it and knows no token at the end of which a text begins anew.
            plain = [(text, ids) for text, ids in zip(texts, got[0]) if not any(t in text for t in ("<unk>", "<s>", "</s>", "[INST]", "<added>", "\0"))]
            other = [(text, "sentencepiece", pieces.encode(text), "got", ids) for text, ids in plain if pieces.encode(text) != ids]
            note = f", {len(other)} of {len(plain)} otherwise than sentencepiece"
            if len(other) > len(plain) / 100:
                wrong += other
    print(f"{name}: {len(texts)} texts, {len(wrong)} differ{note}")
    for fault in wrong[:3]:
        print(" ", *(str(part)[:300] for part in fault))
    return bool(wrong)


def main():
    try:
        import sentencepiece
        import tokenizers
        import transformers
    except ImportError as absent:
        print(f"SKIPPED: {absent.name} is not installed")
        sys.exit(SKIPPED)
    transformers.logging.set_verbosity_error()
    print(f"sentencepiece {sentencepiece.__version__}, tokenizers {tokenizers.__version__}, transformers {transformers.__version__}")
    tool, texts, failed = sys.argv[1], sample(), False
    for prefix in (True, False):
        pieces, vocabulary = sentence_pieces(prefix)
        failed |= check(tool, f"llama, prefix: {prefix}", vocabulary, derived(vocabulary, prefix), texts, pieces)
    for family, names in {"gpt2": ("gpt-2",), "smollm": ("smollm",), "llama3": ("llama-bpe", "llama3"), "qwen2": ("qwen2",)}.items():
        vocabulary = byte_level(family)
        for pre in names:
            failed |= check(tool, pre, vocabulary | {"pre_tokenizer": pre}, from_parts(vocabulary, family), texts)
    sys.exit(failed)


if __name__ == "__main__":
    main()
