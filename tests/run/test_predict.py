#!/usr/bin/env python3
"""`mezo predict` and `mezo eval RUN`: what was trained is used. The oracle of a run's weights is the model that `mezo export` writes, which
transformers was compared with elsewhere; texts are compared with transformers in tests/model/compare_generation.py."""

import json
import signal
import subprocess

import cli

TEXTS = ["task.file=texts.yaml", "task.train=texts.jsonl", "task.test=texts.jsonl"]
MODES = {"full": [], "lora": ["peft.type=lora", "optimizer.learning_rate=1"], "prefix": ["peft.type=prefix", "optimizer.learning_rate=1"],
         "prefix as peft": ["peft.type=prefix", "peft.positions=peft", "optimizer.learning_rate=1"]}


class Predict(cli.Case):
    def setUp(self):
        super().setUp()
        self.write("texts.yaml", 'prompt: "{text}"\nanswers: answers.text\nmax_new_tokens: 6\nstop: ["\\n"]\n')
        rows = [{"text": text, "answers": {"text": [text.split()[-1], "film"]}} for text in cli.TEXTS]
        self.write("texts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def predicted(self, *arguments, rows=None):
        text = "".join(json.dumps(row) + "\n" for row in rows or [])
        done = subprocess.run([cli.MEZO, "predict", *arguments], cwd=self.folder, input=text, capture_output=True, text=True,
                              env=self.environment(), timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def rows(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def check_scores(self, got, expected, delta=2e-5):
        self.assertEqual(len(got), len(expected))
        for a, b in zip(got, expected):
            for label, score in b["scores"].items():
                self.assertAlmostEqual(a["scores"][label], score, delta=delta)

    def test_a_run_of_each_mode_predicts_and_evaluates_as_it_ended(self):
        for mode, arguments in MODES.items():
            with self.subTest(mode):
                self.run_ok("run", "run.yaml", "--overwrite", *arguments)
                ended = self.lines("out/predictions.jsonl")
                got = self.predicted("out", "--file", "test.jsonl")
                self.assertEqual([(r["prediction"], r["label"]) for r in got], [(r["prediction"], r["label"]) for r in ended])
                self.check_scores(got, ended)
                self.run_ok("eval", "out", "--overwrite")
                self.assertEqual(self.lines("out/eval/predictions.jsonl"), ended)
                self.assertEqual(self.result("out/eval")["after"], self.result()["after"])

    def test_every_adapter_is_read_back(self):
        for mode, arguments in list(MODES.items())[1:]:
            with self.subTest(mode):
                self.run_ok("run", "run.yaml", "--overwrite", *arguments)
                kind = arguments[0]
                self.run_ok("eval", "run.yaml", kind, "peft.adapter=out/adapter", "output=read")
                self.check_scores(self.lines("read/predictions.jsonl"), self.lines("out/predictions.jsonl"))
                got = self.predicted(str(cli.MODEL), kind, "peft.adapter=out/adapter", "task.file=toy.yaml", "--file", "test.jsonl")
                self.check_scores(got, self.lines("out/predictions.jsonl"))
                self.run_ok("eval", "run.yaml", "output=base")
                self.assertNotEqual(self.lines("base/predictions.jsonl"), self.lines("read/predictions.jsonl"))
                for folder in ("read", "base"):
                    subprocess.run(["rm", "-r", self.folder / folder], check=True)

    def test_a_step_is_what_its_export_is(self):
        self.run_ok("run", "run.yaml", "optimizer.learning_rate=3e-2")
        self.run_ok("export", "out", "step2", "--step", "2")
        self.run_ok("eval", "run.yaml", "model.path=step2", "output=exported")
        expected = self.lines("exported/predictions.jsonl")
        self.check_scores(self.predicted("out", "--step", "2", "--file", "test.jsonl"), expected)
        self.assertNotEqual(self.predicted("out", "--file", "test.jsonl"), self.predicted("out", "--step", "2", "--file", "test.jsonl"))
        self.run_ok("eval", "out", "--step", "2")
        self.check_scores(self.lines("out/eval-2/predictions.jsonl"), expected)
        self.assertEqual(self.result("out/eval-2")["step"], 2)
        text = self.predicted("out", "--step", "2", "--text", "--file", "-", rows=[{"text": t} for t in cli.TEXTS])
        self.assertEqual(text, self.predicted("step2", "--file", "-", rows=[{"prompt": t + " It was"} for t in cli.TEXTS]))

    def test_other_data_and_another_task_can_be_evaluated(self):
        self.run_ok("run", "run.yaml")
        self.write_examples("more.jsonl", 8)
        self.run_ok("eval", "out", "task.test=more.jsonl", "output=more")
        self.assertEqual(self.result("more")["after"]["examples"], 8)
        self.run_ok("eval", "out", "task.file=texts.yaml", "task.test=texts.jsonl", "output=texts")
        self.assertIn("f1", self.result("texts")["after"])

    def test_labels_may_be_absent_and_rows_come_from_a_pipe(self):
        rows = [{"text": "A warm film."}, {"text": "Dull.", "label": 0}]
        got = self.predicted(str(cli.MODEL), "task.file=toy.yaml", "--file", "-", rows=rows)
        self.assertEqual([r["label"] for r in got], [None, "0"])
        self.assertEqual([r["index"] for r in got], [0, 1])

    def test_a_stream_is_answered_as_it_comes(self):
        process = subprocess.Popen([cli.MEZO, "predict", str(cli.MODEL), "--file", "-", "generation.max_new_tokens=3"], cwd=self.folder,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment())
        for prompt in ("One", "Two"):
            process.stdin.write(json.dumps({"prompt": prompt}) + "\n")
            process.stdin.flush()
            self.assertIn("text", json.loads(process.stdout.readline()))  # before the next is written
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        process.stdout.close()

    def test_rows_before_a_wrong_line_of_a_stream_are_answered(self):
        done = subprocess.run([cli.MEZO, "predict", str(cli.MODEL), "--file", "-", "generation.max_new_tokens=3"], cwd=self.folder,
                              input='{"prompt": "One"}\r\n\n{"prompt": "Two"}\nwrong', capture_output=True, text=True, env=self.environment())
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual([json.loads(line)["index"] for line in done.stdout.splitlines()], [0, 1])
        self.assertIn("stdin:4", done.stderr)

    def test_a_signal_ends_the_waiting_for_a_row(self):
        process = subprocess.Popen([cli.MEZO, "predict", str(cli.MODEL), "--file", "-", "generation.max_new_tokens=3"], cwd=self.folder,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment())
        process.stdin.write('{"prompt": "One"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 6)
        process.stdin.close()
        process.stdout.close()

    def test_a_prompt_gives_its_text(self):
        one = self.run_ok("predict", cli.MODEL, "--prompt", "The film", "generation.max_new_tokens=5").out
        both = self.predicted(str(cli.MODEL), "--prompt", "The film", "--prompt", "I", "generation.max_new_tokens=5")
        self.assertEqual(one, both[0]["text"] + "\n")
        braces = self.run_ok("predict", cli.MODEL, "--prompt", "{x} {{", "generation.max_new_tokens=5").out
        self.assertEqual(braces, self.predicted(str(cli.MODEL), "--file", "-", "generation.max_new_tokens=5",
                                                rows=[{"prompt": "{x} {{"}])[0]["text"] + "\n")

    def test_a_prompt_of_a_task_with_options_is_answered_by_one(self):
        row, = self.predicted(str(cli.MODEL), "task.file=toy.yaml", "--prompt", "A warm film. It was")
        expected, = self.predicted(str(cli.MODEL), "task.file=toy.yaml", "--file", "-", rows=[{"text": "A warm film."}])
        self.assertEqual(row, expected)

    def test_sampled_texts_follow_their_seed(self):
        def texts(*more, threads="1"):
            done = subprocess.run([cli.MEZO, "predict", str(cli.MODEL), "--file", "-", "generation.temperature=1", "generation.max_new_tokens=12",
                                   *more], input="".join(json.dumps({"prompt": t}) + "\n" for t in cli.TEXTS), capture_output=True, text=True,
                                  env={**self.environment(), "OMP_NUM_THREADS": threads}, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        first = texts()
        self.assertEqual(first, texts())
        self.assertEqual(first, texts(threads="2"))
        self.assertEqual(first, texts("generation.texts_at_once=3"))
        self.assertNotEqual(first, texts("generation.seed=1"))
        greedy = self.predicted(str(cli.MODEL), "--file", "-", "generation.max_new_tokens=12", rows=[{"prompt": t} for t in cli.TEXTS])
        self.assertEqual(greedy, self.predicted(str(cli.MODEL), "--file", "-", "generation.max_new_tokens=12", "generation.temperature=1",
                                                "generation.top_k=1", rows=[{"prompt": t} for t in cli.TEXTS]))

    def test_what_cannot_be_answered_is_said(self):
        self.fails(2, ["predict", cli.MODEL], "either --prompt TEXT or --file")
        self.fails(2, ["predict", cli.MODEL, "--prompt", "a", "--step", "3"], "no run folder")
        self.fails(2, ["predict", cli.MODEL, "--prompt", "a", "generation.temprature=1"], "temperature")
        self.fails(2, ["predict", cli.MODEL, "--prompt", "a", "trainer.steps=3"], "trainer")
        self.fails(2, ["predict", cli.MODEL, "--prompt", "a", "peft.type=lora"], "peft.adapter")
        self.fails(5, ["predict", self.folder / "nowhere", "--prompt", "a"], "no such file or folder")
        self.fails(4, ["predict", cli.MODEL, "--file", "absent.jsonl"], "absent.jsonl")
        self.fails(4, ["predict", cli.MODEL, "--file", "test.jsonl"], "test.jsonl:1", "prompt")
        self.fails(2, ["predict", cli.MODEL, "--prompt", "a", 'generation.stop=[""]'], "generation.stop", "empty string")
        self.fails(4, ["predict", cli.MODEL, "--prompt", "many " * 40, "task.max_length=16", "generation.max_new_tokens=16"], "max_new_tokens")
        self.run_ok("run", "run.yaml")
        self.fails(6, ["predict", "out", "--prompt", "a", "--step", "9"], "steps 0 to 4")
        self.fails(2, ["predict", "out", "--prompt", "a", "trainer.seed=3"], "trainer.seed")
        self.fails(6, ["eval", "out", "--step", "9"], "steps 0 to 4")
        self.assertFalse((self.folder / "out/eval-9").exists())
        self.fails(2, ["eval", "out", "optimizer.epsilon=3"], "argument 3", "as they came to be")
        self.run_ok("eval", "out")
        self.fails(6, ["eval", "out"], "--overwrite")

    def test_f1_trains_on_generated_texts(self):
        for mode in MODES.values():
            done = self.run_ok("run", "run.yaml", "--overwrite", "objective.type=f1", *TEXTS, *mode)
            self.assertIn("texts: up to 6 tokens for each of 3 examples", done.err)
            self.assertIn("tokens/s", done.err)
            for line in self.steps():
                self.assertTrue(-1 <= line["loss"] <= 0, line)
            self.assertGreater(self.result()["texts"]["new_tokens"], 0)
            ended = self.lines("out/predictions.jsonl")
            self.assertEqual([r["text"] for r in self.predicted("out", "--file", "texts.jsonl")], [r["text"] for r in ended])

    def test_a_text_of_training_is_that_of_its_perturbed_weights(self):
        """With an epsilon of nearly 0 both streams are the base, and the loss is minus the F1 that eval measures."""
        self.run_ok("run", "run.yaml", "objective.type=f1", *TEXTS, "optimizer.epsilon=1e-6", "optimizer.learning_rate=0", "trainer.steps=1",
                    "trainer.batch_size=8")
        self.run_ok("eval", "run.yaml", *TEXTS, "output=base")
        self.assertAlmostEqual(self.steps()[0]["loss"], -self.result("base")["after"]["f1"], delta=1e-9)

    def test_a_killed_run_of_texts_resumes_to_the_same_bytes(self):
        whole = ["run", "run.yaml", "objective.type=f1", *TEXTS, "generation.temperature=0.7", "trainer.steps=6"]
        self.run_ok(*whole, "output=whole")
        self.run_ok(*whole[:-1], "trainer.steps=3")
        self.run_ok(*whole, "--resume")
        self.assertEqual((self.folder / "out/predictions.jsonl").read_bytes(), (self.folder / "whole/predictions.jsonl").read_bytes())
        self.assertEqual([line["loss"] for line in self.steps()], [line["loss"] for line in self.steps("whole")])

    def test_tasks_of_texts_and_objectives_of_options_do_not_mix(self):
        self.fails(2, ["run", "run.yaml", *TEXTS, "objective.type=accuracy"], "reads scores of options", "f1")
        self.fails(2, ["run", "run.yaml", "objective.type=f1"], "reads generated texts")
        self.write("both.yaml", 'prompt: "{text}"\nanswers: a\noptions: {0: " x", 1: " y"}\n')
        self.fails(2, ["run", "run.yaml", "task.file=both.yaml"], "answers: the task has options")
        self.write("odd.yaml", 'prompt: "{text}"\nanswers: a\nmetric: accuracy\n')
        self.fails(2, ["run", "run.yaml", "task.file=odd.yaml"], "metric: accuracy measures options")
        self.write("texts.jsonl", '{"text": "a", "answers": {"text": []}}\n{"text": "b", "answers": 3}\n')
        self.fails(4, ["eval", "run.yaml", *TEXTS], "texts.jsonl:1", "is empty", "texts.jsonl:2", "no text or list of texts")


if __name__ == "__main__":
    cli.main()
