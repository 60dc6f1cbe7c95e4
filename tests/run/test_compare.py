"""mezo compare and mezo results: what the cells of a sweep are, their table against Python's statistics, and a comparison that was
killed, interrupted or has a cell that fails."""

import csv
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import statistics
import time

import cli

BASE = """\
model: {path: MODEL}
task: {file: toy.yaml, train: train.jsonl, test: test.jsonl}
optimizer: {learning_rate: 1e-2, epsilon: 1e-2}
trainer: {steps: 3, batch_size: 3}
output: cells
"""
PAPER = """\
extends: base.yaml
sweep:
  method:
    zero-shot: {trainer.steps: 0}
    MeZO: {}
    MeZO LoRA:
      peft: {type: lora, rank: 2, targets: [q_proj]}
      optimizer.learning_rate: 1e-3
  task:
    toy: {}
    long:
      task: {file: long.yaml, test: train.jsonl}
  trainer.seed: [0, 1, 2]
"""


class Comparing(cli.Case):
    def setUp(self):
        super().setUp()
        self.write("base.yaml", BASE.replace("MODEL", str(cli.MODEL)))
        self.write("long.yaml", cli.TASK.replace("It was", "In a word, it was"))

    def sweep(self, text):
        self.write("sweep.yaml", "extends: base.yaml\nsweep:\n" + "".join(f"  {line}\n" for line in text.splitlines()))

    def table(self):
        return json.loads((self.folder / "cells/compare.json").read_text())

    def cells(self):
        return {cell["name"]: cell for cell in self.table()["cells"]}

    def started(self, err):
        return [line.removesuffix(": starts") for line in err.splitlines() if line.endswith(": starts")]

    def numbers(self):
        """What must not depend on interruptions."""
        return [{key: value for key, value in cell.items() if key not in ("seconds", "peak_memory_bytes")} for cell in self.table()["cells"]]


class Tables(Comparing):
    def test_methods_tasks_and_seeds_come_out_as_one_table(self):
        self.write("paper.yaml", PAPER)
        done = self.run_ok("compare", "paper.yaml")
        table, cells = self.table(), self.cells()
        self.assertEqual(len(cells), 18)
        # Zero-shot was measured once for each task.
        self.assertEqual(len(self.started(done.err)), 14)
        for task in ("toy", "long"):
            self.assertEqual(cells[f"zero-shot, {task}, seed=2"]["run_of"], f"zero-shot, {task}, seed=0")
        self.assertEqual(len(list((self.folder / "cells").glob("*/result.json"))), 14)
        # Each cell is the run that the user would have written.
        self.run_ok("run", "base.yaml", "task.file=long.yaml", "task.test=train.jsonl", "trainer.seed=1", "output=alone", "peft.type=lora",
                    "peft.rank=2", "peft.targets=[q_proj]", "optimizer.learning_rate=1e-3")
        cell, alone = cells["MeZO LoRA, long, seed=1"], self.result("alone")
        for key in ("before", "after", "method", "task", "steps", "forward_passes"):
            self.assertEqual(cell[key], alone[key], key)
        self.assertEqual(cell["settings"]["trainer.seed"], "1")
        self.assertEqual((pathlib.Path(cell["folder"]) / "metrics.jsonl").read_bytes(), (self.folder / "alone/metrics.jsonl").read_bytes())
        self.check_groups(table, cells, done.out)

    def check_groups(self, table, cells, out):
        self.assertEqual(len(table["groups"]), 6)
        lines = {re.split(r"\s{2,}", line.strip())[0]: line for line in out.splitlines()}
        for group in table["groups"]:
            runs = [cells[f"{group['method']}, {group['task']}, seed={seed}"] for seed in range(1 if group["method"] == "zero-shot" else 3)]
            self.assertEqual((group["runs"], group["done"], group["failed"], group["metric"]), (len(runs), len(runs), 0, "accuracy"))
            scores = [run["after"]["accuracy"] for run in runs]
            shown = f"{100 * statistics.mean(scores):.1f}"
            self.assertAlmostEqual(group["mean"], statistics.mean(scores), places=12)
            self.assertAlmostEqual(group["mean_before"], statistics.mean(run["before"]["accuracy"] for run in runs), places=12)
            if len(runs) > 1:
                error = statistics.stdev(scores) / len(scores) ** 0.5
                self.assertAlmostEqual(group["standard_error"], error, places=12)
                shown += f" ± {100 * error:.1f} (3)"
            else:
                self.assertIsNone(group["standard_error"])
            self.assertIn(shown, lines[group["method"]])
            self.assertAlmostEqual(group["seconds"], statistics.mean(run["seconds"] for run in runs), places=9)
            self.assertEqual(group["peak_memory_bytes"], max(run["peak_memory_bytes"] for run in runs))
            self.assertEqual(group["forward_passes"], 0 if group["method"] == "zero-shot" else 6)
        with open(self.folder / "cells/compare.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([{key: "" if value is None else str(value) for key, value in group.items()} for group in table["groups"]], rows)

    def test_a_product_a_zip_and_one_setting_make_cells(self):
        self.sweep("rates: {zip: {optimizer.learning_rate: [1e-2, 1e-3], optimizer.epsilon: [1e-2, 2e-2]}}\n"
                   "optimizer.probes: [1, 2]\npeft.type: [full]")
        out = self.run_ok("compare", "sweep.yaml", "trainer.steps=2").out
        names = [f"learning_rate={rate} epsilon={epsilon}, probes={probes}, full" for rate, epsilon in (("1e-2", "1e-2"), ("1e-3", "2e-2"))
                 for probes in (1, 2)]
        self.assertEqual(list(self.cells()), names)
        self.assertEqual([cell["forward_passes"] for cell in self.cells().values()], [4, 8, 4, 8])
        self.assertEqual(self.cells()[names[3]]["settings"], {"optimizer.learning_rate": "1e-3", "optimizer.epsilon": "2e-2",
                                                              "optimizer.probes": "2", "peft.type": "full"})
        self.assertIn("probes=2", out.splitlines()[0])

    def test_another_metric(self):
        self.sweep("trainer.seed: [0, 1]")
        self.run_ok("compare", "sweep.yaml", "--metric", "loss")
        losses = [cell["after"]["loss"] for cell in self.cells().values()]
        self.assertAlmostEqual(self.table()["groups"][0]["mean"], statistics.mean(losses), places=12)
        self.fails(2, ["compare", "sweep.yaml", "--metric", "lose"], "no metric called 'lose'", "did you mean 'loss'?")

    def test_a_task_may_change_what_its_method_says(self):
        self.sweep("method: {MeZO: {optimizer.learning_rate: 1e-3}}\ntask: {a: {}, b: {optimizer.learning_rate: 1e-4}}")
        self.run_ok("compare", "sweep.yaml", "trainer.steps=1")
        for cell, rate in zip(self.cells().values(), ("1e-3", "1e-4")):
            self.assertEqual(cell["settings"]["optimizer.learning_rate"], rate)
            self.assertIn(f"learning_rate: {rate}\n", (pathlib.Path(cell["folder"]) / "config.yaml").read_text())


class GoingOn(Comparing):
    def test_what_is_done_is_known_whatever_the_axes_are_called(self):
        self.sweep("trainer.seed: [0, 1]")
        self.run_ok("compare", "sweep.yaml")
        before = self.numbers()
        done = self.run_ok("compare", "sweep.yaml")
        self.assertIn("2 of 2 runs are done", done.err)
        self.assertEqual((self.started(done.err), self.numbers()), ([], before))
        self.sweep("chance: {seed=0: {trainer.seed: 0}, seed=1: {trainer: {seed: 1}}, seed=2: {trainer.seed: 2}}")
        self.assertEqual(self.started(self.run_ok("compare", "sweep.yaml").err), ["3 of 3: seed=2"])

    def test_killed_at_random_it_ends_with_the_same_table(self):
        self.sweep("method: {MeZO: {}, LoRA: {peft.type: lora}}\ntrainer.seed: [0, 1]")
        longer = ["trainer.steps=60", "optimizer.learning_rate=1e-4"]
        self.run_ok("compare", "sweep.yaml", *longer)
        wanted = self.numbers()
        shutil.rmtree(self.folder / "cells")
        chance = random.Random(7)
        for attempt in range(8):
            process = self.start("compare", "sweep.yaml", *longer)
            time.sleep(chance.uniform(0.3, 1.6))
            if process.poll() is not None:
                break
            children = self.children(process.pid)
            if children and attempt % 3 == 0:
                os.kill(children[0], signal.SIGKILL)  # a cell alone: it fails, and the others go on
                continue_until = time.monotonic() + chance.uniform(0.1, 0.5)
                while time.monotonic() < continue_until and process.poll() is None:
                    time.sleep(0.01)
            process.kill()
            process.wait()
            for child in children:  # die with it
                end = time.monotonic() + 10
                while os.path.exists(f"/proc/{child}") and time.monotonic() < end:
                    time.sleep(0.01)
                self.assertFalse(os.path.exists(f"/proc/{child}"), "a cell outlived its comparison")
        self.run_ok("compare", "sweep.yaml", *longer)
        self.assertEqual(self.numbers(), wanted)

    def children(self, pid):
        try:
            return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def test_ctrl_c_ends_the_cell_cleanly_and_shows_what_is_done(self):
        self.sweep("method: {quick: {trainer.steps: 2}, slow: {}}")
        log = self.folder / "cells/slow/metrics.jsonl"
        process = self.start_and_wait(lambda: log.exists() and log.read_text().count("\n") > 3, "compare", "sweep.yaml",
                                      "trainer.steps=1000000")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 6)
        self.assertIn("slow: interrupted", self.stderr())
        self.assertIn("1 of 2 runs are done; the same command goes on", self.stderr())
        self.assertEqual([cell["state"] for cell in self.cells().values()], ["done", "interrupted"])
        self.assertIs(self.result("cells/slow")["interrupted"], True)
        steps = self.result("cells/slow")["steps"]
        process = self.start_and_wait(lambda: log.read_text().count("\n") > steps + 3, "compare", "sweep.yaml", "trainer.steps=1000000")
        self.assertIn("1 of 2 runs are done", self.stderr())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 6)

    def test_a_cell_that_fails_leaves_the_others_alone(self):
        self.write("broken.jsonl", '{"text": "half a')
        self.sweep("task: {bad: {task.train: broken.jsonl}, good: {}}\ntrainer.seed: [0, 1]")
        done = self.mezo("compare", "sweep.yaml")
        self.assertEqual(done.code, 6)
        cells = self.cells()
        self.assertEqual([cell["state"] for cell in cells.values()], ["failed", "failed", "done", "done"])
        self.assertIn("exit code 4: ", cells["bad, seed=0"]["failure"])
        self.assertIn("broken.jsonl", cells["bad, seed=0"]["failure"])
        self.assertIn("2 of 4 runs are done, 2 failed", done.err)
        self.assertRegex(done.out, r"bad +failed .*\ngood +\d+\.\d ± ")
        self.write_examples("broken.jsonl", 8)
        self.assertEqual(len(self.started(self.run_ok("compare", "sweep.yaml").err)), 2)

    def test_a_folder_of_another_configuration_is_kept_until_told(self):
        self.sweep("trainer.seed: [0, 1]")
        self.run_ok("compare", "sweep.yaml")
        kept = self.numbers()
        self.fails(6, ["compare", "sweep.yaml", "optimizer.learning_rate=1e-3"], "seed=0 and 1 more folders hold a run of another "
                   "configuration", "--overwrite")
        self.assertEqual(self.numbers(), kept)
        self.run_ok("compare", "sweep.yaml", "optimizer.learning_rate=1e-3", "--overwrite")
        self.assertNotEqual(self.numbers(), kept)
        self.assertEqual(self.started(self.run_ok("compare", "sweep.yaml", "optimizer.learning_rate=1e-3", "--overwrite").err), [])


class Mistakes(Comparing):
    def test_everything_wrong_is_told_with_its_place_before_anything_starts(self):
        self.sweep("method:\n  MeZO: {}\n  LoRA: {peft.type: lora, peft.rnak: 2}\n  none: {trainer.steps: many}\ntrainer.seed: [0, 1]")
        self.fails(2, ["compare", "sweep.yaml"], "in cell 'LoRA, seed=0' and 1 more:\nsweep.yaml:5:29: error[C012]: unknown key 'rnak' in peft",
                   "did you mean 'rank'?", "in cell 'none, seed=0' and 1 more:\nsweep.yaml:6:27: error[C019]: trainer.steps must be an integer")
        self.assertFalse((self.folder / "cells").exists())

    def test_axes_that_are_none(self):
        for axes, *parts in (("trainer.seed: 1", "sweep.yaml:3:17: error[C019]", "must have a list"),
                             ("trainer.seed: []", "must have a list"),
                             ("a: {zip: {trainer.seed: [1, 2], trainer.steps: [1]}}", "trainer.steps' has 1 values, but 'trainer.seed' has 2"),
                             ("a: {zip: [1]}", "zip must be a map"),
                             ("method: {MeZO: 1}", "choice 'MeZO' of axis 'method' must be a map"),
                             ("output: [a, b]", "output cannot be swept"),
                             ("a: {x: {sweep: {trainer.seed: [1]}}}", "unknown key 'sweep'"),
                             ("trainer.seed: [1]\na: {b: {trainer: {seed: 2}}}", "trainer.seed is given by two axes"),
                             ("trainer..seed: [1]", "'trainer..seed' is not a setting's name"),
                             ("trainer.seeed: [1]", "unknown key 'seeed' in trainer; did you mean 'seed'?"),
                             ("a: {b c: {}, b-c: {trainer.steps: 1}}", "is that of cell 'b c' too"),
                             ("trainer.seed: " + str(list(range(200))) + "\ntrainer.steps: " + str(list(range(200))), "more than 10000 cells")):
            with self.subTest(axes[:60]):
                self.sweep(axes)
                self.fails(2, ["compare", "sweep.yaml"], *parts)

    def test_run_and_compare_name_each_other(self):
        self.sweep("trainer.seed: [1]")
        self.fails(2, ["run", "sweep.yaml"], "sweep.yaml:2:1: error", "a sweep is of several runs", "mezo compare sweep.yaml")
        self.fails(2, ["compare", "base.yaml"], "a comparison needs a sweep", "`mezo run`")


class Shipped(Comparing):
    def test_the_shipped_comparisons_load(self):
        configs = pathlib.Path(__file__).parents[2] / "configs/experiments"
        found = [path for path in sorted(configs.glob("*.yaml")) if "\nsweep:" in path.read_text()]
        self.assertGreaterEqual(len(found), 2)
        for path in found:
            with self.subTest(path.name):
                text = path.read_text()
                self.write("configs/experiments/" + path.name, text)
                for file in re.findall(r"\.\./\.\./(data/[\w/.-]+)", text):
                    self.write(file, "")
                done = self.run_ok("compare", f"configs/experiments/{path.name}", "--check", f"model.path={cli.MODEL}")
                self.assertRegex(done.out, r"^zero-shot.*: waiting\n")
                self.assertFalse((self.folder / "runs").exists())


class Results(Comparing):
    def test_runs_done_by_hand(self):
        for seed in (0, 1):
            self.run_ok("run", "base.yaml", f"trainer.seed={seed}", f"output=r{seed}")
        self.run_ok("run", "base.yaml", "optimizer.probes=2", "peft.type=lora", "output=r2")
        out = self.run_ok("results", "r0", "r1").out.splitlines()
        self.assertEqual(re.split(r"\s{2,}", out[0]), ["run", "method", "task", "trainer.seed", "metric", "before", "after", "steps",
                                                       "seconds", "GB", "forward passes"])
        self.assertEqual(len(out), 3)
        self.assertRegex(out[2], rf"^r1 +mezo full +toy +1 +accuracy +{100 * self.result('r1')['before']['accuracy']:.1f}% ")
        runs = json.loads(self.run_ok("results", "r0", "r2", "--json").out)
        self.assertEqual([run["optimizer.probes"] for run in runs], ["1", "2"])
        self.assertEqual([run["forward_passes"] for run in runs], [6, 12])
        self.assertEqual([run["after"] for run in runs], [self.result(r)["after"]["accuracy"] for r in ("r0", "r2")])
        rows = list(csv.DictReader(io.StringIO(self.run_ok("results", "r0", "r2", "--csv").out)))
        self.assertEqual([{key: str(value) for key, value in run.items()} for run in runs],
                         [{key: {"false": "False"}.get(value, value) if key == "interrupted" else value for key, value in row.items()} for row in rows])
        self.fails(6, ["results", "r0", "data"], "data has no result.json")

    def test_a_run_that_went_on_with_other_probes_counts_both(self):
        self.run_ok("run", "base.yaml", "output=r")
        self.run_ok("run", "base.yaml", "output=r", "--resume", "trainer.steps=5", "optimizer.probes=3")
        self.assertEqual(self.result("r")["forward_passes"], 3 * 2 + 2 * 6)


cli.main()
