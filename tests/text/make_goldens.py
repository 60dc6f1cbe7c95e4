#!/usr/bin/env python3
"""Writes tests/text/goldens: small tokenizers and what the tokenizers package (0.23.3) makes of texts.

    make_goldens.py            # needs `pip install tokenizers==0.23.3`

Each folder holds a tokenizer and cases.jsonl: {"text": hex of the bytes, "ids": [...], "decoded": hex}.
Texts that are not UTF-8 are given to the package after bytes.decode("utf-8", "replace").
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent / "goldens"

SENTENCES = """
The harbour master counted nineteen boats before breakfast, and didn't count the one that sank.
We've been told it's raining in the valley; they'll know when the bridge is under water again.
I'm sure she'd rather walk home than wait for the last tram, which isn't coming anyway.
A kettle, two cups and a great deal of patience: that's what the night shift needs.
In 1987 the mill made 24,500 sacks of flour; by 2003 it made 310 and closed.
Über den Dächern hing Rauch. Le café était fermé, où sont passés les garçons?
Читатель закрыл книгу и посмотрел в окно. 猫は窓のそばで眠っています。雨が降っていた。
def sum_of(values):\n    total = 0\n    for value in values:\n        total += value\n    return total
What a terrible play! What a great play! It was great, it was terrible, it was over.
The the the and and of of to to in in that that it it was was for for on on with with.
""".strip().split("\n")

TEXTS = [
    "", " ", "  ", "   ", "\n", "\r\n", "\t", "\t\t x", "a", " a", "a ", "  a  ", "hello  world   again",
    "It's we've they'll I'm she'd don't you're", "IT'S WE'VE THEY'LL I'M SHE'D DON'T YOU'RE",
    "'s 't 're 've 'm 'll 'd", "'S'T'RE", "''s'", "x'y's'z", "\u2019s we\u2019ve", "'", "' s", " 's", "'lllll",
    "tabs\tand\t\tmore\t \ttabs", "line\nline\r\nline\r\rline\n\n\nline  \n  line", " \n \n ", "trailing   ",
    "no\u00a0break\u00a0\u00a0space", "\u2003em\u2003\u2003space\u2009thin\u200aHair", "\u3000\u3000全角 空白\u3000",
    "\u1680ogham\u2028line\u2029para\u202fnnbsp\u205fmmsp", "\u0085nel\u0085\u0085x", "\u180emongolian\u180e",
    "\u200bzero\u200bwidth\ufeffbom\u2060", "\x00nul\x00\x00", "\x01\x02\x1b[0m\x7f\x80\x9f", "\x0b\x0c vt ff\x0b",
    "\x1c\x1d\x1e\x1f separators", "1234567890 1 22 333 4444", "a1b2c3 4d 5e6f", "3.14159,-2e10 0x1F 1,000,000",
    "\u0661\u0662\u0663 \u0967\u0968\u0969 \u0e51\u0e52", "½ ¾ ⅓ ² ³ ¹⁰ ₂ ①② Ⅳ ⅻ ↁ", "〇一二三 ㊿ 𝟘𝟙𝟚 𝟬 🄋 𐄇",
    "\U00016ff4\U00016ff5 \U00011de0\U00011de1 newer digits 1", "\u0378 unassigned \U000e0080 \ue000 private",
    "😀 😃😄 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷🇩🇪 1️⃣ ❤️", "👨‍💻code", "x\u0301e\u0301 \u0301 \u0301\u0302\u0303 a\u0308", "é e\u0301 ﬁ ǆ ß ẞ İ ı",
    "中文字符測試 漢字かなカナ ｶﾅ 한국어 조선말", "\u1112\u1161\u11ab decomposed", "ไทย ภาษา हिन्दी தமிழ் العربية עברית",
    "Ünïcödé ÀÉÎÕÜ àéîõü ŁÓDŹ", "ελληνικά кириллица ქართული հայերեն", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐐀𐐨 𠀀𪜀 \U00031350",
    "$100 €50 £20 ¥1000 ₿1", "a+b=c; d-e*f/g^h%i", "!!! ??? ... --- ___ *** ###", "!@#$%^&*()_+{}|:\"<>?`~[]\\;',./",
    "«quotes» “curly” ‘single’ „low“ …", "https://example.org/a?b=c&d=%20#e", "user.name+tag@example.co.uk",
    "if (x) { return y[0]; } // done", "snake_case camelCase kebab-case SCREAMING_CASE", "_a _1 _ a_ 1_",
    "<s>", "</s>", "<pad>", "<s>a</s>", " <s> a </s> ", "<s><s></s>", "x <mask> y", "x   <mask>   y", "x<mask>y",
    "\t\u00a0<mask>\u3000z", "<mask><mask> <mask>  <mask>", "a <right>  b", "a<right>\n\tb", "<right> <right> <mask> <right>",
    "<mask", "<<mask>>", "<s", "s>", "<custom>", "a<custom>b <custom> c", "<custom><custom more>", "<custom more>x",
    "<custom mor", "it was <custom more> great", "Ġ Ċ ĠĠ Ń ł", "Ġgreat", "It was great", "It was terrible", " great", "great",
    "the harbour master counted", "terribleterrible greatgreat", "aaaaaaaaaaaaaaaaaaaa", "ththththththth" * 3,
    "a" * 500, "the" * 150, " " * 300, " " * 300 + "x", "\n" * 200 + "x", "1" * 200, "!" * 200, "é" * 120, "猫" * 100,
    "😀" * 60, "ab" * 200, "it was " * 40, "\u0301" * 60,
]

BYTES = [
    b"\xff", b"\xfe\xff", b"a\x80b", b"\xc3", b"\xc3(", b"\xc0\xaf", b"\xc1\xbf", b"\xe2\x82", b"\xe2\x82x", b"\xe2x\x82",
    b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\x9f\xbf", b"\xf0\x9f\x98", b"\xf0\x9f\x98 x",
    b"\xf0\x80\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80",
    b"ok \xf0\x9f\x98\x80 \xf0\x9f \xe7\x8c \xe7\x8c\xab", b"\x80\x81\x82\x83", b"<s>\xff</s>", b"it\xe2\x80\x99s \xe2\x80",
]


def trained(pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(
            vocab_size=520, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"]))
    return tokenizer


def random_texts(count):
    pieces = ["the", " great", "it", "'s", "'LL", " ", "  ", "\n", "\t", "\u00a0", "7", "42", "½", "é", "猫", "😀", "\u200d", "\u0301",
              ".", "--", "<s>", "<mask>", "<right>", "<custom", " more>", ">", "_", "\x00", "Ж", "\u3000", "\u0663"]
    draw = random.Random(20240)
    return ["".join(draw.choice(pieces) for _ in range(draw.randint(2, 25))) for _ in range(count)]


def write(name, tokenizer, *, vocabulary=False):
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    if vocabulary:
        tokenizer.model.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    with open(folder / "cases.jsonl", "w", encoding="ascii") as out:
        for data in [t.encode() for t in TEXTS + random_texts(100)] + BYTES:
            ids = tokenizer.encode(data.decode("utf-8", "replace"), add_special_tokens=False).ids
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
            out.write(json.dumps({"text": data.hex(), "ids": ids, "decoded": decoded.encode().hex()},
                                 separators=(",", ":")) + "\n")


def main():
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = pre_tokenizers.Digits(individual_digits=True)
    write("gpt2", trained(byte_level), vocabulary=True)

    smollm = trained(pre_tokenizers.Sequence([digits, byte_level]))
    smollm.add_tokens([AddedToken("<custom>"), AddedToken("<custom more>")])
    write("smollm", smollm)

    roberta = trained(pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True))
    roberta.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<right>", rstrip=True)])
    roberta.add_tokens([AddedToken("<custom", normalized=True), AddedToken("m> ", rstrip=True)])
    roberta.model.ignore_merges = True
    roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    write("roberta", roberta)


if __name__ == "__main__":
    main()
