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
    MeZO LoRA:
      peft: {type: lora, rank: 2, targets: [q_proj]}
      optimizer.learning_rate: 1e-3
  task:
    toy: {}
    long:
      task: {file: long.yaml, test: train.jsonl}
      optimizer.learning_rate: 5e-4
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
        self.assertEqual(len(cells), 12)
        # Zero-shot was measured once for each task.
        self.assertEqual(len(self.started(done.err)), 8)
        for task in ("toy", "long"):
            self.assertEqual(cells[f"zero-shot, {task}, seed=2"]["run_of"], f"zero-shot, {task}, seed=0")
        self.assertEqual(len(list((self.folder / "cells").glob("*/result.json"))), 8)
        # Each cell is the run that the user would have written.
        self.run_ok("run", "base.yaml", "task.file=long.yaml", "task.test=train.jsonl", "trainer.seed=1", "output=alone", "peft.type=lora",
                    "peft.rank=2", "peft.targets=[q_proj]", "optimizer.learning_rate=5e-4")
        cell, alone = cells["MeZO LoRA, long, seed=1"], self.result("alone")
        for key in ("before", "after", "method", "task", "steps", "forward_passes"):
            self.assertEqual(cell[key], alone[key], key)
        self.assertEqual(cell["settings"]["trainer.seed"], "1")
        self.assertEqual(cell["settings"]["optimizer.learning_rate"], "5e-4")  # the task's: the later axis counts
        self.assertEqual((pathlib.Path(cell["folder"]) / "metrics.jsonl").read_bytes(), (self.folder / "alone/metrics.jsonl").read_bytes())
        self.check_groups(table, cells, done.out)

    def check_groups(self, table, cells, out):
        self.assertEqual(len(table["groups"]), 4)
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
        again = self.run_ok("compare", "sweep.yaml", "trainer.steps=2", "--metric", "cross_entropy")
        losses = [cell["after"]["cross_entropy"] for cell in self.cells().values()]
        self.assertEqual([group["mean"] for group in self.table()["groups"]], losses)
        self.assertIn(f"{losses[3]:.4f}", again.out)
        self.fails(2, ["compare", "sweep.yaml", "--metric", "cross_entropi"], "no metric called 'cross_entropi'", "did you mean 'cross_entropy'?")

    def test_a_metric_of_its_own_stands_before_its_number(self):
        self.write("loss.yaml", cli.TASK + "metric: cross_entropy\n")
        self.sweep("data: {a: {}, b: {task.file: loss.yaml}}")
        out = self.run_ok("compare", "sweep.yaml", "trainer.steps=1").out
        a, b = self.cells().values()
        self.assertIn(f"a  accuracy, % {100 * a['after']['accuracy']:.1f} ", out)
        self.assertIn(f"b  cross_entropy {b['after']['cross_entropy']:.4f} ", out)


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
        self.sweep("method: {MeZO: {}, LoRA: {peft.type: lora}}")
        longer = ["trainer.steps=150", "optimizer.learning_rate=1e-4"]
        self.run_ok("compare", "sweep.yaml", *longer)
        wanted = self.numbers()
        shutil.rmtree(self.folder / "cells")
        chance = random.Random(7)
        for attempt in range(5):
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
        self.sweep("task: {bad: {task.train: broken.jsonl}, good: {}}")
        done = self.mezo("compare", "sweep.yaml")
        self.assertEqual(done.code, 6)
        cells = self.cells()
        self.assertEqual([cell["state"] for cell in cells.values()], ["failed", "done"])
        self.assertIn("exit code 4: ", cells["bad"]["failure"])
        self.assertIn("broken.jsonl", cells["bad"]["failure"])
        self.assertIn("1 of 2 runs are done, 1 failed", done.err)
        self.assertRegex(done.out, r"bad +failed .*\ngood +\d+\.\d ")
        self.write_examples("broken.jsonl", 8)
        self.assertEqual(self.started(self.run_ok("compare", "sweep.yaml").err), ["1 of 2: bad"])

    def test_a_folder_of_another_configuration_is_kept_until_told(self):
        self.sweep("trainer.seed: [0, 1]")
        self.run_ok("compare", "sweep.yaml")
        kept = self.numbers()
        (self.folder / "cells/seed=1/result.json").unlink()  # as if it had been killed at its end
        other = ["compare", "sweep.yaml", "optimizer.learning_rate=1e-3"]
        self.fails(6, other, "seed=0 and 1 more folders hold a run of another configuration", "--overwrite")
        self.assertEqual(self.run_ok(*other, "--check").out.count("a run of another configuration is in its folder"), 2)
        self.assertEqual(self.numbers(), kept)
        self.run_ok(*other, "--overwrite")
        for seed in (0, 1):
            self.assertIn("learning_rate: 1e-3\n", (self.folder / f"cells/seed={seed}/config.yaml").read_text())
            self.assertEqual(len(self.steps(f"cells/seed={seed}")), 3)
        self.assertIn("2 of 2 runs are done", self.run_ok(*other, "--overwrite").err)


class Mistakes(Comparing):
    def test_everything_wrong_is_told_with_its_place_before_anything_starts(self):
        self.sweep("method:\n  MeZO: {}\n  LoRA: {peft.type: lora, peft.rnak: 2}\n  none: {trainer.steps: many}\ntrainer.seed: [0, 1]")
        self.fails(2, ["compare", "sweep.yaml"], "in cell 'LoRA, seed=0' and 1 more:\nsweep.yaml:5:29: error[C012]: unknown key 'rnak' in peft",
                   "did you mean 'rank'?", "in cell 'none, seed=0' and 1 more:\nsweep.yaml:6:27: error[C019]: trainer.steps must be an integer")
        self.assertFalse((self.folder / "cells").exists())

    def wrong(self, axes, *parts):
        self.sweep(axes)
        self.fails(2, ["compare", "sweep.yaml"], *parts)

    def test_axes_that_are_none(self):
        self.wrong("trainer.seed: 1\ntrainer.steps: []\na: {zip: {trainer.batch_size: [1, 2], task.max_length: [9]}}\nb: {zip: [1]}\n"
                   "method: {MeZO: 1}\noutput: [a, b]\ntask.train_size: [1]\nc: {d: {task: {train_size: 2}}}",
                   "sweep.yaml:3:17: error[C019]: 'trainer.seed' must have a list", "'trainer.steps' must have a list",
                   "'task.max_length' has 1 values, but 'trainer.batch_size' has 2", "zip must be a map", "choice 'MeZO' of axis 'method' must be a map",
                   "output cannot be swept", "task.train_size is given by two axes", "7 errors")
        self.wrong("a: {v: {sweep: {trainer.seed: [1]}}, w: {trainer..seed: 1}, x: {trainer.seeed: 1}, b c: {}, b-c: {trainer.steps: 1}}",
                   "unknown key 'sweep'", "'trainer..seed' is not a setting's name", "unknown key 'seeed' in trainer; did you mean 'seed'?",
                   "is that of cell 'b c' too")
        self.wrong(f"trainer.seed: {list(range(200))}\ntrainer.steps: {list(range(200))}", "more than 10000 cells")

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
                self.assertRegex(done.out, r"\A.+: waiting\n")
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
        self.run_ok("run", "base.yaml", "output=r0", "--resume", "trainer.steps=5", "optimizer.probes=3")
        self.assertEqual(self.result("r0")["forward_passes"], 3 * 2 + 2 * 6)



cli.main()
