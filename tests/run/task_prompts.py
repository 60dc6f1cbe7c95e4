"""The prompts, options and neutral prompts of Malladi et al. 2023 as functions of a row, written apart from configs/tasks: what
test_tasks.py holds the task files to.

An option's name is what predictions.jsonl calls it. `right` names the options that answer a row.
"""


def without_stop(text):
    return text[:-1] if text.endswith(".") else text


def first_word_lowered(text):
    first, *rest = text.split(" ", 1)
    return text if first == "I" else " ".join([first.lower(), *rest])


def words(*texts):
    return lambda row: {str(value): text for value, text in enumerate(texts)}


def labelled(row):
    return [str(row["label"])]


def boolq(row):
    question = row["question"] if row["question"].endswith("?") else row["question"] + "?"
    return f"{row['passage']} {question[0].upper()}{question[1:]}\n"


class Prompted:
    """Options that follow a prompt."""

    def __init__(self, prompt, options, neutral=lambda row: "", right=labelled, rows=30):
        self.prompt, self.options, self.neutral, self.right, self.rows = prompt, options, neutral, right, rows


CONJUNCTION = {"effect": "so", "cause": "because"}

PROMPTED = {
    "sst2": Prompted(lambda r: f"{r['sentence']} It was", words(" terrible", " great"), lambda r: "It was"),
    "rte": Prompted(lambda r: f'{r["premise"]}\nDoes this mean that "{r["hypothesis"]}" is true? Yes or No?\n', words("Yes", "No")),
    "cb": Prompted(lambda r: f'Suppose {r["premise"]} Can we infer that "{r["hypothesis"]}"? Yes, No, or Maybe?\n', words("Yes", "No", "Maybe")),
    "boolq": Prompted(boolq, words("No", "Yes"), rows=12),
    "wsc": Prompted(
        lambda r: f'{r["text"]}\nIn the previous sentence, does the pronoun "{r["span2_text"].lower()}" refer to {r["span1_text"]}? Yes or No?\n',
        words("No", "Yes")),
    "wic": Prompted(
        lambda r: f'Does the word "{r["word"]}" have the same meaning in these two sentences? Yes, No?\n{r["sentence1"]}\n{r["sentence2"]}\n',
        words("No", "Yes")),
    "multirc": Prompted(
        lambda r: f'{r["paragraph"]}\nQuestion: {r["question"]}\nI found this answer "{r["answer"]}". Is that correct? Yes or No?\n',
        words("No", "Yes"), rows=8),
    "copa": Prompted(lambda r: f"{without_stop(r['premise'])} {CONJUNCTION[r['question']]}",
                     lambda r: {str(i): " " + first_word_lowered(r[f"choice{i + 1}"]) for i in (0, 1)},
                     lambda r: CONJUNCTION[r["question"]]),
    "record": Prompted(lambda r: r["passage"].replace("@highlight\n", "- ") + "\n-",
                       lambda r: {entity: " " + r["query"].replace("@placeholder", entity) for entity in r["entities"]},
                       lambda r: "-", right=lambda r: r["answers"], rows=2),
}

GENERATED = {
    "squad": (lambda r: f"Title: {r['title']}\nContext: {r['context']}\nQuestion: {r['question'].strip()}\nAnswer:", lambda r: r["answers"]["text"]),
    "drop": (lambda r: f"Passage: {r['passage']}\nQuestion: {r['question']}\nAnswer:", lambda r: r["answers_spans"]["spans"]),
}


class Masked:
    """Words at a mask. `pieces(row)` are tokenised one by one: texts, None for the mask, and (text, most tokens)."""

    def __init__(self, pieces, *options):
        self.pieces, self.options = pieces, options


def judged(end):
    return lambda row: [(row["sentence"], end), " It was", None, "."]


def pair(end):
    return lambda row: [(row["premise"][:-1], end), "?", None, ",", " " + row["hypothesis"][:1].lower() + row["hypothesis"][1:]]


MASKED = {
    "sst2": Masked(judged(None), " terrible", " great"),
    "sst5": Masked(judged(110), " terrible", " bad", " okay", " good", " great"),
    "trec": Masked(lambda row: [None, ":", (" " + row["text"], 110)],
                   " Description", " Entity", " Expression", " Human", " Location", " Number"),
    "snli": Masked(pair(None), " Yes", " Maybe", " No"),
    "mnli": Masked(pair(240), " Yes", " Maybe", " No"),
    "rte": Masked(pair(240), " Yes", " No"),
}
