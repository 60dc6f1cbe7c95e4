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


if __name__ == "__main__":
    cli.main()
