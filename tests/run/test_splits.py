"""Rows of one file for train and dev: which they are, that no row is in both, and runs that read no row to train on."""

import json
import re

import cli

LABELS = [0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0]


class Splits(cli.Case):
    def setUp(self):
        super().setUp()
        rows = [{"text": f"{cli.TEXTS[i % len(cli.TEXTS)]} No {i}.", "label": label} for i, label in enumerate(LABELS)]
        self.write("train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def rows(self, *settings):
        out = self.run_ok("validate", "run.yaml", "--show", 99, *settings).out
        return [[int(row) for row in re.findall(rf"^{split} row (\d+),", out, re.MULTILINE)] for split in ("train", "dev")]

    def test_dev_is_the_tail_that_train_does_not_use(self):
        self.assertEqual(self.rows("task.dev_from=train", "task.train_size=5", "task.dev_size=4"), [[0, 1, 2, 3, 4], [14, 15, 16, 17]])
        self.assertEqual(self.rows("task.dev_from=train", "task.train_size=15", "task.dev_size=4")[1], [15, 16, 17])
        self.assertIn("note: dev has 3 rows, which is all that train leaves",
                      self.run_ok("validate", "run.yaml", "task.dev_from=train", "task.train_size=15", "task.dev_size=4").err)

    def test_a_seed_chooses_train_as_without_dev_and_no_row_is_in_both(self):
        seen = set()
        for seed in range(5):
            settings = ["task.train_size=9", f"task.split_seed={seed}"]
            train, dev = self.rows(*settings, "task.dev_from=train", "task.dev_size=6")
            self.assertEqual(train, self.rows(*settings)[0])
            self.assertEqual((len(set(train) | set(dev)), dev), (15, sorted(dev)))
            seen.add((*train, *dev))
        self.assertEqual(len(seen), 5)

    def test_so_many_rows_of_each_label(self):
        def of(label):
            return [row for row, own in enumerate(LABELS) if own == label]

        settings = ["task.train_per_class=3", "task.dev_from=train"]
        train, dev = self.rows(*settings)
        self.assertEqual(train, sorted(of(0)[:3] + of(1)[:3]))
        self.assertEqual(dev, sorted(of(0)[3:6] + of(1)[3:6]))
        self.assertEqual(self.rows("task.train_per_class=3"), [train, []])
        train, dev = self.rows(*settings, "task.split_seed=3")
        for rows in (train, dev):
            self.assertEqual(sorted(LABELS[row] for row in rows), [0, 0, 0, 1, 1, 1])
        self.assertFalse(set(train) & set(dev))
        self.assertIn("6 train, 6 dev and 6 test examples", self.run_ok("validate", "run.yaml", *settings).out)

    def test_what_cannot_be_split(self):
        told = self.fails(4, ["validate", "run.yaml", "task.train_per_class=5", "task.dev_from=train"],
                          "train.jsonl: the label 0 has 9 rows, and task.train_per_class 5 wants 10, half of them for dev")
        self.assertEqual(told.err.count("the label 0"), 1)
        self.fails(4, ["validate", "run.yaml", "task.train_size=18", "task.dev_from=train"], "train uses all 18 rows", "lower task.train_size")
        self.fails(2, ["validate", "run.yaml", "task.dev=test.jsonl", "task.dev_from=train"], "leave out one of them")
        self.fails(2, ["eval", "run.yaml", "task.train=", "task.test=", "task.dev_from=train"], "[task] dev_from: train, and train is not given")
        self.write("toy.yaml", 'prompt: "{text}"\nanswers: text\nmetric: f1\n')
        self.fails(2, ["validate", "run.yaml", "task.train_per_class=5", "objective.type=f1"], "[task] train_per_class", "no label")

    def test_demonstrations_are_the_first_rows_and_need_train(self):
        out = self.run_ok("validate", "run.yaml", "--show", 0, "task.demonstrations=2").out
        texts = [json.loads(line)["text"] for line in (self.folder / "train.jsonl").read_text().splitlines()]
        self.assertTrue(out.startswith(rf"demonstrations: 2{chr(10)}  '{texts[0]} It was terrible\n\n{texts[1]} It was great\n\n'"), out)
        chosen = self.rows("task.train_size=4", "task.split_seed=2")[0]
        out = self.run_ok("validate", "run.yaml", "--show", 0, "task.demonstrations=4", "task.split_seed=2").out
        self.assertEqual([int(n) for n in re.findall(r"No (\d+)\.", out.splitlines()[1])], chosen)
        self.fails(2, ["eval", "run.yaml", "task.train=", "task.demonstrations=2"], "[task] demonstrations are rows of train")
        self.fails(2, ["eval", "run.yaml", "task.demonstrations=19"], "[task] demonstrations: 19, but train has 18 rows of")
        self.fails(2, ["eval", "run.yaml", "task.demonstrations=6", "task.train_size=5"], "[task] demonstrations: 6, but train has 5 rows of")

    def test_predictions_have_them_too(self):
        def scores(verb, *arguments):
            out = self.run_ok(verb, *arguments).out
            lines = self.lines("out/predictions.jsonl") if verb == "eval" else map(json.loads, out.splitlines())
            return [line["scores"] for line in lines]

        shown = ["task.demonstrations=3", "--overwrite"]
        with_three = scores("eval", "run.yaml", *shown)
        self.assertNotEqual(with_three, scores("eval", "run.yaml", "--overwrite"))
        task = [f"task.file={self.folder}/toy.yaml", f"task.train={self.folder}/train.jsonl", "task.demonstrations=3"]
        self.assertEqual(with_three, scores("predict", cli.MODEL, "--file", "test.jsonl", *task))

    def test_no_steps_measure_once_and_read_no_train(self):
        settings = ["trainer.steps=0", "task.train=", "task.dev=nothing.jsonl"]
        self.write("nothing.jsonl", "no row\n")
        err = self.run_ok("run", "run.yaml", *settings).err
        result = self.result()
        self.assertEqual((result["before"], result["steps"]), (result["after"], 0))
        self.assertNotIn("training:", err)
        self.assertEqual(result["method"], "zero-shot")
        evaluated = (self.folder / "out/predictions.jsonl").read_bytes()
        self.run_ok("eval", "run.yaml", "task.train=", "output=other")
        self.assertEqual(evaluated, (self.folder / "other/predictions.jsonl").read_bytes())
        self.run_ok("run", "run.yaml", "trainer.steps=0", "task.demonstrations=2", "output=shown")
        self.run_ok("eval", "run.yaml", "task.demonstrations=2", "output=shown_too")
        self.assertEqual(*((self.folder / name / "predictions.jsonl").read_bytes() for name in ("shown", "shown_too")))
        self.assertEqual({self.result(name)["method"] for name in ("shown", "shown_too")}, {"in-context"})
        self.assertNotEqual(evaluated, (self.folder / "shown/predictions.jsonl").read_bytes())


cli.main()
