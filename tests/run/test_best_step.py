"""A run that keeps its best step: which one that is by metrics.jsonl, and that its weights are those of that step to the byte."""

import json
import shutil

import cli

STEPS = ["trainer.steps=14", "trainer.eval_every=4", "trainer.keep=best", "task.dev=dev.jsonl", "optimizer.learning_rate=0.05", "trainer.guard=off"]


class BestStep(cli.Case):
    def setUp(self):
        super().setUp()
        self.write_examples("dev.jsonl", 7)

    def devs(self, output="out"):
        return {line["step"]: line["dev"] for line in self.lines(f"{output}/metrics.jsonl") if "dev" in line}

    def predictions(self, output):
        return (self.folder / output / "predictions.jsonl").read_bytes()

    def run_with_an_early_best(self, *settings, by="loss"):
        """The first seed whose best step is neither of the last ones."""
        for seed in range(20):
            run = ["run", "run.yaml", "--overwrite", f"trainer.seed={seed}", *STEPS, *settings]
            done = self.run_ok(*run)
            devs = self.devs()
            self.assertEqual(list(devs), [4, 8, 12, 14])
            best = min(devs, key=lambda step: devs[step]["cross_entropy"]) if by == "loss" else max(devs, key=lambda step: devs[step][by])
            result = self.result()
            self.assertEqual((result["best_step"], result["best_by"], result["best_dev"]), (best, "cross_entropy" if by == "loss" else by, devs[best]))
            if best < 14:
                self.assertIn(f", step {best} of 14", done.out)
                return run, best
        self.fail("the last step was always best")

    def test_its_result_is_that_of_the_step(self):
        run, best = self.run_with_an_early_best()
        self.run_ok("eval", "out", "--step", best, "output=there")
        self.run_ok("eval", "out", "--step", 14, "output=last")
        err = self.run_ok("eval", "out", "output=kept").err
        self.assertIn(f"step {best} of 14 is best on dev and kept (result.json); --step 14 is the last", err)
        self.assertEqual(self.predictions("out"), self.predictions("there"))
        self.assertEqual(self.predictions("out"), self.predictions("kept"))
        self.assertNotEqual(self.predictions("out"), self.predictions("last"))
        self.assertEqual(self.result()["after"], self.result("there")["after"])
        self.assertEqual(self.result("kept")["step"], best)
        own, there, last = (self.run_ok("predict", "out", "--file", "test.jsonl", *step).out for step in ([], ["--step", best], ["--step", 14]))
        self.assertEqual(own, there)
        self.assertNotEqual(own, last)
        for name, step in (("own", []), ("there", ["--step", best])):
            self.run_ok("export", "out", f"export_{name}", *step)
        self.assertEqual(*((self.folder / f"export_{name}/model.safetensors").read_bytes() for name in ("own", "there")))
        self.assertIn("step 14: sha256", self.run_ok("replay", "out", "--verify").out)

    def test_so_is_its_adapter(self):
        _, best = self.run_with_an_early_best("peft.type=lora")
        self.run_ok("export", "out", "there", "--format", "peft", "--step", best)
        self.assertEqual(*((self.folder / name / "adapter_model.safetensors").read_bytes() for name in ("out/adapter", "there")))
        self.run_ok("eval", "out", "--step", best, "output=evaluated")
        self.assertEqual(self.predictions("out"), self.predictions("evaluated"))

    def test_the_metric_may_decide(self):
        self.run_with_an_early_best("trainer.best_by=metric", by="accuracy")

    def test_sessions_are_one(self):
        run, best = self.run_with_an_early_best()
        whole = self.predictions("out"), self.result()
        shutil.rmtree(self.folder / "out")
        seed = run[3]
        self.run_ok("run", "run.yaml", seed, *STEPS, "trainer.steps=12")
        self.run_ok("run", "run.yaml", seed, *STEPS, "--resume")
        self.assertEqual(self.predictions("out"), whole[0])
        for key in ("best_step", "best_dev", "after", "before", "steps"):
            self.assertEqual(self.result()[key], whole[1][key])

    def test_a_finished_run_may_keep_another_step_later(self):
        run, best = self.run_with_an_early_best()
        kept = self.predictions("out")
        seed = run[3]
        self.run_ok("run", "run.yaml", seed, *STEPS, "--resume", "trainer.keep=last")
        self.assertNotIn("best_step", self.result())
        self.assertNotEqual(self.predictions("out"), kept)
        self.run_ok("run", "run.yaml", seed, *STEPS, "--resume")
        self.assertEqual((self.result()["best_step"], self.predictions("out")), (best, kept))
        self.assertIn("all 14 steps were done", self.run_ok("run", "run.yaml", seed, *STEPS, "--resume").err)

    def test_nothing_can_tell_which_is_best(self):
        self.fails(2, ["run", "run.yaml", "trainer.keep=best"], "[trainer] keep: best", "no dev is given", "task.dev_from=train")
        self.fails(2, ["validate", "run.yaml", *STEPS, "trainer.eval_every=0"], "[trainer] keep: best", "eval_every is 0")
        self.write("toy.yaml", 'prompt: "{text}"\nanswers: text\nmetric: f1\n')
        self.fails(2, ["validate", "run.yaml", *STEPS, "objective.type=f1"], "[trainer] best_by: loss", "best_by=metric takes f1")


cli.main()
