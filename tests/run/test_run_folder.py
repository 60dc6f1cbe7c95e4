"""What a run leaves behind: whole, repeatable, never replaced unasked, and as the design says."""

import hashlib
import math
import os
import struct

import cli


class Repeating(cli.Case):
    def both(self, output):
        return [(self.folder / output / name).read_bytes() for name in ("metrics.jsonl", "predictions.jsonl")]

    def test_running_config_yaml_again_repeats_the_run_byte_for_byte(self):
        self.run_ok("run", "run.yaml", "trainer.steps=6", "optimizer.probes=2", "optimizer.weight_decay=0.1", "optimizer.schedule=linear",
                    "task.dev=test.jsonl", "trainer.eval_every=3", "task.train_size=5", "task.split_seed=3")
        for number, extra in enumerate(([], ["trainer.seed=0"])):
            self.run_ok("run", "out/config.yaml", f"output=again{number}", *extra)
            self.assertEqual(self.both("out"), self.both(f"again{number}"))
        config, again = ((self.folder / o / "config.yaml").read_text() for o in ("out", "again0"))
        self.assertEqual(config.replace(f"{self.folder}/out", f"{self.folder}/again0"), again)

    def test_config_yaml_finds_plugins_that_only_the_command_line_knew(self):
        plugin = self.plugin("odd_objectives")
        folder = os.path.dirname(plugin)
        self.run_ok("run", "run.yaml", "--plugin-path", folder, "objective.type=integers_of_streams")
        self.run_ok("run", "out/config.yaml", "output=again")
        self.assertEqual(self.both("out"), self.both("again"))
        os.symlink(plugin, self.folder / "mezo_mine.so")
        self.run_ok("run", "run.yaml", "plugins=[./mezo_mine.so]", "objective.type=integers_of_streams", "output=named")
        self.run_ok("run", "named/config.yaml", "output=named_again")
        self.assertEqual(self.both("named"), self.both("named_again"))

    def test_a_run_without_dev_and_with_every_default_repeats_too(self):
        self.write("short.yaml", f"model: {{path: {cli.MODEL}}}\ntask: {{file: toy.yaml, train: train.jsonl, test: test.jsonl}}\noutput: short\n")
        self.run_ok("run", "short.yaml", "trainer.steps=2")
        self.run_ok("run", "short/config.yaml", "output=again")
        self.assertEqual(self.both("short"), self.both("again"))

    def test_only_the_seed_decides(self):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            self.run_ok("run", "run.yaml", f"output={name}", f"trainer.seed={seed}")
        self.assertEqual(self.both("a"), self.both("b"))
        self.assertNotEqual(self.both("a")[0], self.both("c")[0])

    def test_settings_change_the_run(self):
        self.run_ok("run", "run.yaml", "output=base")
        for setting in ("optimizer.weight_decay=5", "optimizer.probes=2", "optimizer.schedule=linear", "optimizer.epsilon=0.1",
                        "optimizer.learning_rate=0.1", "trainer.batch_size=2", "objective.type=accuracy", "task.max_length=6",
                        "task.train_size=4", "task.split_seed=1 task.train_size=4"):
            with self.subTest(setting):
                self.run_ok("run", "run.yaml", "output=other", "--overwrite", *setting.split())
                self.assertNotEqual(self.both("base"), self.both("other"))

    def test_a_batch_larger_than_the_train_file_wraps_around(self):
        self.run_ok("run", "run.yaml", "trainer.batch_size=100")
        self.assertEqual(len(self.steps()), 4)


class Files(cli.Case):
    def test_metrics_have_every_step(self):
        self.run_ok("run", "run.yaml", "trainer.steps=7", "task.dev=test.jsonl", "trainer.eval_every=3", "optimizer.schedule=linear",
                    "optimizer.learning_rate=0.7", "optimizer.probes=2")
        lines, steps = self.lines("out/metrics.jsonl"), self.steps()
        self.assertEqual(lines[0], {"step": 0, "before": self.result()["before"]})
        self.assertEqual([line["step"] for line in steps], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual([line["step"] for line in lines if "dev" in line], [3, 6])
        self.assertTrue(all(len(line["projected_gradient"]) == 2 for line in steps))
        for i, line in enumerate(steps):
            self.assertAlmostEqual(line["learning_rate"], 0.7 * (7 - i) / 7)
        self.assertEqual([line["step"] for line in self.lines("out/timing.jsonl")], [1, 2, 3, 4, 5, 6, 7])

    def test_log_every_thins_the_lines_but_keeps_the_last(self):
        self.run_ok("run", "run.yaml", "trainer.steps=7", "trainer.log_every=3")
        self.assertEqual([line["step"] for line in self.steps()], [3, 6, 7])

    def test_result_has_what_a_table_of_runs_needs(self):
        out = self.run_ok("run", "run.yaml").out
        result = self.result()
        self.assertEqual((result["method"], result["task"], result["metric"], result["steps"]), ("mezo full", "toy", "accuracy", 4))
        self.assertIs(result["interrupted"], False)
        for moment in ("before", "after"):
            self.assertEqual(set(result[moment]), {"accuracy", "accuracy_stderr", "cross_entropy", "cross_entropy_stderr", "examples"})
        self.assertGreater(result["seconds"], 0)
        self.assertAlmostEqual(result["seconds_per_step"], result["seconds"] / 4)
        self.assertTrue(10e6 < result["peak_memory_bytes"] < 10e9)
        # Kept in float32, as the file has them but for its header; two copies of the largest matrix.
        (header,) = struct.unpack("<Q", (cli.MODEL / "model.safetensors").read_bytes()[:8])
        self.assertEqual(result["weights_bytes"], (cli.MODEL / "model.safetensors").stat().st_size - header - 8)
        self.assertEqual(result["scratch_bytes"], 2 * 4 * 32 * 64)
        self.assertEqual((result["dtype"], result["storage"]), ("float32", "float32"))
        self.assertNotEqual(result["device"], "")
        self.assertRegex(out, r"\n\d+\.\d{3} s a step, peak memory \d\.\d\d GB: weights 0\.00, scratch of perturbed copies 0\.00, "
                         r"the rest \(activations, code\) \d\.\d\d\n")
        digest = hashlib.sha256((cli.MODEL / "model.safetensors").read_bytes()).hexdigest()
        self.assertEqual(result["model_hash"], {"model.safetensors": "sha256:" + digest})
        self.assertIn("toy", out)
        self.assertIn(f"{result['after']['cross_entropy']:.4f}", out)

    def test_predictions_are_the_rows_of_the_file_and_give_the_metrics(self):
        self.run_ok("run", "run.yaml", "optimizer.learning_rate=0.01")
        predictions, result = self.lines("out/predictions.jsonl"), self.result()
        labels = [str(row["label"]) for row in self.lines("test.jsonl")]
        self.assertEqual([p["index"] for p in predictions], list(range(6)))
        self.assertEqual([p["label"] for p in predictions], labels)
        losses = []
        for p in predictions:
            self.assertEqual(p["prediction"], max(p["scores"], key=p["scores"].get))
            losses.append(math.log(sum(math.exp(s) for s in p["scores"].values())) - p["scores"][p["label"]])
        self.assertAlmostEqual(result["after"]["accuracy"], sum(p["prediction"] == p["label"] for p in predictions) / 6)
        self.assertAlmostEqual(result["after"]["cross_entropy"], sum(losses) / 6, places=5)

    def test_what_else_is_in_a_file_changes_no_prediction(self):
        self.run_ok("eval", "run.yaml", "output=all")
        rows = (self.folder / "test.jsonl").read_text().splitlines()
        for i, whole in enumerate(self.lines("all/predictions.jsonl")):
            self.write("one.jsonl", rows[i] + "\n")
            self.run_ok("eval", "run.yaml", "task.test=one.jsonl", "output=one", "--overwrite")
            one = self.lines("one/predictions.jsonl")[0]
            self.assertEqual(one["prediction"], whole["prediction"])
            for label, score in whole["scores"].items():
                self.assertAlmostEqual(one["scores"][label], score, places=5)

    def test_sizes_take_the_first_rows_and_a_split_seed_a_choice_in_file_order(self):
        self.write_examples("test.jsonl", 40)
        indices = lambda output: [p["index"] for p in self.lines(f"{output}/predictions.jsonl")]
        self.run_ok("eval", "run.yaml", "task.test_size=5", "output=first")
        self.assertEqual(indices("first"), [0, 1, 2, 3, 4])
        self.run_ok("eval", "run.yaml", "task.test_size=all", "output=every")
        self.assertEqual(indices("every"), list(range(40)))
        for seed in (1, 2):
            self.run_ok("eval", "run.yaml", "task.test_size=5", f"task.split_seed={seed}", f"output=chosen{seed}")
        one, two = indices("chosen1"), indices("chosen2")
        self.assertEqual((len(one), one), (5, sorted(set(one))))
        self.assertNotEqual(one, two)
        self.assertNotEqual(one, [0, 1, 2, 3, 4])

    def test_auto_is_printed_and_resolved(self):
        text = (self.folder / "run.yaml").read_text().replace("optimizer: {learning_rate: 1e-3, epsilon: 1e-2}\n", "")
        self.write("run.yaml", text)
        self.assertIn("learning rate 1e-06, epsilon 0.001", self.run_ok("run", "run.yaml").err)
        config = (self.folder / "out/config.yaml").read_text()
        for line in ("learning_rate: 1e-06", "epsilon: 0.001", "storage: float32", "type: llama", "device: cpu"):
            self.assertIn(line, config)
        self.assertNotIn("auto", config)

    def test_plain_bfloat16_is_warned_of_in_the_numbers_of_the_run(self):
        err = self.run_ok("run", "run.yaml", "optimizer.storage=bfloat16", "optimizer.learning_rate=1e-6").err
        self.assertIn("warning: optimizer.storage: bfloat16 rounds every update: 4 steps at learning rate 1e-06 are expected to leave an "
                      "error of 0.26% of the weights", err)
        result = self.result()
        self.assertEqual((result["dtype"], result["storage"]), ("float32", "bfloat16"))
        for storage in ("auto", "float16", "bfloat16+8"):
            self.assertNotIn("warning", self.run_ok("run", "run.yaml", f"optimizer.storage={storage}", f"output={storage}").err)
        self.assertNotIn("warning", self.run_ok("eval", "run.yaml", "optimizer.storage=bfloat16", "output=only").err)

    def test_dev_is_not_looked_at_when_eval_every_is_0(self):
        self.run_ok("run", "run.yaml", "task.dev=test.jsonl", "trainer.eval_every=0")
        self.assertEqual([line for line in self.lines("out/metrics.jsonl") if "dev" in line], [])

    def test_tab_separated_files_give_the_same_run(self):
        for name in ("train", "test"):
            rows = self.lines(f"{name}.jsonl")
            self.write(f"{name}.tsv", "text\tlabel\r\n" + "".join(f"{r['text']}\t{r['label']}\r\n" for r in rows))
        self.run_ok("run", "run.yaml")
        self.run_ok("run", "run.yaml", "task.train=train.tsv", "task.test=test.tsv", "output=tsv")
        for name in ("metrics.jsonl", "predictions.jsonl"):
            self.assertEqual((self.folder / "out" / name).read_bytes(), (self.folder / "tsv" / name).read_bytes())

    def test_no_steps_measure_only(self):
        self.run_ok("run", "run.yaml", "trainer.steps=0")
        result = self.result()
        self.assertEqual(result["before"], result["after"])
        self.assertEqual((result["steps"], result["seconds_per_step"]), (0, 0))


class GoingAway(cli.Case):
    def test_a_run_that_trains_needs_its_files_no_more(self):
        process = self.start_and_wait(self.training, "run", "run.yaml", "trainer.steps=500")
        for name in ("run.yaml", "toy.yaml", "train.jsonl", "test.jsonl"):
            (self.folder / name).unlink()
        self.assertFalse((self.folder / "out/result.json").exists(), "it ended before they went")
        self.assertEqual(process.wait(timeout=120), 0, self.stderr())
        self.assertEqual((self.result()["steps"], self.result()["interrupted"]), (500, False))
        self.assertEqual(len(self.lines("out/predictions.jsonl")), 6)


class Overwriting(cli.Case):
    def snapshot(self):
        return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in (self.folder / "out").iterdir()}

    def test_a_finished_run_is_replaced_only_when_told(self):
        self.run_ok("run", "run.yaml")
        self.write("out/mine.txt", "kept")
        before = self.snapshot()
        for verb in ("run", "eval"):
            self.fails(6, [verb, "run.yaml"], "holds the result of an earlier run", "--overwrite")
            self.assertEqual(self.snapshot(), before)
        self.run_ok("run", "run.yaml", "trainer.steps=2", "--overwrite")
        self.assertEqual(self.result()["steps"], 2)
        self.assertEqual(len(self.steps()), 2)
        self.assertEqual((self.folder / "out/mine.txt").read_text(), "kept")
        self.run_ok("eval", "run.yaml", "--overwrite")
        self.assertFalse((self.folder / "out/metrics.jsonl").exists())

    def test_what_an_unfinished_run_left_is_replaced(self):
        self.write("out/metrics.jsonl", '{"step": 900}\n{"st')
        self.write("out/config.yaml", "old: 1\n")
        self.run_ok("run", "run.yaml")
        self.assertEqual([line["step"] for line in self.steps()], [1, 2, 3, 4])


cli.main()
