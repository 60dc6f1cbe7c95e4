"""What `mezo validate --show` says of a run's data, against counts made here and ids of the tokenizers package."""

import json
import re
import sys

import cli

try:
    import tokenizers
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


class ShowData(cli.Case):
    def show(self, count, *settings):
        return self.run_ok("validate", "--show", count, "run.yaml", *settings).out.splitlines()

    def test_rows_labels_and_rows_that_stand_in_both(self):
        train = [{"text": text, "label": label} for text, label in zip("abcdefg", (0, 1, 1, 0, 1, 1, 1))]
        test = [{"text": text, "label": 0} for text in ("x", "c", "y", "a", "a")]
        for name, rows in (("train", train), ("test", test)):
            self.write(f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        lines = self.show(0)
        self.assertEqual(lines[0], f"train: 7 rows of {self.folder}/train.jsonl; labels 0: 2, 1: 5; 0 cut")
        self.assertEqual(lines[1], f"test: 5 rows of {self.folder}/test.jsonl; labels 0: 5, 1: 0; 0 cut; 3 that train has too")
        self.assertEqual(len(lines), 3)

    def test_an_example_is_shown_as_the_model_reads_it(self):
        tokenizer = tokenizers.Tokenizer.from_file(str(cli.MODEL / "tokenizer.json"))
        ids = tokenizer.encode(cli.TEXTS[0] + " It was", add_special_tokens=False).ids
        lines = self.show(1, "task.train=", "task.bos=none")
        self.assertEqual(lines[1:4], [f"test row 0, {len(ids)} tokens:", f"  '{cli.TEXTS[0]} It was'", f"  [{' '.join(map(str, ids))}]"])
        for line, option, right in zip(lines[4:6], (" terrible", " great"), ("wrong", "right")):
            own = tokenizer.encode(cli.TEXTS[0] + " It was" + option, add_special_tokens=False).ids[len(ids):]
            self.assertTrue(line.startswith(f"  {right} "), line)
            self.assertTrue(line.endswith(f"'{option}' [{' '.join(map(str, own))}]"), line)

    def test_what_was_cut_is_counted(self):
        whole = self.show(6, "task.train=", "task.bos=none")
        lengths = [int(n) for n in re.findall(r"row \d+, (\d+) tokens:", "\n".join(whole))]
        words = [[len(part.split()) for part in re.findall(r"'\S* \[(.*)\]", line)] for line in whole if " wrong " in line or " right " in line]
        options = [max(words[2 * i] + words[2 * i + 1]) for i in range(len(lengths))]
        most = min(lengths) + 4
        cut = self.show(6, "task.train=", "task.bos=none", f"task.max_length={most}")
        lost = [int(n) for n in re.findall(r"tokens, (\d+) cut:", "\n".join(cut))]
        expected = [length + option - most for length, option in zip(lengths, options) if length + option > most]
        self.assertEqual(lost, expected)
        self.assertTrue(expected)
        self.assertIn(f"; {len(expected)} cut", cut[0])

    def test_a_fault_that_many_rows_have_is_told_once_with_the_task_file(self):
        self.write("toy.yaml", 'prompt: "{txt} It was"\noptions: {0: " bad", 1: " good"}\n')
        result = self.fails(4, ["validate", "run.yaml", "task.train="], f"{self.folder}/test.jsonl:1: ", "'text'?", "toy.yaml)",
                            "(and in 5 more: line 2, 3, 4, 5, 6)")
        self.assertEqual(result.err.count("test.jsonl"), 1)

    def test_a_score_that_the_task_cannot_have_is_refused_where_it_was_asked_for(self):
        self.fails(2, ["validate", "run.yaml", "task.score=calibrated"], "argument 3", "task.score: calibrated needs the task's neutral_prompt",
                   "toy.yaml")


cli.main()
