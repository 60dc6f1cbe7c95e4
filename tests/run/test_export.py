"""`mezo export`: what a run ends with, in transformers and in mezo again, and what stands in the way.

As the other scripts here, on a tiny model or on a .gguf file. Exits with 77 where transformers or safetensors is absent.
"""

import resource
import signal
import sys
import time
import unittest

import cli

try:
    import safetensors
    import torch
    import transformers

    from transformers_scores import mean_share
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
transformers.logging.disable_progress_bar()

OPTIONS = {"0": " terrible", "1": " great"}  # of cli.TASK
IS_FILE = sys.argv[2].endswith(".gguf")
RUN = ["run", "run.yaml", "optimizer.learning_rate=2e-5", "optimizer.epsilon=1e-3", "trainer.steps=3"]


def tensors(folder):
    with safetensors.safe_open(folder / "model.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


class Exporting(cli.Case):
    def test_transformers_scores_it_as_the_finished_run_did(self):
        self.run_ok(*RUN)
        self.run_ok("export", "out", "copy")
        model, info = transformers.AutoModelForCausalLM.from_pretrained(self.folder / "copy", output_loading_info=True)
        self.assertEqual({key: found for key, found in info.items() if found}, {})
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "copy")
        predictions, worst = self.lines("out/predictions.jsonl"), 0
        for row, line in zip(self.lines("test.jsonl"), predictions, strict=True):
            for label, option in OPTIONS.items():
                score = mean_share(model.eval(), tokenizer, row["text"] + " It was", option)
                worst = max(worst, abs(score - line["scores"][label]))
        print(f"{len(predictions)} examples: largest difference {worst:.2e}")
        self.assertLess(worst, 1e-4)

    def test_mezo_reads_back_the_very_weights(self):
        self.run_ok(*RUN)
        self.run_ok("export", "out", "copy", "--format", "hf")
        self.run_ok("eval", "out/config.yaml", "model.path=copy", "output=again")
        self.assertEqual(*((self.folder / o / "predictions.jsonl").read_bytes() for o in ("out", "again")))


@unittest.skipIf(IS_FILE, "skipped: about folders")
class OfFolders(cli.Case):
    def test_step_0_is_the_base_byte_for_byte_and_a_later_one_is_a_shorter_run(self):
        self.run_ok("run", "run.yaml")
        out = self.run_ok("export", "out", "zero", "--step", "0").out
        self.assertTrue(out.startswith("zero: "), out)
        self.assertIn("rounding: none", out)
        base, zero = tensors(cli.MODEL), tensors(self.folder / "zero")
        self.assertEqual(sorted(base), sorted(zero))
        for name in base:
            self.assertEqual(base[name].dtype, zero[name].dtype)
            self.assertEqual(base[name].numpy().tobytes(), zero[name].numpy().tobytes(), name)
        self.run_ok("run", "run.yaml", "trainer.steps=2", "output=short")
        self.run_ok("export", "out", "at2", "--step=2")
        self.run_ok("export", "short", "short_end")
        two, end = (self.folder / name / "model.safetensors" for name in ("at2", "short_end"))
        self.assertEqual(two.read_bytes(), end.read_bytes())
        self.assertNotEqual(two.read_bytes(), (self.folder / "zero/model.safetensors").read_bytes())

    def test_a_type_rounds_every_tensor_and_says_what_it_costs(self):
        self.run_ok("run", "run.yaml")
        self.run_ok("export", "out", "whole")
        for name, dtype in (("float32", torch.float32), ("float16", torch.float16), ("bfloat16", torch.bfloat16)):
            out = self.run_ok("export", "--dtype", name, "out", name).out
            self.assertIn("rounding: none" if name == "float32" else "rounding: RMS error", out)
            rounded = tensors(self.folder / name)
            for key, tensor in tensors(self.folder / "whole").items():
                self.assertTrue(torch.equal(rounded[key], tensor.to(dtype)), key)

    def test_a_base_that_was_moved_is_found_by_model_path(self):
        moved = self.folder / "base"
        moved.mkdir()
        for file in cli.MODEL.iterdir():
            (moved / file.name).write_bytes(file.read_bytes())
        self.run_ok("run", "run.yaml", "model.path=base")
        moved.rename(self.folder / "elsewhere")
        self.fails(5, ["export", "out", "copy"], "no such file", str(moved))
        self.run_ok("export", "out", "copy", "model.path=elsewhere")
        self.fails(2, ["export", "out", "b", "model.path=elsewhere", "trainer.steps=9"], "trainer.steps: replaying repeats")
        self.fails(2, ["export", "out", "b", "--dtype", "float16", "nonsense"], "argument 6")
        (self.folder / "elsewhere/model.safetensors").write_bytes((self.folder / "copy/model.safetensors").read_bytes())
        self.fails(5, ["export", "out", "b", "model.path=elsewhere"], "b")


@unittest.skipIf(IS_FILE, "skipped: about folders")
class Refusing(cli.Case):
    def refused(self, code, arguments, *parts):
        seen = lambda: {p: p.is_file() and p.read_bytes() for p in self.folder.rglob("*")}
        before = seen()
        self.fails(code, ["export", *arguments], *parts)
        self.assertEqual(seen(), before)

    def test_what_cannot_be_exported(self):
        self.run_ok("run", "run.yaml")
        self.run_ok("eval", "run.yaml", "output=only")
        self.refused(6, ["absent", "copy"], "no such run folder: absent")
        self.refused(6, ["only", "copy"], "holds no trajectory.mezo")
        self.refused(6, ["out", "copy", "--step", "5"], "no step 5", "steps 0 to 4")
        self.refused(2, ["out", "copy", "--format", "hg"], "unknown format 'hg'; did you mean 'hf'? (known: hf, peft)")
        self.refused(2, ["out", "copy", "--format", "onnx"], "unknown format 'onnx' (known: hf, peft)")
        self.refused(2, ["out", "copy", "--dtype", "int8"], "auto, float32, float16 or bfloat16, got 'int8'")
        self.refused(2, ["out"], "PATH")

    def test_a_path_that_is_taken(self):
        self.run_ok("run", "run.yaml")
        self.write("full/mine.txt", "mine")
        self.refused(6, ["out", "full"], "expected a new folder, got one with files in it")
        self.refused(6, ["out", "full/mine.txt"], "expected a new folder, got a file of this name")
        self.refused(6, ["out", "out"], "expected a new folder")
        # Before anything is replayed, which may take long.
        self.refused(6, ["absent", "full"], "expected a new folder")
        (self.folder / "empty").mkdir()
        self.run_ok("export", "out", "empty")

    def test_a_disk_that_fills_up_leaves_nothing_but_the_run(self):
        self.run_ok("run", "run.yaml")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

        for path in ("copy", "a/b/copy"):
            result = self.mezo("export", "out", path, preexec_fn=limit)
            self.assertEqual((result.code, result.out), (6, ""), result.err)
            self.assertIn("nothing was written", result.err)
            self.assertIn("File too large", result.err)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir() if p.is_dir()), ["out"])
        self.run_ok("export", "out", "copy")


@unittest.skipUnless(IS_FILE, "skipped: about a model that takes a moment to write")
class Interrupting(cli.Case):
    def test_a_signal_leaves_nothing_behind(self):
        self.run_ok(*RUN, "trainer.steps=1", "task.test_size=1")
        process = self.start("export", "out", "copy")
        while not list(self.folder.glob(".copy.*.tmp/config.json")):
            self.assertIsNone(process.poll(), self.stderr())
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 6)
        self.assertIn("interrupted", self.stderr())
        self.assertEqual([p.name for p in self.folder.iterdir() if p.is_dir()], ["out"])


cli.main()
