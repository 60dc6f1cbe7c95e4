#!/usr/bin/env python3
"""Objectives without a gradient are learned. The oracle is the task: a model of random weights answers it at chance, and what it does
after training can only come from the objective's own values. Bounds are far from what seeds differ by."""

import json

import cli

WORDS = ["act", "again", "and", "are", "awak", "end", "ever", "gain", "great", "hou", "lau", "reat", "the", "ver", "was", "well", "wit",
         "wor", "wou", "year"]  # one or two tokens each in the tiny tokenizer


class Objectives(cli.Case):
    def learn(self, *arguments):
        self.run_ok("run", "run.yaml", "task.test=train.jsonl", *arguments)
        result = self.result()
        return result["before"], result["after"]

    def test_accuracy(self):
        before, after = self.learn("objective.type=accuracy", "optimizer.learning_rate=1e-2", "optimizer.epsilon=3e-2", "optimizer.probes=4",
                                   "trainer.steps=150", "trainer.batch_size=8")
        self.assertEqual(before["accuracy"], 0.5)
        self.assertGreaterEqual(after["accuracy"], 0.75)

    def test_f1_of_generated_texts(self):
        """Texts of two tokens, any of many words being right: 9% by chance."""
        self.write("texts.yaml", 'prompt: "{text} It was"\nanswers: answer\nmax_new_tokens: 2\nmetric: f1\n')
        rows = [{"text": cli.TEXTS[i % 8] + " So." * (i // 8), "answer": WORDS} for i in range(16)]
        self.write("train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        before, after = self.learn("objective.type=f1", "task.file=texts.yaml", "optimizer.learning_rate=2e-2", "optimizer.epsilon=3e-2",
                                   "optimizer.probes=4", "trainer.steps=150", "trainer.batch_size=16")
        self.assertLess(before["f1"], 0.2)
        self.assertGreater(after["f1"], 0.5)


    def test_right_answers_are_learned_token_by_token(self):
        """An answer of several tokens that a random model never says: afterwards it says it and stops."""
        self.write("texts.yaml", 'prompt: "{text} It was"\nanswers: answer\nmax_new_tokens: 12\nstop: ["\\n"]\nmetric: exact_match\n')
        self.write("train.jsonl", "".join(json.dumps({"text": text, "answer": ["great", "the year"]}) + "\n" for text in cli.TEXTS))
        before, after = self.learn("task.file=texts.yaml", "optimizer.learning_rate=1e-2", "optimizer.schedule=linear", "optimizer.probes=4",
                                   "trainer.steps=150", "trainer.batch_size=8")
        self.assertEqual(before["exact_match"], 0)
        self.assertLess(after["answer_cross_entropy"], before["answer_cross_entropy"] / 2)
        self.assertEqual(after["exact_match"], 1)


class RightAnswers(cli.Case):
    def texts(self, **keys):
        keys = {"prompt": "{text} It was", "answers": "answer", "max_new_tokens": 2, "stop": ["."]} | keys
        self.write("texts.yaml", json.dumps(keys))
        for name in ("train.jsonl", "test.jsonl"):
            self.write(name, "".join(json.dumps({"text": text, "answer": ["great", "the year"]}) + "\n" for text in cli.TEXTS))

    def loss(self, *arguments):
        self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=2", "trainer.batch_size=8", *arguments)
        return self.steps()[0]["loss"]

    def test_the_text_that_is_taught_is_a_space_the_first_answer_and_the_first_stop_unless_the_task_says(self):
        self.texts()
        auto = self.loss("task.file=texts.yaml")
        self.texts(target=" {answer}.")
        self.assertEqual(self.loss("task.file=texts.yaml"), auto)
        self.texts(target=" {answer|capitalize}.")
        self.assertNotEqual(self.loss("task.file=texts.yaml"), auto)

    def test_dev_and_result_have_the_answers_cross_entropy(self):
        self.texts()
        self.loss("task.file=texts.yaml", "task.dev=test.jsonl", "trainer.eval_every=2", "optimizer.epsilon=1e-4")
        result, steps = self.result(), self.steps()
        self.assertAlmostEqual(result["before"]["answer_cross_entropy"], steps[0]["loss"], places=3)
        (dev,) = [line["dev"] for line in self.lines("out/metrics.jsonl") if "dev" in line]
        self.assertEqual(dev, result["after"])
        self.assertGreater(dev["answer_cross_entropy_stderr"], 0)

    def test_of_options_the_right_one_is_taught_alone(self):
        both = self.loss()
        alone = self.loss("objective.over=answer")
        self.assertNotEqual(both, alone)
        self.assertEqual(self.loss("objective.over=options"), both)
        self.assertAlmostEqual(self.loss("objective.over=answer", "trainer.micro_batch=1"), alone, places=5)
        self.assertEqual(set(self.result()["after"]), {name + end for name in ("accuracy", "cross_entropy", "answer_cross_entropy")
                                                       for end in ("", "_stderr")} | {"examples"})

    def test_what_cannot_be_is_refused(self):
        self.texts()
        self.fails(2, ["run", "run.yaml", "task.file=texts.yaml", "objective.over=options"],
                   "cross_entropy reads scores of options, and the task texts has none", "over: answer")
        self.write("options.yaml", 'prompt: "{text} It was"\noptions: {0: " a", 1: " b"}\ntarget: " {label}"\n')
        self.fails(2, ["run", "run.yaml", "task.file=options.yaml"], "options.yaml:3:9", "target: the task has options")


if __name__ == "__main__":
    cli.main()
