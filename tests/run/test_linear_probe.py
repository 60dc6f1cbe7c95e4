"""A linear probe against scikit-learn's LogisticRegressionCV on hidden rows of transformers.

As the other scripts here, on a tiny model. Exits with 77 where scikit-learn, torch or transformers is absent.
"""

import json
import sys
import warnings

import cli

try:
    import numpy
    import torch
    import transformers
    from sklearn.linear_model import LogisticRegressionCV
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
transformers.logging.disable_progress_bar()

PROBE = ["optimizer.type=linear_probe"]
WORDS = ["warm", "dull", "great", "old", "bold", "loud", "funny", "quiet", "strange", "awake", "music", "plot"]


class Probe(cli.Case):
    def setUp(self):
        super().setUp()
        self.write("run.yaml", cli.CONFIG.replace("MODEL", str(cli.MODEL)).replace(", epsilon: 1e-2", ""))

    def rows(self, name, count, classes, seed):
        """Sentences whose label the words tell, mostly."""
        draw = numpy.random.default_rng(seed)
        rows = []
        for _ in range(count):
            words = draw.choice(len(WORDS), 3)
            noise = draw.random() < 0.15
            rows.append({"text": " ".join(WORDS[w] for w in words), "label": int((words[2] + noise) % classes)})
        self.write(name, "".join(json.dumps(row) + "\n" for row in rows))
        return rows

    def features(self, rows):
        tokenizer = transformers.AutoTokenizer.from_pretrained(cli.MODEL)
        model = transformers.AutoModelForCausalLM.from_pretrained(cli.MODEL, dtype=torch.float32).eval()
        with torch.no_grad():
            return torch.stack([model.base_model(torch.tensor([tokenizer(row["text"] + " It was")["input_ids"]])).last_hidden_state[0, -1]
                                for row in rows]).double().numpy()

    def check(self, classes):
        options = ", ".join(f'{i}: " {word}"' for i, word in enumerate(["terrible", "great", "old"][:classes]))
        self.write("toy.yaml", f'prompt: "{{text}} It was"\noptions: {{{options}}}\n')
        train, test = self.rows("train.jsonl", 60, classes, 1), self.rows("test.jsonl", 40, classes, 2)
        out = self.run_ok("run", "run.yaml", "--overwrite", *PROBE).out
        self.assertIn("linear probe ", out)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = LogisticRegressionCV(Cs=10, cv=5, fit_intercept=False, tol=1e-8, max_iter=20000)
            theirs.fit(self.features(train), [row["label"] for row in train])
        result = self.result()
        self.assertEqual(result["method"], "linear_probe")
        chosen = float(numpy.ravel(theirs.C_)[0])
        self.assertLess(abs(numpy.log10(result["probe"]["inverse_strength"] / chosen)), 1e-6)
        features, lines = self.features(test), self.lines("out/predictions.jsonl")
        shares = theirs.predict_log_proba(features)
        worst = max(abs(s - share[int(k)]) for line, share in zip(lines, shares, strict=True) for k, s in line["scores"].items())
        predicted = [int(line["prediction"]) for line in lines]
        ties = sum(a != b for a, b in zip(predicted, theirs.predict(features)))
        print(f"{classes} classes, C {chosen:g}: largest difference {worst:.2e}, {ties} other predictions")
        self.assertLess(worst, 1e-4)
        self.assertEqual(ties, 0)
        right = numpy.mean([p == row["label"] for p, row in zip(predicted, test)])
        self.assertAlmostEqual(result["after"]["accuracy"], right)

    def test_two_classes(self):
        self.check(2)

    def test_three_classes(self):
        self.check(3)

    def test_what_a_probe_cannot_do(self):
        self.write("own.yaml", 'prompt: "{text} It was"\noptions: {0: " {text}", 1: " great"}\n')
        self.fails(2, ["run", "run.yaml", *PROBE, "task.file=own.yaml"], "options of each example's own")
        self.fails(2, ["run", "run.yaml", *PROBE, "peft.type=lora"], "leave the peft block out")
        self.write("train.jsonl", '{"text": "a", "label": 1}\n' * 8)
        self.fails(2, ["run", "run.yaml", *PROBE], "have one label")

    def test_its_folder_holds_no_weights(self):
        self.run_ok("run", "run.yaml", *PROBE)
        for arguments in (["predict", "out", "--prompt", "Dull."], ["export", "out", "copy"], ["replay", "out"], ["eval", "out"]):
            self.fails(6, arguments, "is a run of linear_probe, which trains no weight", "out/predictions.jsonl")


if __name__ == "__main__":
    cli.main()
