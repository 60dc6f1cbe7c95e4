"""The real model of the quickstart, a GGUF file: checked in a moment, kept quantised or not, and refused when it is damaged."""

import time

import cli
import trajectory

VECTORS = "peft.include=['*norm*']"  # what trains beside a base that stays as its file has it


class Gguf(cli.Case):
    def test_validate_reads_no_weights(self):
        begin = time.monotonic()
        self.assertIn("ok: model llama, 8 train, no dev and 6 test examples", self.run_ok("validate", "run.yaml").out)
        self.assertLess(time.monotonic() - begin, 10)  # about a second where nothing else runs

    def test_a_download_that_broke_off_is_refused(self):
        with open(cli.MODEL, "rb") as file:
            head = file.read(8_000_000)
        for size in (0, 3, 100, 100_000, 8_000_000):
            self.write("part.gguf", head[:size])
            for verb in ("validate", "run"):
                self.fails(5, [verb, "run.yaml", "model.path=part.gguf"], "part.gguf")
        self.assertFalse((self.folder / "out/config.yaml").exists())

    def test_it_scores_the_same_kept_as_its_file_has_it_or_dequantised(self):
        kept = self.run_ok("eval", "run.yaml", "optimizer.storage=file", "output=kept").err
        wide = self.run_ok("eval", "run.yaml", "output=wide").err
        self.assertEqual(*((self.folder / o / "predictions.jsonl").read_bytes() for o in ("kept", "wide")))
        self.assertIn("kept in Q4_1 (0.10 GB)", kept)
        self.assertNotIn("note: the file's", kept)
        self.assertIn("note: the file's Q4_1 and Q8_0 weights (0.10 GB) are kept as float32 (0.54 GB), as training needs them; "
                      "optimizer.storage=file leaves them\n", wide)
        self.assertEqual([self.result(o)["storage"] for o in ("kept", "wide")], ["Q4_1", "float32"])
        for output, storage in (("kept", "file"), ("wide", "float32")):
            self.assertIn(f"  storage: {storage}\n", (self.folder / output / "config.yaml").read_text())

    def test_an_evaluation_keeps_it_as_training_in_the_same_mode_would(self):
        for mode in ("lora", "prefix"):
            said = self.run_ok("eval", "run.yaml", "--overwrite", f"peft.type={mode}").err
            self.assertIn("kept in Q4_1 (0.10 GB)", said)

    def test_quantised_weights_are_not_trained(self):
        for verb in ("validate", "run"):
            self.fails(2, [verb, "run.yaml", "optimizer.storage=file"], "quantised weights cannot be trained",
                       "model.embed_tokens.weight in Q", "peft full trains it")
        self.assertIn("(0.54 GB), since they train\n", self.run_ok("run", "run.yaml", "trainer.steps=0").err)

    def test_a_base_that_does_not_train_stays_quantised_through_run_resume_replay_and_export(self):
        arguments = ["run", "run.yaml", VECTORS, "optimizer.learning_rate=1e-3", "optimizer.epsilon=1e-2"]
        self.assertIn("kept in Q4_1 (0.10 GB)", self.run_ok(*arguments, "trainer.steps=3").err)
        self.run_ok(*arguments, "trainer.steps=5", "--resume")
        self.run_ok(*arguments, "trainer.steps=5", "output=once")
        self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)
        self.assertEqual(*(trajectory.read(self.folder / o / "trajectory.mezo").ends[-1] for o in ("out", "once")))
        self.run_ok(*arguments, "trainer.steps=5", "optimizer.storage=float32", "output=wide")
        self.assertEqual(*(self.lines(f"{o}/metrics.jsonl") for o in ("once", "wide")))
        self.run_ok("export", "out", "copy")
        self.run_ok("eval", "out/config.yaml", "model.path=copy", "output=again")
        self.assertEqual(*((self.folder / o / "predictions.jsonl").read_bytes() for o in ("out", "again")))


cli.main()
