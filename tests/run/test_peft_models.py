"""Adapters of real models in the peft package: SmolLM2, whose base stays quantised, and an OPT.

  test_peft_models.py MEZO SMOLLM2.gguf PLUGINS OPT-FOLDER

Skipped, by name, where SmolLM2, peft or transformers is absent; without the OPT its case alone is.
"""

import json
import pathlib
import sys
import unittest

import cli

try:
    import peft
    import torch
    import transformers

    from transformers_scores import mean_share
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
transformers.logging.disable_progress_bar()
OPT = pathlib.Path(sys.argv.pop(4)).absolute()

LORA = ["peft.type=lora", "optimizer.learning_rate=1e-3", "optimizer.epsilon=1e-2"]
PREFIX = ["peft.type=prefix", "peft.positions=peft", "optimizer.learning_rate=1e-2", "optimizer.epsilon=1e-1"]


class RealModels(cli.Case):
    def check(self, base, *model):
        """What was trained scores the same there, and what the peft package saves again scores the same here."""
        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
        self.run_ok("eval", "run.yaml", "task.bos=none", *model, "output=zero")
        for mode in (LORA, PREFIX):
            self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=10", "task.bos=none", *model, *mode)
            theirs = peft.PeftModel.from_pretrained(
                transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), self.folder / "out/adapter").eval()
            worst = moved = 0
            for line, before in zip(self.lines("out/predictions.jsonl"), self.lines("zero/predictions.jsonl"), strict=True):
                for label, option in (("0", " terrible"), ("1", " great")):
                    score = mean_share(theirs, tokenizer, cli.TEXTS[line["index"]] + " It was", option)
                    worst = max(worst, abs(score - line["scores"][label]))
                    moved = max(moved, abs(score - before["scores"][label]))
            print(f"{mode[0]}: largest difference {worst:.2e}, moved by up to {moved:.2f}")
            self.assertLess(worst, 1e-4)
            self.assertGreater(moved, 1e-3)
            theirs.save_pretrained(self.folder / "again")
            self.run_ok("eval", "run.yaml", "--overwrite", "task.bos=none", *model, mode[0], "peft.adapter=again", "output=back")
            self.assertEqual(*([line["scores"] for line in self.lines(f"{o}/predictions.jsonl")] for o in ("out", "back")))

    def test_smollm2_whose_base_stays_quantised(self):
        self.run_ok("run", "run.yaml", "trainer.steps=0", "output=base")
        self.run_ok("export", "base", "folder", "--dtype", "float32")
        self.check(self.folder / "folder")
        self.assertEqual(json.loads((self.folder / "out/result.json").read_text())["storage"], "Q4_1")

    def test_opt_30m(self):
        if not (OPT / "model.safetensors").exists():
            self.skipTest(f"no model at {OPT}")
        self.check(OPT, f"model.path={OPT}")


cli.main()
