"""Runs the mezo of a build as a user would, on a tiny model of tests/make_tiny_model.py. Only the standard library.

A test file ends with `cli.main()` and is called as  python test_x.py MEZO TINY_MODEL PLUGINS.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

MEZO = MODEL = PLUGINS = None
LONG = os.environ.get("MEZO_LONG_TESTS", "0") not in ("", "0")

CONFIG = """\
model: {path: MODEL}
task: {file: toy.yaml, train: train.jsonl, test: test.jsonl}
optimizer: {learning_rate: 1e-3, epsilon: 1e-2}
trainer: {steps: 4, batch_size: 3}
output: out
"""
TASK = 'prompt: "{text} It was"\noptions: {0: " terrible", 1: " great"}\n'
TEXTS = ["A warm and funny film.", "The plot is dull.", "Bold, strange and moving.", "Two hours of noise; nobody was awake.",
         "I laughed.", "He wastes a good idea.", "A great cast.", "The jokes are old and the music never stops."]


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Case(unittest.TestCase):
    """A folder with a configuration that runs, made anew for every test."""

    maxDiff = None

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="mezo-test-run-")
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.write("run.yaml", CONFIG.replace("MODEL", str(MODEL)))
        self.write("toy.yaml", TASK)
        self.write_examples("train.jsonl", 8)
        self.write_examples("test.jsonl", 6)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def write_examples(self, name, count):
        rows = [{"text": TEXTS[i % len(TEXTS)] + " So." * (i // len(TEXTS)), "label": (i + 1) % 2} for i in range(count)]
        self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def environment(self):
        return dict(os.environ, OMP_NUM_THREADS="1", LC_ALL="C.UTF-8")

    def mezo(self, *arguments, preexec_fn=None):
        done = subprocess.run([MEZO, *map(str, arguments)], cwd=self.folder, capture_output=True, timeout=120,
                              env=self.environment(), preexec_fn=preexec_fn)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments):
        """A process that goes on by itself; what it says on stderr grows in the file `stderr`."""
        with open(self.folder / "stderr", "w") as stderr:
            process = subprocess.Popen([MEZO, *map(str, arguments)], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=stderr,
                                       env=self.environment())
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def wait_for(self, process, ready):
        end = time.monotonic() + 60
        while not ready():
            self.assertIsNone(process.poll(), f"it ended too early: {self.stderr()}")
            self.assertLess(time.monotonic(), end, self.stderr())
            time.sleep(0.002)

    def start_and_wait(self, ready, *arguments):
        process = self.start(*arguments)
        self.wait_for(process, ready)
        return process

    def training(self):
        metrics = self.folder / "out/metrics.jsonl"
        return metrics.exists() and metrics.read_text().count("\n") >= 4  # the first is not of a step

    def stderr(self):
        return (self.folder / "stderr").read_text()

    def run_ok(self, *arguments):
        result = self.mezo(*arguments)
        self.assertEqual(result.code, 0, result.err)
        return result

    def fails(self, code, arguments, *parts):
        """The command ends with `code`, says each of `parts` on stderr, and nothing on stdout."""
        result = self.mezo(*arguments)
        self.assertEqual(result.code, code, f"{arguments}: {result.out}{result.err}")
        self.assertEqual(result.out, "", arguments)
        for part in parts:
            self.assertIn(part, result.err, arguments)
        for trace in ("terminate called", "Exception raised from", "frame #", "what():", "internal error"):
            self.assertNotIn(trace, result.err, arguments)
        return result

    def lines(self, name):
        text = (self.folder / name).read_text()
        self.assertTrue(text.endswith("\n"), f"{name} ends in half a line")
        return [json.loads(line) for line in text.splitlines()]

    def steps(self, output="out"):
        """The lines of metrics.jsonl that are about a step, without evaluations."""
        return [line for line in self.lines(f"{output}/metrics.jsonl") if "loss" in line]

    def result(self, output="out"):
        return json.loads((self.folder / output / "result.json").read_text())

    def plugin(self, name):
        return str(pathlib.Path(PLUGINS) / f"mezo_{name}.so")


def main():
    global MEZO, MODEL, PLUGINS
    MEZO, MODEL, PLUGINS = (pathlib.Path(p).absolute() for p in sys.argv[1:4])
    if not (MODEL if MODEL.suffix else MODEL / "model.safetensors").exists():
        print(f"skipped: no model at {MODEL}")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=1)
