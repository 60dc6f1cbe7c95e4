"""Small tokenizers of each family that people use, for compare_families.py: real expressions, normalizers and decoders; a
vocabulary trained here on a few sentences.
"""
import io
import json

from make_goldens import SENTENCES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPECIAL = ["<unk>", "<s>", "</s>", "<pad>"]
MORE = """
El capitán contó diecinueve barcos antes del desayuno; ¿quién contó el que se hundió? ¡Nadie!
Die Straße ist gesperrt, weil die Brücke unter Wasser steht. Größe: 12,5 m².
Ο αναγνώστης έκλεισε το βιβλίο. Книга лежала на столе, а кошка спала у окна.
图书馆今天关门了，因为下雨。我们明天再来。東京の夜は静かだった。한국어 문장도 있습니다.
كتب القارئ رسالة طويلة. पाठक ने किताब बंद कर दी। นักอ่านปิดหนังสือแล้ว
for (int i = 0; i < 100; ++i) {\n\tsum += values[i];\n}\n\n\nreturn sum;  // 3.14159
""".strip().split("\n")
CORPUS = (SENTENCES + MORE) * 3

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + REST
CL100K = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
            r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
TAIKO = r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))|(?>\p{Lu}+)\p{Ll}*|[^\p{N}\p{Lu}]+?(?=[\p{N}\p{Lu}])|\D|."


def split(expression, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(expression), behavior, invert)


def byte_level(*steps, normalizer=None, use_regex=False, prefix=False):
    def made():
        tokenizer = Tokenizer(models.BPE())
        level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*steps, level])
        if normalizer:
            tokenizer.normalizer = normalizer
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                      special_tokens=["<s>", "</s>"], show_progress=False)
        tokenizer.train_from_iterator(CORPUS, trainer)
        tokenizer.add_tokens([AddedToken("<added>"), AddedToken("ü水", normalized=True), AddedToken("<l>", lstrip=True),
                              AddedToken("<r>", rstrip=True)])
        return tokenizer
    return made


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def trained(model, trainer, normalizer, pre_tokenizer, decoder):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def with_model(tokenizer, **members):
    """The same with other settings of its model; bytes are tokens of it, but none that are looked for in a text."""
    state = json.loads(tokenizer.to_str())
    state["model"] |= members
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] not in BYTES]
    return Tokenizer.from_str(json.dumps(state))


def sentence_piece(normalizer, pre_tokenizer, decoder, train_by=pre_tokenizers.Metaspace(), **model):
    """BPE over characters with bytes for what it lacks, as LLaMA, Mistral and Gemma have it."""
    def made():
        trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=SPECIAL + BYTES, show_progress=False, limit_alphabet=120)
        tokenizer = with_model(trained(models.BPE(), trainer, None, train_by, decoder),
                               **{"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True} | model)
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
        tokenizer.add_tokens([AddedToken("<added>", normalized=False), AddedToken("[INST]", rstrip=True)])
        return tokenizer
    return made


def word_piece(lower, **bert):
    def made():
        special = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]
        trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False, limit_alphabet=90)
        tokenizer = trained(models.WordPiece(unk_token="[UNK]"), trainer, normalizers.BertNormalizer(lowercase=lower, **bert),
                            pre_tokenizers.BertPreTokenizer(), decoders.WordPiece("##"))
        tokenizer.model.max_input_chars_per_word = 100
        return tokenizer
    return made


def unigram(normalizer, pre_tokenizer, decoder, byte_fallback=False):
    def made():
        trainer = trainers.UnigramTrainer(vocab_size=700, unk_token="<unk>", special_tokens=SPECIAL + (BYTES if byte_fallback else []),
                                          show_progress=False)
        tokenizer = trained(models.Unigram(), trainer, normalizer, pre_tokenizer, decoder)
        return with_model(tokenizer, byte_fallback=byte_fallback)
    return made


def metaspace_decoder(*more):
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *more])


SPACES = normalizers.Replace(" ", "▁")
STRIP = decoders.Strip(" ", 1, 0)


FAMILIES = {
    "gpt2": byte_level(use_regex=True),
    "gpt2, prefix": byte_level(use_regex=True, prefix=True),
    "smollm": byte_level(pre_tokenizers.Digits(individual_digits=True), use_regex=True),
    "llama3": byte_level(split(LLAMA3)),
    "qwen2": byte_level(split(QWEN2), normalizer=normalizers.NFC()),
    "cl100k": byte_level(split(CL100K)),
    "o200k": byte_level(split(O200K)),
    "deepseek": byte_level(*map(split, DEEPSEEK)),
    "bloom": byte_level(split(BLOOM)),
    "clip, inverted and removed": byte_level(split(CLIP, "removed", True), normalizer=normalizers.Lowercase()),
    "lookahead, lazy, atomic": byte_level(split(TAIKO)),
    "digits together, punctuation": byte_level(pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(), use_regex=True),
    "white space": byte_level(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()),
    "normal forms": byte_level(normalizer=normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Strip(), normalizers.NFKC(), normalizers.NFD()])),
    "replacements": byte_level(normalizer=normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s{2,}|\p{So}"), "x y"), normalizers.Replace("a", ""), normalizers.Prepend("_")])),
    **{f"behaviour {behavior}, {invert}": byte_level(split(r"\p{L}+|\d{2}", behavior, invert), split("e", behavior))
       for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous") for invert in (False, True)},
    "llama2": sentence_piece(normalizers.Sequence([normalizers.Prepend("▁"), SPACES]), None, metaspace_decoder(STRIP)),
    "llama2, metaspace first": sentence_piece(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), metaspace_decoder(STRIP)),
    "mistral": sentence_piece(None, pre_tokenizers.Metaspace(prepend_scheme="always", split=True), decoders.Metaspace()),
    "gemma": sentence_piece(SPACES, pre_tokenizers.Split(" ", "merged_with_previous"), metaspace_decoder()),
    "no bytes, unknown apart": sentence_piece(SPACES, None, metaspace_decoder(), byte_fallback=False, fuse_unk=False),
    "no bytes, unknown together": sentence_piece(SPACES, None, metaspace_decoder(), byte_fallback=False),
    "no decoder": sentence_piece(SPACES, None, None),
    "bert, uncased": word_piece(True),
    "bert, cased": word_piece(False),
    "bert, other": word_piece(True, strip_accents=False, clean_text=False, handle_chinese_chars=False),
    "unigram": unigram(normalizers.NFKC(), pre_tokenizers.Metaspace(), decoders.Metaspace()),
    "unigram, t5": unigram(None, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]), decoders.Metaspace()),
    "unigram, bytes": unigram(SPACES, None, metaspace_decoder(), byte_fallback=True),
    "unigram, whole text": unigram(normalizers.Sequence([normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(), SPACES]), None, metaspace_decoder()),
}

try:  # the maps of SentencePiece come from the package
    import sentencepiece
except ImportError:
    sentencepiece = None


def member(message, wanted):
    """A member of a protobuf message that is bytes or a message itself, by its number."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if message[at - 1] < 128:
                return value
    while at < len(message):
        key = number()
        if key & 7 == 2:
            size = number()
            if key >> 3 == wanted:
                return message[at:at + size]
            at += size
        else:
            at += {1: 8, 5: 4}[key & 7] if key & 7 else number() * 0
    raise KeyError(wanted)


def precompiled(rule):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=600, minloglevel=2,
                                             model_type="bpe", character_coverage=0.98, normalization_rule_name=rule)
    normalizer_spec, charsmap = 3, 2
    return normalizers.Precompiled(member(member(model.getvalue(), normalizer_spec), charsmap))


if sentencepiece:
    FAMILIES |= {
        "precompiled, t5": lambda: unigram(precompiled("nmt_nfkc"), pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]), decoders.Metaspace())(),
        "precompiled, xlm-r": lambda: unigram(normalizers.Sequence([precompiled("nmt_nfkc_cf"), normalizers.Replace(Regex(" {2,}"), " ")]),
                                              pre_tokenizers.Metaspace(), decoders.Metaspace())(),
    }
