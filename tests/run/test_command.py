#!/usr/bin/env python3
"""A program of the user's judges generated texts. What it is asked is written down by it, so that the run's losses and projected gradients
can be worked out here; and whatever it does wrong is told by name, with what was done before kept."""

import json
import os
import pathlib
import signal
import sys
import time

import cli

HEAD = "import json, sys, os, time, signal\n"
JUDGE = HEAD + """\
log = open("asked.jsonl", "a")
print("judging", file=sys.stderr)
for line in sys.stdin:
    log.write(line)
    log.flush()
    print(len(json.loads(line)["text"]), flush=True)
open("ended", "w").write("well")
"""
BATCHED = HEAD + """\
waiting = []
for line in sys.stdin:
    waiting.append(json.loads(line))
    if waiting[-1]["left"] == 0:
        print("\\n".join(f" {len(one['text'])}.0 " for one in waiting), flush=True)
        waiting = []
"""


class Command(cli.Case):
    def setUp(self):
        super().setUp()
        self.write("texts.yaml", 'prompt: "{text} It was"\nanswers: answer\nmax_new_tokens: 4\n')
        for name in ("train.jsonl", "test.jsonl"):
            self.write(name, "".join(json.dumps({"text": text, "answer": ["well", "\u00fc"]}) + "\n" for text in cli.TEXTS[:6]))
        self.write("judge.py", JUDGE)

    def arguments(self, *more, program="judge.py"):
        return ["run", "run.yaml", "--overwrite", "task.file=texts.yaml", "objective.type=command", f"objective.command=[{sys.executable}, {program}]",
                "optimizer.epsilon=3e-2", *more]

    def asked(self):
        """Step by step, stream by stream, what the program was asked."""
        lines = self.lines("asked.jsonl")
        return [[lines[i:i + 3], lines[i + 3:i + 6]] for i in range(0, len(lines), 6)]

    def test_losses_are_those_of_the_texts_that_it_was_asked_about(self):
        done = self.run_ok(*self.arguments("objective.maximise=false"))
        steps, asked = self.steps(), self.asked()
        self.assertEqual((len(steps), len(asked)), (4, 4))
        for step, streams in zip(steps, asked):
            plus, minus = (sum(len(line["text"]) for line in lines) / 3 for lines in streams)
            self.assertAlmostEqual(step["loss"], (plus + minus) / 2, places=6)
            self.assertAlmostEqual(step["projected_gradient"][0], (plus - minus) / 6e-2, delta=1e-4 * (1 + abs(plus - minus)))
            self.assertEqual([line["left"] for lines in streams for line in lines], [5, 4, 3, 2, 1, 0])
            self.assertEqual(*([line["index"] for line in lines] for lines in streams))
            self.assertTrue(all(line["answers"] == ["well", "ü"] for lines in streams for line in lines))
        self.assertTrue(any(step["projected_gradient"] != [0] for step in steps))
        self.assertEqual(done.err.count("judging\n"), 1, "it is started once, and its stderr is the user's")
        self.assertEqual((self.folder / "ended").read_text(), "well")

    def test_higher_is_better_unless_said_otherwise(self):
        self.run_ok(*self.arguments("output=low", "objective.maximise=false", "trainer.steps=1"))
        for program in ("judge.py", "batched.py"):
            self.write("batched.py", BATCHED)
            self.run_ok(*self.arguments("trainer.steps=1", program=program))
            self.assertEqual(self.steps()[0]["loss"], -self.steps("low")[0]["loss"])

    def test_streams_in_turn_are_asked_in_turn(self):
        self.run_ok(*self.arguments("optimizer.probes=2", "optimizer.streams=turns", "trainer.steps=1"))
        self.assertEqual(len(self.lines("asked.jsonl")), 12)

    def failing(self, body, *parts, more=(), steps=2):
        """The program judges `steps` steps as it should, and then runs `body` with `line`."""
        self.write("bad.py", HEAD + f"""\
asked = 0
for line in sys.stdin:
    asked += 1
    if asked > {6 * steps}:
        {body}
    print(len(json.loads(line)["text"]), flush=True)
""")
        self.fails(6, self.arguments("trainer.flush_every=100", *more, program="bad.py"), "[objective command]", "bad.py: ", *parts)

    def test_what_goes_wrong_is_told(self):
        for body, *parts in (
                ("sys.exit(3)", "ended with exit status 3", "of 6 texts of this step 0 have a number"),
                ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9"),
                ("sys.stdout.write('4'); sys.exit(0)", 'ended with exit status 0, after "4" without a line\'s end'),
                ("print('good', flush=True)", 'line 13 of its stdout, "good", is no finite number'),
                ("print('nan', flush=True)", 'line 13 of its stdout, "nan", is no finite number'),
                ("print('inf', flush=True)", '"inf", is no finite number'),
                ("print(flush=True)", 'line 13 of its stdout, "", is no finite number'),
                ("print('1 2', flush=True)", '"1 2", is no finite number'),
                ("print('\\x1b[2J', flush=True)", '"?[2J", is no finite number'),
                ("print('x' * 100000, end='', flush=True)", "line 13 of its stdout", "is no number"),
                ("print(1, flush=True)", "is more than one line for each text")):
            with self.subTest(body):
                self.failing(body, *parts)

    def test_one_that_is_too_slow_is_ended(self):
        self.failing("signal.signal(signal.SIGTERM, lambda *_: (open('asked to end', 'w'), os._exit(1))); time.sleep(100)",
                     "has not answered text 1 of 6 of this step within 0.5 s (objective.timeout)", more=["objective.timeout=0.5"])
        self.assertTrue((self.folder / "asked to end").exists())

    def test_what_was_done_before_it_failed_is_resumed(self):
        whole = self.arguments("output=whole")
        self.run_ok(*whole)
        self.failing("sys.exit(1)", "exit status 1")
        self.assertEqual(len(self.steps()), 2)
        self.write("bad.py", JUDGE)
        resumed = self.run_ok(*["--resume" if a == "--overwrite" else a for a in self.arguments("trainer.flush_every=100", program="bad.py")])
        self.assertIn("resume: 2 steps were done", resumed.err)
        self.assertEqual(self.steps(), self.steps("whole"))

    def test_what_cannot_be_started_is_told(self):
        self.fails(6, [*self.arguments(), "objective.command=no-such-judge"], "[objective command] no-such-judge: cannot be started: No such file")
        self.fails(2, [*self.arguments(), "objective.command=[]"], "[objective] command")
        self.fails(2, ["run", "run.yaml", "objective.type=command"], "command")

    def test_ctrl_c_at_a_terminal_ends_the_run_and_not_the_program_under_it(self):
        self.write("slow.py", JUDGE.replace("    log.write", "    time.sleep(0.02)\n    log.write"))
        process = self.start(*self.arguments("trainer.steps=10000", program="slow.py"))
        self.wait_for(process, self.training)
        self.assertEqual(self.children(process.pid), [os.getpgid(child) for child in self.children(process.pid)], "a group of its own")
        process.send_signal(signal.SIGINT)
        process.wait(60)
        self.assertEqual((self.folder / "ended").read_text(), "well")
        self.assertIs(self.result()["interrupted"], True)

    def test_it_ends_with_a_run_that_is_killed(self):
        process = self.start(*self.arguments("trainer.steps=10000"))
        self.wait_for(process, self.training)
        (child,) = self.children(process.pid)
        process.kill()
        process.wait()
        end = time.monotonic() + 20
        while not (self.folder / "ended").exists():
            self.assertLess(time.monotonic(), end, f"{child} goes on")
            time.sleep(0.01)

    def children(self, pid):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    cli.main()
