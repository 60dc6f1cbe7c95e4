"""Ctrl-C and SIGTERM in each phase: exit code 6, a result that says so, and files of whole lines."""

import shutil
import signal
import time

import cli


class Signals(cli.Case):
    def setUp(self):
        super().setUp()
        self.write_examples("test.jsonl", 40)

    def says(self, text):
        return lambda: text in self.stderr()

    def check(self, process):
        code, err = process.wait(timeout=60), self.stderr()
        self.assertEqual(code, 6, err)
        self.assertNotIn("terminate called", err)
        self.assertIn("interrupted", err)
        written = self.result()
        self.assertIs(written["interrupted"], True)
        metrics = self.folder / "out/metrics.jsonl"
        self.assertEqual(len(self.steps()) if metrics.exists() else 0, written.get("steps", 0))
        return written

    def test_during_training_what_was_learned_is_evaluated(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                shutil.rmtree(self.folder / "out", ignore_errors=True)
                process = self.start_and_wait(self.training, "run", "run.yaml", "trainer.steps=1000000")
                process.send_signal(number)
                written = self.check(process)
                self.assertGreaterEqual(written["steps"], 3)
                self.assertEqual(written["after"]["examples"], 40)
                self.assertEqual(len(self.lines("out/predictions.jsonl")), 40)
                self.assertIn(f"interrupted after {written['steps']} steps", self.stderr())

    def many(self, count):
        self.write_examples("test.jsonl", count)
        return f"task.test_size={count}"

    def test_before_training_nothing_is_trained(self):
        process = self.start_and_wait(self.says("training: "), "run", "run.yaml", self.many(6000))
        process.send_signal(signal.SIGINT)
        written = self.check(process)
        self.assertEqual(written["steps"], 0)
        self.assertLess(written["before"]["examples"], 6000)
        self.assertEqual(written["before"], written["after"])

    def test_a_second_signal_skips_the_evaluation_after_training(self):
        process = self.start_and_wait(self.training, "run", "run.yaml", self.many(800), "trainer.steps=1000000")
        process.send_signal(signal.SIGINT)
        self.wait_for(process, self.says("interrupted after"))
        process.send_signal(signal.SIGINT)
        written = self.check(process)
        self.assertEqual(written["before"]["examples"], 800)
        self.assertLess(written["after"]["examples"], 800)
        self.assertEqual(len(self.lines("out/predictions.jsonl")), written["after"]["examples"])

    def test_during_the_evaluation_after_training_one_signal_is_enough(self):
        process = self.start_and_wait(self.training, "run", "run.yaml", self.many(800), "trainer.steps=3")
        time.sleep(0.1)  # the evaluation takes seconds
        process.send_signal(signal.SIGINT)
        written = self.check(process)
        self.assertEqual(written["steps"], 3)
        self.assertLess(written["after"]["examples"], 800)

    def test_during_eval(self):
        process = self.start_and_wait(self.says("model: "), "eval", "run.yaml", self.many(6000))
        process.send_signal(signal.SIGTERM)
        written = self.check(process)
        self.assertLess(written["after"]["examples"], 6000)


cli.main()
