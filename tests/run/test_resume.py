"""A run that is killed, interrupted or continued: it ends with the bytes of one that was not disturbed, or says why it cannot.

MEZO_KILLS=100 in the environment kills it so many times; otherwise twice, or ten times with MEZO_LONG_TESTS=1.
"""

import fcntl
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import time

import cli
import trajectory

KILLS = int(os.environ.get("MEZO_KILLS", "10" if cli.LONG else "2"))


class Case(cli.Case):
    def bytes_of(self, output):
        names = ("trajectory.mezo", "metrics.jsonl", "predictions.jsonl", "config.yaml")
        return {name: (self.folder / output / name).read_bytes() for name in names}

    def undisturbed(self, *arguments):
        """What a run into `out` leaves when it is left alone; the folder is called `whole` afterwards."""
        self.run_ok("run", "run.yaml", *arguments)
        (self.folder / "out").rename(self.folder / "whole")
        return self.bytes_of("whole")

    def trajectory(self, output="out"):
        return trajectory.read(self.folder / output / "trajectory.mezo")

    def check_same(self, whole):
        for name, content in self.bytes_of("out").items():
            self.assertEqual(content, whole[name], f"{name} differs from the undisturbed run's")
        results = [self.result(output) for output in ("out", "whole")]
        for result in results:
            for key in ("seconds", "seconds_per_step", "peak_memory_bytes", "scratch_bytes"):
                del result[key]
        self.assertEqual(*results)

    def metric_lines(self):
        metrics = self.folder / "out/metrics.jsonl"
        return metrics.read_bytes().count(b"\n") if metrics.exists() else 0

    def wait_for(self, process, ready):
        end = time.monotonic() + 60
        while process.poll() is None and not ready():
            self.assertLess(time.monotonic(), end, self.stderr())
            time.sleep(0.001)


class Disturbed(Case):
    def test_killed_at_random_moments_it_ends_with_the_same_bytes(self):
        arguments = [f"trainer.steps={40 + 12 * KILLS}", "trainer.flush_every=4", "optimizer.probes=2", "optimizer.schedule=linear",
                     "task.dev=test.jsonl", "trainer.eval_every=5", "optimizer.weight_decay=0.1"]
        print(f"killed {self.check_kills(arguments, KILLS)} times")

    def test_weights_in_16_bits_survive_kills_and_are_replayed(self):
        for types in (["optimizer.storage=bfloat16+8", "optimizer.distribution=rademacher"],
                      ["optimizer.storage=float16", "model.dtype=bfloat16"]):
            with self.subTest(types):
                self.check_kills(["trainer.steps=60", "trainer.flush_every=4", "optimizer.probes=2", "optimizer.streams=together",
                                  "optimizer.warmup=9", *types], 3 if cli.LONG else 2)
                self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)
            for output in ("out", "whole"):
                shutil.rmtree(self.folder / output)

    def check_kills(self, arguments, times):
        """Kills a run so many times, lets it end, and compares it with one that was left alone. How often it was alive to be killed."""
        whole = self.undisturbed(*arguments)
        begin = time.monotonic()
        process = self.start("run", "run.yaml", *arguments)
        self.wait_for(process, lambda: self.metric_lines() >= 1)
        setup = time.monotonic() - begin
        process.kill()
        kills = process.wait() == -signal.SIGKILL
        chance = random.Random(int(os.environ.get("MEZO_SEED", "4")))
        for _ in range(times - 1):
            before = self.metric_lines()
            process = self.start("run", "run.yaml", "--resume", *arguments)
            if chance.random() < 0.3:  # somewhere in the set-up, or in the replay
                time.sleep(chance.uniform(0, 1.5 * setup))
            else:
                more = chance.randrange(1, 16)
                self.wait_for(process, lambda: self.metric_lines() >= before + more)
                time.sleep(chance.uniform(0, 0.01))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        self.assertGreater(kills, times // 2)
        self.run_ok("run", "run.yaml", "--resume", *arguments)
        self.check_same(whole)
        return kills

    def test_interrupted_it_evaluates_and_later_ends_with_the_same_bytes(self):
        arguments = ["trainer.steps=60", "trainer.flush_every=7", "task.dev=test.jsonl", "trainer.eval_every=2"]
        whole = self.undisturbed(*arguments)
        for lines in (8, 35):
            process = self.start("run", "run.yaml", "--resume", *arguments)
            self.wait_for(process, lambda: self.metric_lines() >= lines)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 6, self.stderr())
            result, t = self.result(), self.trajectory()
            self.assertIs(result["interrupted"], True)
            self.assertEqual(len(t.steps), result["steps"])
            self.assertEqual([end[0] for end in t.ends], [result["steps"]])
            self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)
        self.run_ok("run", "run.yaml", "--resume", *arguments)
        self.check_same(whole)

    def test_killed_in_the_last_evaluation_it_only_evaluates(self):
        self.write_examples("test.jsonl", 800)
        whole = self.undisturbed()
        process = self.start("run", "run.yaml", "--resume")
        self.wait_for(process, lambda: self.metric_lines() == 5)
        time.sleep(0.05)  # that evaluation takes seconds
        process.kill()
        process.wait()
        self.assertFalse((self.folder / "out/result.json").exists())
        self.run_ok("run", "run.yaml", "--resume")
        self.check_same(whole)

    def test_a_torn_end_is_cut_off_and_said(self):
        whole = self.undisturbed("trainer.flush_every=2")
        shutil.copytree(self.folder / "whole", self.folder / "out")
        os.remove(self.folder / "out/result.json")
        (self.folder / "out/trajectory.mezo").write_bytes(whole["trajectory.mezo"][:-50])
        err = self.run_ok("run", "run.yaml", "--resume", "trainer.flush_every=2").err
        self.assertIn("torn bytes, which are cut off", err)
        self.assertIn("resume: 2 steps were done", err)
        self.check_same(whole)

    def test_a_full_disk_loses_no_step_that_was_flushed(self):
        arguments = ["trainer.steps=90", "trainer.log_every=45"]
        whole = self.undisturbed(*arguments)
        room = self.trajectory("whole").header_bytes + 200  # two blocks of 88 bytes
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        result = self.mezo("run", "run.yaml", *arguments, preexec_fn=limit)
        self.assertEqual(result.code, 6, result.err)
        self.assertIn("trajectory.mezo: cannot write: File too large; the steps up to 40 are in it, and --resume", result.err)
        self.assertEqual(len(self.trajectory().steps), 40)
        self.run_ok("run", "run.yaml", "--resume", *arguments)
        self.check_same(whole)


class Continued(Case):
    def test_a_finished_run_says_so_and_goes_on_when_more_steps_are_asked_for(self):
        self.run_ok("run", "run.yaml")
        before = self.bytes_of("out")
        self.assertIn("all 4 steps were done", self.run_ok("run", "run.yaml", "--resume").err)
        self.assertEqual(self.bytes_of("out"), before)
        err = self.run_ok("run", "run.yaml", "--resume", "trainer.steps=9").err
        self.assertIn("changed from step 5 on: trainer.steps", err)
        t = self.trajectory()
        self.assertEqual((len(t.steps), [s["first_step"] for s in t.segments], [e[0] for e in t.ends]), (9, [0, 4], [4, 9]))
        self.assertEqual(self.result()["steps"], 9)
        self.assertEqual(self.result()["before"], self.lines("out/metrics.jsonl")[0]["before"])
        self.assertEqual([line["step"] for line in self.lines("out/metrics.jsonl")], list(range(10)))
        for step in ("4", "9"):
            self.run_ok("replay", "out", "--verify", "--step", step)
        # The learning rate is constant, so these are the steps of one long run.
        self.run_ok("run", "run.yaml", "trainer.steps=9", "output=long")
        self.assertEqual(t.ends[-1], self.trajectory("long").ends[-1])
        self.fails(2, ["run", "run.yaml", "--resume", "trainer.steps=5"], "trainer.steps is 5, but 9 steps were done")

    def test_a_changed_learning_rate_appends_a_segment_and_rewrites_nothing(self):
        self.run_ok("run", "run.yaml", "trainer.steps=6", "optimizer.schedule=linear")
        before, at_4 = self.bytes_of("out"), self.run_ok("replay", "out", "--step", "4").out
        self.run_ok("run", "run.yaml", "trainer.steps=9", "optimizer.learning_rate=5e-3", "optimizer.probes=3", "--resume")
        after, t = self.bytes_of("out"), self.trajectory()
        for name in ("trajectory.mezo", "metrics.jsonl"):
            self.assertTrue(after[name].startswith(before[name]), name)
        self.assertIn("learning_rate: 5e-3", t.segments[1]["config"])
        self.assertEqual([len(g) for g in t.steps], [1] * 6 + [3] * 3)
        self.run_ok("replay", "out", "--verify")
        self.assertEqual(self.run_ok("replay", "out", "--step", "4").out, at_4)
        # Another spelling of the same number is no change.
        self.run_ok("run", "run.yaml", "trainer.steps=9", "optimizer.learning_rate=0.005", "optimizer.probes=3", "--resume")
        self.assertEqual(self.bytes_of("out"), after)

    def test_what_the_past_depends_on_cannot_change(self):
        self.run_ok("run", "run.yaml", "trainer.steps=2")
        before = self.bytes_of("out")
        self.write("other.yaml", cli.TASK.replace("great", "good"))
        shutil.copy(self.folder / "train.jsonl", self.folder / "same.jsonl")
        resume = lambda *more: ["run", "run.yaml", "--resume", "trainer.steps=3", *more]
        self.fails(2, resume("trainer.seed=1", "peft.exclude=[\"*.up_proj.*\"]", "task.max_length=9", "task.dev=test.jsonl"),
                   "trainer.seed (1, then 0)", "peft.exclude", "task.max_length", "task.dev")
        self.fails(4, resume("task.train=test.jsonl"), "task.train", "test.jsonl is not the file")
        self.fails(4, resume("task.file=other.yaml"), "task.file", "other.yaml is not the file")
        self.assertEqual(self.bytes_of("out"), before)
        self.run_ok(*resume("task.train=same.jsonl", "optimizer.epsilon=1e-3", "objective.type=accuracy", "trainer.batch_size=2"))
        self.run_ok("replay", "out", "--verify")

    def test_a_past_objective_may_be_gone(self):
        plugin = shutil.copy(self.plugin("odd_objectives"), self.folder / "mezo_mine.so")
        self.run_ok("run", "run.yaml", "trainer.steps=2", f"plugins=[{plugin}]", "objective.type=spread")
        os.remove(plugin)
        err = self.run_ok("run", "run.yaml", "--resume", "trainer.steps=3").err
        self.assertIn("changed from step 3 on: objective.type, objective.over, trainer.steps", err)
        self.run_ok("replay", "out", "--verify")

    def test_a_change_that_was_killed_before_its_first_flush_is_taken_up_again(self):
        self.run_ok("run", "run.yaml", "trainer.steps=6", "optimizer.probes=2")
        shutil.copytree(self.folder / "out", self.folder / "before")
        changed = ["--resume", "trainer.steps=40", "trainer.flush_every=30", "optimizer.probes=3", "optimizer.learning_rate=2e-3"]
        whole = self.undisturbed(*changed)
        (self.folder / "before").rename(self.folder / "out")
        process = self.start("run", "run.yaml", *changed)
        self.wait_for(process, lambda: len(self.trajectory().segments) == 2)
        process.kill()
        process.wait()
        t = self.trajectory()
        self.assertEqual((len(t.steps), [s["first_step"] for s in t.segments]), (6, [0, 6]))
        self.run_ok("run", "run.yaml", *changed)
        self.check_same(whole)

    def test_another_base_model_is_named_by_its_first_tensor(self):
        self.run_ok("run", "run.yaml", "trainer.steps=2")
        model = pathlib.Path(shutil.copytree(cli.MODEL, self.folder / "model"))
        for verb in (["run", "run.yaml", "--resume", "trainer.steps=3"], ["replay", "out"]):
            weights = bytearray((cli.MODEL / "model.safetensors").read_bytes())
            (model / "model.safetensors").write_bytes(weights)
            weights[-1] ^= 1
            (model / "model.safetensors").write_bytes(weights)
            self.fails(5, [*verb, "model.path=model"], "is not the model that the run started from: tensor model.", "other values")
        (model / "model.safetensors").write_bytes((cli.MODEL / "model.safetensors").read_bytes())
        self.run_ok("replay", "out", "--verify", "model.path=model")
        self.run_ok("run", "run.yaml", "--resume", "trainer.steps=3", "model.path=model")

    def test_elsewhere_it_goes_on_and_says_that_bits_may_differ(self):
        self.run_ok("run", "run.yaml", "trainer.steps=2")
        environment = self.environment()
        self.environment = lambda: dict(environment, OMP_NUM_THREADS="2")
        err = self.run_ok("run", "run.yaml", "--resume", "trainer.steps=3").err
        self.assertIn("note: this is not where the run was (threads 2, then 1)", err)
        self.assertEqual([s["machine"]["threads"] for s in self.trajectory().segments], ["1", "2"])
        self.run_ok("replay", "out", "--verify")

    def test_a_run_that_diverged_stays_so_until_something_changes(self):
        arguments = ["run", "run.yaml", f"plugins=[{self.plugin('odd_objectives')}]", "trainer.steps=50"]
        self.fails(6, [*arguments, "objective.type=not_a_number"], "at step 10")
        self.assertEqual(len(self.trajectory().steps), 10)
        before = self.bytes_of_training()
        self.fails(6, [*arguments, "objective.type=not_a_number", "--resume"], "at step 10")
        self.assertEqual(self.bytes_of_training(), before)
        self.run_ok(*arguments, "--resume", "trainer.steps=12")
        self.run_ok("replay", "out", "--verify")

    def bytes_of_training(self):
        return [(self.folder / "out" / name).read_bytes() for name in ("trajectory.mezo", "metrics.jsonl")]


class Folder(Case):
    def test_without_a_trajectory_it_starts_from_the_beginning(self):
        self.assertIn("starts from the beginning", self.run_ok("run", "run.yaml", "--resume").err)
        whole = self.bytes_of("out")
        shutil.rmtree(self.folder / "out")
        self.run_ok("run", "run.yaml")
        self.assertEqual(self.bytes_of("out"), whole)
        os.remove(self.folder / "out/trajectory.mezo")
        self.assertIn("all 4 steps were done", self.run_ok("run", "run.yaml", "--resume").err)
        self.fails(6, ["run", "run.yaml", "--resume", "trainer.steps=5"], "holds the result of an earlier run")

    def test_steps_of_an_unfinished_run_are_not_thrown_away_unasked(self):
        self.run_ok("run", "run.yaml", "trainer.flush_every=2")
        os.remove(self.folder / "out/result.json")
        before = self.bytes_of("out")
        for verb in ("run", "eval"):
            self.fails(6, [verb, "run.yaml"], "holds 4 steps of a run that did not end", "--resume", "--overwrite")
        self.assertEqual(self.bytes_of("out"), before)
        self.fails(2, ["run", "run.yaml", "--resume", "--overwrite"], "--resume")
        self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=3")
        self.assertEqual(len(self.trajectory().steps), 3)

    def test_one_run_at_a_time(self):
        (self.folder / "out").mkdir()
        held = os.open(self.folder / "out", os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        for arguments in (["run", "run.yaml"], ["run", "run.yaml", "--resume"], ["run", "run.yaml", "--overwrite"], ["eval", "run.yaml"]):
            self.fails(6, arguments, "another run is writing to", "output=")
        os.close(held)
        self.run_ok("run", "run.yaml")

    def test_a_trajectory_that_was_altered_is_refused_and_left_alone(self):
        self.run_ok("run", "run.yaml", "trainer.flush_every=2")
        whole = (self.folder / "out/trajectory.mezo").read_bytes()
        at = self.trajectory().header_bytes
        cases = {"record 1 at byte": whole[: at + 6] + bytes([whole[at + 6] ^ 1]) + whole[at + 7 :],
                 "header was altered": whole[:100] + b"#" + whole[101:],
                 "not a trajectory": b'{"step": 1}\n' * 9,
                 "header is cut off": whole[:200],
                 "newer than this mezo": whole[:8] + b"\x07" + whole[9:]}
        for message, content in cases.items():
            (self.folder / "out/trajectory.mezo").write_bytes(content)
            for arguments in (["run", "run.yaml", "--resume"], ["replay", "out"]):
                self.fails(6, arguments, "trajectory.mezo", message)
            self.assertEqual((self.folder / "out/trajectory.mezo").read_bytes(), content)

    def test_lost_logs_are_said_to_be_lost(self):
        self.run_ok("run", "run.yaml")
        result = self.result()
        os.remove(self.folder / "out/metrics.jsonl")
        os.remove(self.folder / "out/timing.jsonl")
        err = self.run_ok("run", "run.yaml", "--resume", "trainer.steps=6").err
        self.assertIn("metrics.jsonl has no lines of these steps", err)
        self.assertEqual(self.result()["before"], result["before"])
        self.write("out/metrics.jsonl", "nonsense\n")
        self.fails(6, ["run", "run.yaml", "--resume", "trainer.steps=7"], "metrics.jsonl:1:")


cli.main()
