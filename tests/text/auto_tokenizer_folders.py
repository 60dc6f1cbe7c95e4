"""The folders of compare_with_auto_tokenizer.py: what stands in their files, and what is expected of each.

A folder begins as the tokenizer.json of goldens/gpt2 and a config.json of model type llama; `files` replaces files
(None takes one away). `words` are put into texts. `refused` is part of the error that is expected. `like_file`: the
oracle is tokenizer.json as the tokenizers package reads it, for what transformers 5 leaves out of it.
"""
import copy
import dataclasses
import json
import pathlib

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GOLDEN = pathlib.Path(__file__).parent / "goldens/gpt2"
PLAIN = json.loads((GOLDEN / "tokenizer.json").read_text(encoding="utf-8"))
VOCABULARY, MERGES, ADDED = PLAIN["model"]["vocab"], PLAIN["model"]["merges"], PLAIN["added_tokens"]
TOKENS = ("<pad>", "</s>", "<new>", "<other>")
WHOLE, SETTINGS, MAP, SAVED, CONFIG = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "config.json")
FOLDERS = {}


@dataclasses.dataclass
class Case:
    files: dict
    words: tuple
    refused: str
    like_file: bool


def folder(name, files, words=TOKENS, refused="", like_file=False):
    assert name not in FOLDERS, name
    FOLDERS[name] = Case(files, words, refused, like_file)


def token(content, special=True, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": not special,
            "special": special} | flags


def typed(content, **flags):
    return token(content, **flags) | {"__type": "AddedToken"}


def whole(**members):
    return copy.deepcopy(PLAIN) | members


def model(**members):
    return whole(model=PLAIN["model"] | members)


def added(*tokens):
    return whole(added_tokens=ADDED + [{"id": 520 + i} | t for i, t in enumerate(tokens)])


def settings(**members):
    return {SETTINGS: members}


def decoder(**tokens):
    return {"added_tokens_decoder": {name[1:]: t for name, t in tokens.items()}}


def tokens_of_the_small_files():
    folder("nothing beside tokenizer.json", {})
    folder("pad token by name", settings(pad_token="<new>"))
    folder("pad token as an object", settings(pad_token=typed("<new>", lstrip=True)))
    folder("null and empty roles", settings(pad_token=None, eos_token=""))
    folder("roles are numbered by role", settings(mask_token="<mask>", pad_token="<new>", bos_token="<other>"), (*TOKENS, "<mask>"))
    folder("a role is a word of the vocabulary", settings(pad_token="the", eos_token="Ġthe"), ("the", " the", "Ġthe"))
    folder("decoder", settings(**decoder(_520=token("<new>", lstrip=True), _521=token("<other>", False, rstrip=True))))
    folder("decoder with holes", settings(**decoder(_600=token("<new>"), _530=token("<other>", False))))
    folder("decoder in the order of numbers", settings(**decoder(_1000=token("<new>"), _999=token("<other>", False))))
    folder("decoder with another id", settings(**decoder(_7=token("<pad>"), _2=token("<other>", False))))
    folder("decoder with other flags", settings(**decoder(_1=token("<pad>", lstrip=True, rstrip=True))))
    folder("decoder with other flags, not special",
           {WHOLE: added(token("<new>", False))} | settings(**decoder(_520=token("<new>", False, lstrip=True))))
    folder("decoder makes a token special",
           {WHOLE: added(token("<new>", False), token("<new><", False))} | settings(**decoder(_520=token("<new>", lstrip=True))))
    folder("decoder takes normalized away", {WHOLE: added(token("<new>", normalized=True))} | settings(**decoder(_520=token("<new>"))),
           (*TOKENS, "<s><new>", "</s><new"))
    folder("decoder with single_word", settings(**decoder(_520=token("<new>", single_word=True))), refused="without single_word")
    folder("decoder with a key that is no id", settings(**decoder(_x=token("<new>"))), refused="the id of a token")
    for key in ("additional_special_tokens", "extra_special_tokens"):
        folder(key, settings(**{key: ["<new>", typed("<other>", rstrip=True)]}))
    folder("extra before additional", settings(extra_special_tokens=["<new>"], additional_special_tokens=["<other>"]))
    folder("extra tokens by name", settings(extra_special_tokens={"image_token": "<new>", "boi_token": "<other>"}))
    folder("tokens of other names", settings(image_token="<new>", boi_token="<other>", add_bos_token=True, eos_token="<e>"))
    folder("map", {MAP: {"pad_token": token("<new>", lstrip=True), "eos_token": "<other>"}})
    folder("map with flags of a known token", {MAP: {"mask_token": token("<pad>", lstrip=True)}})
    folder("map before settings", settings(pad_token="<new>", eos_token="<new>") | {MAP: {"pad_token": "<other>", "eos_token": None}})
    folder("map not read beside a decoder", settings(pad_token="<new>", **decoder(_1=token("<pad>"))) | {MAP: {"pad_token": "<other>"}})
    folder("map not read beside an empty decoder", settings(**decoder()) | {MAP: {"pad_token": "<new>"}})
    folder("map adds extra", settings(extra_special_tokens=["<new>"]) | {MAP: {"extra_special_tokens": ["<other>"]}})
    folder("map's additional not read", settings(additional_special_tokens=["<new>"]) | {MAP: {"additional_special_tokens": ["<other>"]}})
    folder("saved", {SAVED: {"<new>": 521, "<other>": 520}})
    folder("saved and a role", settings(pad_token="<new>") | {SAVED: {"<new>": 521, "<other>": 520}})
    folder("saved not read beside a decoder", settings(**decoder(_520=token("<other>"))) | {SAVED: {"<new>": 520}})
    folder("a list as a role", settings(eos_token=["</s>"]), refused="a special token")
    folder("no class", settings(tokenizer_class=None, chat_template="{{ x }}", tokenizer_file="elsewhere.json", clean_up_tokenization_spaces=True))
    folder("one token in several roles", settings(eos_token="<new>", pad_token="<new>", unk_token="<new>", extra_special_tokens=["<new>"]))
    folder("a token with white space", settings(pad_token=" <new>\n", eos_token="e\u0301"), (" <new>\n", "<new>\n", "e\u0301", "é"))
    folder("tokens that begin others", settings(pad_token="</s><new>", eos_token="<ne"), ("</s><new>", "<ne", *TOKENS))
    folder("split_special_tokens", settings(split_special_tokens=True), refused="no 'split_special_tokens'")
    folder("model_max_length, legacy and the like", settings(model_max_length=2, legacy=True, padding_side="left", use_fast=False))


def tokens_of_tokenizer_json():
    folder("ids that are not counted on", {WHOLE: whole(added_tokens=ADDED + [{"id": 600} | token("<new>")])})
    folder("the same content twice", {WHOLE: added(token("<new>", False), token("<new>", False, lstrip=True))})
    folder("the same id twice", {WHOLE: whole(added_tokens=ADDED + [{"id": 520} | token("<new>"), {"id": 520} | token("<other>")])})
    folder("empty content", {WHOLE: added(token("", False), token("<new>"))})
    folder("tokens within tokens", {WHOLE: added(token("<s><s>"), token("</s>\n"), token(" <sp>", False), token("é", False))},
           ("<s>", "<s><s>", "</s>\n", " <sp>", "é", "e\u0301"))
    folder("tokens of spaces", {WHOLE: added(token("  ", False), token("   ", False), token("\n\n", False))}, ("  ", "   ", "\n\n", "      "))
    padding = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<new>"}
    folder("padding", {WHOLE: whole(padding=padding)})
    folder("padding and pad token", {WHOLE: whole(padding=padding)} | settings(pad_token="<other>"))
    folder("padding and no pad token", {WHOLE: whole(padding=padding)} | settings(pad_token=None))
    folder("truncation", {WHOLE: whole(truncation={"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0})})
    folder("unknown key", {WHOLE: whole(thing=1)}, refused="no key 'thing'")
    folder("another version", {WHOLE: whole(version="2.0")}, refused="version 1.0")


def template(single, **ids):
    tokens = {name: {"id": name, "ids": i, "tokens": [name] * len(i)} for name, i in ids.items()}
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": tokens}


def around_sequences():
    bos, eos = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("BOS", "EOS"))
    a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    for name, made in {
        "a name that is no token": template([bos, a], BOS=[2]),
        "two ids": template([bos, a, eos], BOS=[0, 1], EOS=[2]),
        "an id past the vocabulary": template([a, eos], EOS=[700]),
        "nested": {"type": "Sequence", "processors": [{"type": "Sequence", "processors": [
            template([bos, a], BOS=[0])]}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}]},
        "RobertaProcessing with other ids": {"type": "RobertaProcessing", "sep": ["</s>", 3], "cls": ["<s>", 1], "trim_offsets": True,
                                             "add_prefix_space": True},
        "BertProcessing without its tokens": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 1]},
    }.items():
        folder(f"around: {name}", {WHOLE: whole(post_processor=made)})
        folder(f"around, add_bos_token: {name}", {WHOLE: whole(post_processor=made)} | settings(add_bos_token=False, bos_token="<s>"))
    form = "SpecialTokens around one Sequence A"
    for name, made, refused in (("no ids", template([bos, a]), "with the ids of 'BOS'"), ("no sequence", template([bos], BOS=[0]), form),
                                ("twice the sequence", template([a, bos, a], BOS=[0]), form), ("B", template([bos, b], BOS=[0]), form),
                                ("a text", {"type": "TemplateProcessing", "single": "$A </s>"}, form),
                                ("unknown", {"type": "Other"}, "a post_processor of"), ("two", {"type": "Sequence", "processors": [
                                    template([bos, a], BOS=[0]), template([eos, a, eos], EOS=[2])]}, "one post_processor that adds"), ("no sep", {"type": "BertProcessing", "cls": ["<s>", 0]}, "'sep'")):
        folder(f"around, refused: {name}", {WHOLE: whole(post_processor=made)}, refused=refused)


def classes():
    prefix = whole(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True})
    roles = {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True, "add_eos_token": True}
    words = (*TOKENS, "<|endoftext|>", "<mask>")
    for name in (None, "PreTrainedTokenizerFast", "TokenizersBackend", "GPT2Tokenizer", "GPT2TokenizerFast", "RobertaTokenizer", "Unheard"):
        named = {"tokenizer_class": name} if name else {}
        folder(f"class {name}", settings(**named), words)
        folder(f"class {name}: roles", settings(**named, **roles), words)
        folder(f"class {name}: prefix in the settings", settings(**named, add_prefix_space=True), words)
        folder(f"class {name}: prefix in the file", {WHOLE: prefix} | settings(**named), words)
        if name != "Unheard":
            folder(f"class {name}: of config.json", {CONFIG: {"model_type": "llama"} | named}, words)
    for kind in ("opt", "gpt2", "roberta"):
        folder(f"model type {kind}", {CONFIG: {"model_type": kind}} | settings(add_prefix_space=True), words)
        folder(f"model type {kind}: class of the file", {CONFIG: {"model_type": kind}} | settings(tokenizer_class="PreTrainedTokenizerFast"), words)
    folder("class T5Tokenizer", settings(tokenizer_class="T5TokenizerFast"), refused="a 'tokenizer_class' that reads")
    folder("class LlamaTokenizer", settings(tokenizer_class="LlamaTokenizerFast"), like_file=True)
    digits = whole(pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, PLAIN["pre_tokenizer"]]})
    folder("digits", {WHOLE: digits}, ("  12", "3a4"))
    folder("digits: class GPT2Tokenizer", {WHOLE: digits} | settings(tokenizer_class="GPT2Tokenizer"), ("  12", "3a4"), like_file=True)


def vocabulary_and_merges():
    lines = "#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in MERGES)
    plain = {WHOLE: None, "vocab.json": VOCABULARY, "merges.txt": lines}
    words = (*TOKENS, "<s>", "<|endoftext|>", "<mask>")
    roles = {"bos_token": "<s>", "eos_token": "</s>"}
    for kind in ("opt", "gpt2", "roberta"):
        config = {CONFIG: {"model_type": kind, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}}
        for name, made in {"empty": {}, "roles": roles, "around": roles | {"add_bos_token": True, "add_eos_token": True},
                           "no bos": roles | {"add_bos_token": False}, "bos only": {"add_bos_token": True},
                           "prefix": roles | {"add_prefix_space": True}, "roberta": {"tokenizer_class": "RobertaTokenizer"},
                           "decoder": decoder(_1=token("<pad>", lstrip=True), _530=token("<new>"))}.items():
            folder(f"vocab.json, {kind}: {name}", plain | config | settings(**made), words)
        folder(f"vocab.json, {kind}: map", plain | config | settings(pad_token="<pad>", add_bos_token=True) | {MAP: {"pad_token": "<new>", "bos_token": "<s>"}}, words)
        folder(f"vocab.json, {kind}: saved", plain | config | {SAVED: {"<new>": 520}}, words)
    opt = {CONFIG: {"model_type": "opt"}} | settings(add_bos_token=True, bos_token=typed("</s>", normalized=True), pad_token=typed("<pad>", normalized=True))
    folder("merges.txt with CRLF", plain | opt | {"merges.txt": lines.replace("\n", "\r\n")}, words)
    folder("merges.txt without version", plain | opt | {"merges.txt": lines.split("\n", 1)[1]}, words)
    for name, made in {"empty lines": lines.replace("\n", "\n\n"), "frequencies": lines.replace("\n", " 5\n")}.items():
        folder(f"merges.txt with {name}", plain | opt | {"merges.txt": made}, refused="two tokens with one space")


def models():
    strings = [" ".join(merge) for merge in MERGES]
    few = {t: i for t, i in VOCABULARY.items() if t not in ("z", "Ã")}
    lacking = {"vocab": few, "merges": [m for m in MERGES if not set(m[0] + m[1]) & {"z", "Ã"}]}
    words = ("z", "zz", "z z", "é", "zaz", "</s>")
    for name, members in {
        "merges as strings": {"merges": ["#version: 0.2", *strings]}, "merges twice": {"merges": MERGES[5:] + MERGES[:9]}, "no merges": {"merges": []},
        "ignore_merges": {"ignore_merges": True}, "dropout 0": {"dropout": 0.0}, "empty affixes": {"continuing_subword_prefix": "", "end_of_word_suffix": ""},
        "unk_token that is not needed": {"unk_token": "<nope>"}, "bytes lacking": lacking,
        "bytes lacking that UTF-8 has not": {"vocab": {t: i for t, i in VOCABULARY.items() if t not in ("À", "õ")}, "unk_token": "<nope>"}, "bytes lacking, unk_token": lacking | {"unk_token": "<unk>"},
        "bytes lacking, fuse_unk": lacking | {"unk_token": "<unk>", "fuse_unk": True},
        "bytes lacking, ignore_merges": lacking | {"unk_token": "<unk>", "ignore_merges": True},
        "a hole in the ids": {"vocab": VOCABULARY | {list(VOCABULARY)[-1]: 900}}, "an unknown key": {"thing": 1},
        "an empty token": {"vocab": VOCABULARY | {"": 520}}, "a token with a space": {"vocab": VOCABULARY | {"a b": 520, " b": 521}, "merges": [["a", " b"], *MERGES]},
    }.items():
        folder(f"model: {name}", {WHOLE: model(**members)}, words)
        folder(f"model, new token: {name}", {WHOLE: model(**members)} | settings(pad_token="<new>"), ("<new>", *words))
    twice = json.dumps(PLAIN).replace('"vocab": {', '"vocab": {"a": 400, ', 1)
    folder("model: a key twice", {WHOLE: twice})
    for name, members, refused in (
        ("three", {"merges": ["a b c"]}, "one space between"), ("triple", {"merges": [["a", "b", "c"]]}, "a merge to be"),
        ("lost", {"merges": [["zzz", "a"]]}, "needs the token 'zzz'"), ("doubled id", {"vocab": VOCABULARY | {"zz": 7}}, "an id of its own"),
        ("byte_fallback", lacking | {"byte_fallback": True}, "byte_fallback"), ("dropout", {"dropout": 0.5}, "dropout"), ("prefix", {"continuing_subword_prefix": "##"}, "prefix"),
        ("suffix", {"end_of_word_suffix": "</w>"}, "suffix"), ("no unk", lacking | {"unk_token": "<nope>"}, "unk_token"), ("type", {"type": "WordLevel"}, "BPE, WordPiece or Unigram"), ("Unigram", {"type": "Unigram"}, "[[token, score], …]"),
    ):
        folder(f"model, refused: {name}", {WHOLE: model(**members)}, refused=refused)


def steps_before():
    level = PLAIN["pre_tokenizer"]
    nest = lambda kind, *steps: {"type": "Sequence", kind: list(steps)}
    folder("no normalizer, nested", {WHOLE: whole(normalizer=nest("normalizers", nest("normalizers")))})
    folder("pre_tokenizer, nested", {WHOLE: whole(pre_tokenizer=nest("pretokenizers", nest("pretokenizers", level)))})
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    for made in ({"type": "NFC"}, {"type": "NFKC"}, {"type": "Prepend", "prepend": "▁"}, nest("normalizers", {"type": "Lowercase"}), space):
        folder(f"normalizer {json.dumps(made)}", {WHOLE: whole(normalizer=made)}, ("É", "ﬁ", *TOKENS))
        folder(f"class Qwen2Tokenizer, normalizer {json.dumps(made)}", {WHOLE: whole(normalizer=made)} |
               settings(tokenizer_class="Qwen2Tokenizer"), ("É", "ﬁ", *TOKENS), like_file=True)
    cut = {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed", "invert": False}
    for made in (nest("pretokenizers", cut, level), level | {"use_regex": False}, None, nest("pretokenizers"),
                 nest("pretokenizers", {"type": "Digits", "individual_digits": False}, level)):
        folder(f"pre_tokenizer {json.dumps(made)}", {WHOLE: whole(pre_tokenizer=made)})
    qwen2 = whole(normalizer={"type": "NFC"}, pre_tokenizer=nest("pretokenizers", {
        "type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": False}, level | {"use_regex": False}))
    words = ("<|endoftext|>", "I'LL", "e\u0301", "12", *TOKENS)
    for name, made in {"alone": {}, "roles": {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}, "prefix": {"add_prefix_space": True},
                       "decoder": decoder(_520=token("<|endoftext|>"), _521=token("<|im_end|>"))}.items():
        if name != "decoder":  # the class would leave out the file's other tokens
            folder(f"class Qwen2Tokenizer: {name}", {WHOLE: qwen2} | settings(tokenizer_class="Qwen2Tokenizer", **made), words)
        plain = {WHOLE: None, "vocab.json": VOCABULARY, "merges.txt": "".join(" ".join(merge) + "\n" for merge in MERGES)}
        folder(f"class Qwen2Tokenizer, vocab.json: {name}", plain | settings(tokenizer_class="Qwen2Tokenizer", **made), words)
    for made, refused in (({"type": "Other"}, "a normalizer of"), (nest("normalizers", None), "a normalizer of")):
        folder(f"normalizer {json.dumps(made)}", {WHOLE: whole(normalizer=made)}, refused=refused)
    for made, refused in (({"type": "Other"}, "a pre_tokenizer of"), (nest("pretokenizers", {"type": "Other"}, level), "a pre_tokenizer of"),
                          (nest("pretokenizers", level, level), "ByteLevel as the last"), (nest("pretokenizers", None, level), "a pre_tokenizer of")):
        folder(f"pre_tokenizer {json.dumps(made)}", {WHOLE: whole(pre_tokenizer=made)}, refused=refused)


def bert():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "It", "was", "gr", "##eat", "##é", "é", "e", "##e", "猫", "##猫", "don", "'", "t", "1",
             "##9", "##8", "##7", ".", "x", "##x", "b", "##b", "a", "##a", "c", "half", "2nd", "%", "##5", "3", "I", "##L", "l", "##l"]
    written = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": False}
    around = template([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], **{"[CLS]": [2], "[SEP]": [3]})
    file = whole(normalizer=written, pre_tokenizer={"type": "BertPreTokenizer"}, post_processor=around,
                 decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
                 added_tokens=[{"id": i} | token(words[i]) for i in range(5)],
                 model={"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                        "vocab": {word: i for i, word in enumerate(words)}})
    texts = ("É", "great", "猫x", "[MASK]", "[UNK]", "ÉeL", "x" * 101)
    for where, files in (("tokenizer.json", {WHOLE: file}), ("vocab.txt", {WHOLE: None, "vocab.txt": "\n".join(words) + "\n"})):
        for name, made in {"empty": {}, "cased": {"do_lower_case": False}, "accents": {"strip_accents": False}, "no accents": {
                "do_lower_case": False, "strip_accents": True}, "characters": {"tokenize_chinese_chars": False},
                "roles": {"cls_token": "It", "pad_token": "<new>", "mask_token": "[MASK]"}, "Electra": {"tokenizer_class": "ElectraTokenizerFast"},
                "mask": {"mask_token": typed("[MASK]", lstrip=True)}}.items():
            folder(f"bert, {where}: {name}", files | settings(**{"tokenizer_class": "BertTokenizer"} | made), texts)
        folder(f"bert, {where}: type alone", files | {CONFIG: {"model_type": "bert"}}, texts)
    folder("bert: file as it is", {WHOLE: file} | settings(tokenizer_class="PreTrainedTokenizerFast"), texts)
    old = copy.deepcopy(file)
    del old["model"]["type"]
    folder("bert: file without type", {WHOLE: old} | settings(tokenizer_class="BertTokenizer"), texts)
    folder("bert: BPE", settings(tokenizer_class="BertTokenizer"), refused="a model of WordPiece with")
    folder("vocab.txt alone", {WHOLE: None, "vocab.txt": "a\n"}, refused="expected a 'tokenizer_class' of BertTokenizer")


def sentence_piece():
    from tokenizer_families import FAMILIES as families
    around = template([{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], **{"<s>": [1]})
    made = {name: json.loads(families[name]().to_str()) | {"post_processor": around}
            for name in ("llama2", "llama2, metaspace first", "mistral", "gemma")}
    texts = ("<s>", "[INST]", "<added>", "▁", "<0x41>", "héllo\n")
    for name, file in made.items():
        for kind in ("PreTrainedTokenizerFast", "LlamaTokenizer", "GemmaTokenizer"):
            # Of LlamaTokenizer and GemmaTokenizer transformers 5 makes their own; the file is what a model was trained with.
            same = kind.startswith("Pre") or (name, kind) == ("llama2, metaspace first", "LlamaTokenizer")
            folder(f"{kind}, {name}", {WHOLE: file} | settings(tokenizer_class=kind), texts, like_file=not same)
        folder(f"LlamaTokenizer that mistral does not believe, {name}", {WHOLE: file, CONFIG: {"model_type": "mistral"}} |
               settings(tokenizer_class="LlamaTokenizer", add_bos_token=True, unk_token="<unk>"), texts)
    first = {WHOLE: made["llama2, metaspace first"]}
    folder("LlamaTokenizer, roles", first | settings(tokenizer_class="LlamaTokenizer", pad_token="<new>", add_bos_token=False), ("<new>", *texts))
    folder("LlamaTokenizer, prefix", first | settings(tokenizer_class="LlamaTokenizer", add_prefix_space=True), texts)
    folder("LlamaTokenizer, no prefix", first | settings(tokenizer_class="LlamaTokenizer", add_prefix_space=False), refused="a prefix space as")
    families_of_unigram = json.loads(families["unigram, bytes"]().to_str())
    folder("unigram", {WHOLE: families_of_unigram}, texts)
    folder("LlamaTokenizer, unigram", {WHOLE: families_of_unigram} | settings(tokenizer_class="LlamaTokenizer"), refused="a model of BPE with")


for make in (tokens_of_the_small_files, tokens_of_tokenizer_json, around_sequences, classes, vocabulary_and_merges, models, steps_before, bert, sentence_piece):
    make()
