#!/usr/bin/env python3
"""Metrics and their standard errors, of an evaluation's own predictions, against scikit-learn and Python's statistics. Oracles: scikit-learn
1.9 for what follows from classes; the jackknife is written out here, one example left out at a time."""

import json
import math
import statistics

import cli

try:
    from sklearn.metrics import f1_score, matthews_corrcoef
except ImportError:
    f1_score = matthews_corrcoef = None


def standard_error(values):
    return statistics.stdev(values) / math.sqrt(len(values))


def jackknife(metric, *columns):
    n = len(columns[0])
    without = [metric(*(column[:i] + column[i + 1:] for column in columns)) for i in range(n)]
    mean = sum(without) / n
    return math.sqrt((n - 1) / n * sum((w - mean) ** 2 for w in without))


class Metrics(cli.Case):
    def evaluated(self, options, metric, rows=24):
        self.write("classes.yaml", f'prompt: "{{text}} It was"\noptions: {json.dumps(options)}\nmetric: {metric}\n')
        self.write("test.jsonl", "".join(json.dumps({"text": cli.TEXTS[i % 8] + " So." * (i // 8), "label": (i * i + i // 5) % len(options)}) + "\n"
                                         for i in range(rows)))
        done = self.run_ok("eval", "run.yaml", "task.file=classes.yaml", "--overwrite")
        scores, lines = self.result()["after"], self.lines("out/predictions.jsonl")
        return scores, lines, [line["label"] for line in lines], [line["prediction"] for line in lines], done.out

    def test_means_have_the_standard_error_of_their_examples(self):
        scores, lines, right, answered, said = self.evaluated({"0": " terrible", "1": " great"}, "accuracy")
        hits = [float(a == b) for a, b in zip(right, answered)]
        losses = [math.log(sum(map(math.exp, line["scores"].values()))) - line["scores"][line["label"]] for line in lines]
        self.assertEqual(scores["accuracy"], statistics.mean(hits))
        self.assertAlmostEqual(scores["accuracy_stderr"], standard_error(hits), places=12)
        self.assertAlmostEqual(scores["cross_entropy_stderr"], standard_error(losses), places=5)
        self.assertIn(f"accuracy {100 * scores['accuracy']:.1f}% ± {100 * scores['accuracy_stderr']:.1f}, cross_entropy "
                      f"{scores['cross_entropy']:.4f} ± {scores['cross_entropy_stderr']:.4f}, 24 examples", said)

    def test_one_example_has_no_standard_error(self):
        scores, *_, said = self.evaluated({"0": " terrible", "1": " great"}, "accuracy", rows=1)
        self.assertIsNone(scores["accuracy_stderr"])
        self.assertNotIn("±", said)

    def test_classes_are_measured_as_scikit_learn_does(self):
        if not f1_score:
            self.skipTest("no scikit-learn")
        two, three = {"0": " year", "1": " hou"}, {"0": " year", "1": " hou", "2": " great"}
        f1 = lambda right, answered: f1_score(right, answered, pos_label="1", zero_division=0)
        spread = set()
        for options, name, metric in ((two, "f1_positive", f1), (two, "matthews", matthews_corrcoef), (three, "matthews", matthews_corrcoef)):
            with self.subTest(name, options=len(options)):
                scores, _, right, answered, _ = self.evaluated(options, name)
                spread |= set(answered)
                self.assertAlmostEqual(scores[name], metric(right, answered), places=12)
                self.assertAlmostEqual(scores[f"{name}_stderr"], jackknife(metric, right, answered), places=12)
                self.assertEqual(scores["accuracy"], sum(a == b for a, b in zip(right, answered)) / 24)
        self.assertGreater(len(spread), 1, "the model answers all alike: nothing was compared")

    def test_texts_have_them_too_in_dev_lines_and_the_table(self):
        self.write("texts.yaml", 'prompt: "{text} It was"\nanswers: answer\nmax_new_tokens: 2\nmetric: f1\n')
        self.write("test.jsonl", "".join(json.dumps({"text": text, "answer": ["the year was great"]}) + "\n" for text in cli.TEXTS))
        self.write("train.jsonl", (self.folder / "test.jsonl").read_bytes())
        out = self.run_ok("run", "run.yaml", "task.file=texts.yaml", "task.dev=test.jsonl", "trainer.eval_every=2", "objective.type=f1").out
        (dev, last) = [line["dev"] for line in self.lines("out/metrics.jsonl") if "dev" in line]
        after = self.result()["after"]
        self.assertEqual(last, after)
        self.assertEqual(set(dev), {"f1", "f1_stderr", "exact_match", "exact_match_stderr", "examples"})
        self.assertIn(f"{100 * after['f1']:.1f}% ± {100 * after['f1_stderr']:.1f}", out)

    def test_a_metric_of_classes_needs_classes(self):
        self.write("three.yaml", 'prompt: "{text}"\noptions: {a: " a", b: " b", c: " c"}\nmetric: f1_positive\n')
        self.fails(2, ["eval", "run.yaml", "task.file=three.yaml"], "three.yaml:3:9", "f1_positive is of 2 options")
        self.write("list.yaml", 'prompt: "{text}"\neach: list\noptions: " {list}"\nmetric: matthews\n')
        self.fails(2, ["eval", "run.yaml", "task.file=list.yaml"], "list.yaml:4:9", "each example has options of its own")


class WithoutDifference(cli.Case):
    def test_steps_whose_gradient_is_zero_are_counted_over_resumes(self):
        arguments = ["objective.type=accuracy", "optimizer.epsilon=1e-4", "trainer.log_every=3"]
        self.run_ok("run", "run.yaml", "trainer.steps=5", *arguments)
        self.run_ok("run", "run.yaml", "--resume", "trainer.steps=9", *arguments)
        whole = self.run_ok("run", "run.yaml", "trainer.steps=9", "objective.type=accuracy", "optimizer.epsilon=1e-4", "output=whole")
        count = sum(line["projected_gradient"] == [0] for line in self.steps("whole"))
        self.assertEqual(self.result()["steps_without_difference"], count)
        self.assertEqual(self.result("whole")["steps_without_difference"], count)
        self.assertIn(f"({count} of 9) the projected gradient was exactly 0", whole.err)

    def test_nothing_is_said_where_losses_differ(self):
        done = self.run_ok("run", "run.yaml")
        self.assertEqual(self.result()["steps_without_difference"], 0)
        self.assertNotIn("exactly 0", done.err)

    def test_the_log_of_an_earlier_mezo_is_read(self):
        """It called the cross-entropy loss, and knew no standard errors."""
        self.run_ok("run", "run.yaml")
        metrics = self.folder / "out/metrics.jsonl"
        first, *rest = self.lines("out/metrics.jsonl")
        old = {"accuracy": first["before"]["accuracy"], "loss": first["before"]["cross_entropy"], "examples": 6}
        metrics.write_text("".join(json.dumps(line) + "\n" for line in [{"step": 0, "before": old}, *rest]))
        out = self.run_ok("run", "run.yaml", "--resume", "trainer.steps=6").out
        self.assertEqual(self.result()["before"], {"accuracy": old["accuracy"], "cross_entropy": old["loss"], "examples": 6})
        self.assertIn(f"{old['loss']:.4f}\n", out)


if __name__ == "__main__":
    cli.main()
