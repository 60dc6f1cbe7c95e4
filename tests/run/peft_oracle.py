"""What the scripts here share that compare adapters with the peft package: folders that it makes, and its scores.

Ends the script with 77 where peft, transformers or safetensors is absent.
"""

import copy
import functools
import json
import shutil
import sys

import cli

try:
    import peft
    import safetensors.torch
    import torch
    import transformers

    from transformers_scores import mean_share
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
transformers.logging.disable_progress_bar()

OPTIONS = {"0": " terrible", "1": " great"}  # of cli.TASK
TEXTS = ["Dull.", "A great cast.", "I laughed.", "So old."]  # short enough for the tiny OPT and a prefix


class Case(cli.Case):
    def setUp(self):
        super().setUp()
        rows = [json.dumps({"text": text, "label": i % 2}) + "\n" for i, text in enumerate(TEXTS)]
        for name in ("train.jsonl", "test.jsonl"):
            self.write(name, "".join(rows))

    @functools.cache
    def _base():
        return transformers.AutoModelForCausalLM.from_pretrained(cli.MODEL, dtype=torch.float32).eval()

    def base(self):
        return copy.deepcopy(Case._base())

    def check_scores(self, predictions, model, **forward):
        """The largest difference to transformers' scores is small, and the scores are not all alike."""
        tokenizer = transformers.AutoTokenizer.from_pretrained(cli.MODEL)
        worst = 0
        for text, line in zip(TEXTS, predictions, strict=True):
            for label, option in OPTIONS.items():
                score = mean_share(model, tokenizer, text + " It was", option, **forward)
                worst = max(worst, abs(score - line["scores"][label]))
        print(f"largest difference {worst:.2e}")
        self.assertLess(worst, 1e-4)

    def scores(self, output="out"):
        return [line["scores"] for line in self.lines(f"{output}/predictions.jsonl")]

    def assertMoved(self, a, b):
        self.assertGreater(max(abs(x[k] - y[k]) for x, y in zip(a, b, strict=True) for k in x), 1e-3)

    def save(self, config, dtype=torch.float32, folder="made", **how):
        """A folder as the peft package saves it, with values that move every score."""
        model = peft.get_peft_model(self.base(), config)
        torch.manual_seed(1)
        for name, parameter in model.named_parameters():
            if "lora_" in name or "prompt" in name:
                parameter.data.normal_(0, 0.3)
                parameter.data = parameter.data.to(dtype)
        shutil.rmtree(self.folder / folder, ignore_errors=True)
        model.save_pretrained(self.folder / folder, **how)

    def load(self, folder="made"):
        return peft.PeftModel.from_pretrained(self.base(), self.folder / folder).eval()

    def change_config(self, folder="made", **keys):
        path = self.folder / folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    def change_tensors(self, change, folder="made"):
        """`change` is given a dictionary of the tensors and returns another."""
        path = self.folder / folder / "adapter_model.safetensors"
        safetensors.torch.save_file(change(safetensors.torch.load_file(path)), path, {"format": "pt"})

    def evaluation(self, mode, folder="made"):
        return ["eval", "run.yaml", "--overwrite", f"peft.type={mode}", f"peft.adapter={folder}"]

    def scores_as_peft(self, mode, folder="made"):
        """Without a warning, and not as the base alone."""
        self.assertNotIn("warning", self.run_ok(*self.evaluation(mode, folder)).err)
        self.check_scores(self.lines("out/predictions.jsonl"), self.load(folder))
        if not (self.folder / "zero").exists():
            self.run_ok("eval", "run.yaml", "output=zero")
        self.assertMoved(self.scores("zero"), self.scores())

    def refused(self, code, mode, *parts, folder="made"):
        said = self.fails(code, self.evaluation(mode, folder), *parts).err
        print(said.strip())
