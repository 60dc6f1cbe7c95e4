"""A run survives whatever becomes of the streams that it talks to, and a finished one is known at once."""

import os
import shutil
import subprocess

import cli


class Streams(cli.Case):
    def run_with(self, output, **streams):
        """The exit code; stderr and stdout are what is given, or read and thrown away."""
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
        return subprocess.run([cli.MEZO, "run", "run.yaml", f"output={output}"], cwd=self.folder, timeout=120,
                              env=self.environment(), **streams).returncode

    def test_a_stderr_that_cannot_be_written_costs_its_words_alone(self):
        self.run_ok("run", "run.yaml")
        expected = (self.folder / "out/predictions.jsonl").read_bytes()
        reader, gone = os.pipe()
        os.close(reader)
        with open("/dev/full", "w") as full, os.fdopen(gone, "w") as nobody:
            cases = {"full": {"stderr": full}, "gone": {"stderr": nobody}, "closed": {"preexec_fn": lambda: os.close(2)}}
            for name, streams in cases.items():
                with self.subTest(name):
                    self.assertEqual(self.run_with(name, **streams), 0)
                    self.assertEqual((self.folder / name / "predictions.jsonl").read_bytes(), expected)
                    self.assertFalse(self.result(name)["interrupted"])
                    for line in self.lines(f"{name}/metrics.jsonl"):  # nothing that was said went into a file
                        self.assertIn("step", line)

    def test_results_that_stdout_does_not_take_are_an_error_after_the_run(self):
        with open("/dev/full", "w") as full:
            for name, streams in {"full": {"stdout": full}, "closed": {"preexec_fn": lambda: os.close(1)}}.items():
                with self.subTest(name):
                    self.assertEqual(self.run_with(name, **streams), 1)
                    self.assertEqual(self.result(name)["steps"], 4)

    def test_help_that_stdout_does_not_take_is_an_error(self):
        with open("/dev/full", "w") as full:
            for words in (["--help"], ["run", "--help"], ["--version"]):
                with self.subTest(words):
                    done = subprocess.run([cli.MEZO, *words], stdout=full, stderr=subprocess.PIPE, timeout=120)
                    self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1), done.stderr)
                    self.assertIn(b"cannot write to stdout", done.stderr)


class Finished(cli.Case):
    def test_a_finished_run_of_the_same_configuration_is_known_before_anything_is_loaded(self):
        if not cli.MODEL.is_dir():
            self.skipTest("a model of one file")
        shutil.copytree(cli.MODEL, self.folder / "model")
        arguments = ("run", "run.yaml", f"model.path={self.folder}/model")
        first = self.run_ok(*arguments)
        (self.folder / "model/model.safetensors").write_bytes(b"")
        again = self.run_ok(*arguments, "--resume")
        self.assertIn("all 4 steps were done", again.err)
        self.assertEqual(again.out.splitlines()[-1], first.out.splitlines()[-1])
        self.assertNotIn("model:", again.err)
        # Asked for otherwise, it has to look; and another output folder is another run.
        self.fails(5, (*arguments, "--resume", "trainer.seed=1"), "model.safetensors")
        self.fails(5, (*arguments, "--resume", "output=other"), "model.safetensors")


if __name__ == "__main__":
    cli.main()
