"""What `mezo serve` says for a run: at theta what transformers generates with the weights that were exported, and at theta +- epsilon z what
it generates with those weights perturbed here, along z in plain integers (tests/zo/make_goldens.py). And a training step on generated texts
has the losses of the texts that its streams are served with.
"""

import collections
import functools
import json
import pathlib
import re
import string
import struct
import sys

import cli
import serving
from peft_oracle import peft, safetensors, torch, transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "zo"))
import make_goldens  # the directions in plain integers

SEED, EPSILON, TOKENS = 5, 0.05, 12
PROMPTS = ["The film", "I laughed and", "Two hours of"]
STREAMS = [(0, 1), (0, -1), (1, 1), (1, -1)]
RUN = [f"trainer.seed={SEED}", f"optimizer.epsilon={EPSILON}", "optimizer.probes=2", "optimizer.learning_rate=3e-3"]


@functools.cache
def direction(name, step, probe, shape):
    key, table = make_goldens.key_of(SEED, name), make_goldens.read_table()
    bits = []
    for block in range((shape.numel() + 7) // 8):
        for word in make_goldens.philox(make_goldens.counter_of(block, step, probe, make_goldens.DIRECTION), key):
            bits += [table[half % 2048] + (half >> 15 << 31) for half in (word & 0xFFFF, word >> 16)]
    values = struct.unpack(f"<{len(bits)}f", struct.pack(f"<{len(bits)}I", *bits))
    return torch.tensor(values[: shape.numel()], dtype=torch.float64).reshape(shape)


def perturbed(tensor, name, step, probe, sign):
    epsilon = sign * torch.tensor(EPSILON, dtype=torch.float32).double()
    return (tensor.double() + epsilon * direction(name, step, probe, tensor.shape)).float()


def f1(text, answers):
    """As SQuAD's evaluation counts it."""
    def words(s):
        s = "".join(c for c in s.lower() if c not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", s).split()

    def one(a, b):
        common = sum((collections.Counter(a) & collections.Counter(b)).values())
        return 2 * common / (len(a) + len(b)) if common else float(a == b == [])
    return max(one(words(text), words(answer)) for answer in answers)


class Streams(serving.Case):
    def generated(self, model):
        tokenizer = transformers.AutoTokenizer.from_pretrained(cli.MODEL)
        texts = []
        for prompt in PROMPTS:
            ids = torch.tensor([tokenizer(prompt)["input_ids"]])
            new = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS)[0, ids.shape[1]:].tolist()
            ends = model.generation_config.eos_token_id
            texts.append(tokenizer.decode(new[:-1] if new[-1] == ends else new, skip_special_tokens=True, clean_up_tokenization_spaces=False))
        return texts

    def check(self, port, step, theta, model_of):
        """`model_of(probe, sign)`: a model of transformers."""
        seen = []
        _, models = self.ask(port, "GET", "/v1/models")
        served = models["data"][0]["mezo"]
        self.assertEqual((served["step"], [(s["probe"], s["sign"]) for s in served["streams"]]), (step, STREAMS))
        for probe, sign in STREAMS:
            answer = self.completion(port, prompt=PROMPTS, max_tokens=TOKENS, mezo={"step": step, "probe": probe, "sign": sign})
            self.assertEqual({key: answer["mezo"]["stream"][key] for key in ("probe", "sign")}, {"probe": probe, "sign": sign})
            self.assertAlmostEqual(answer["mezo"]["stream"]["epsilon"], EPSILON, delta=1e-8)
            texts = [choice["text"] for choice in answer["choices"]]
            self.assertEqual(texts, self.generated(model_of(probe, sign)))
            seen.append(texts)
        again = self.texts(port, prompt=PROMPTS, max_tokens=TOKENS, mezo={"step": step})
        self.assertEqual(again, theta)  # no stream leaves a trace
        for one in seen:
            self.assertNotEqual(one, theta)
        self.assertGreater(len({tuple(one) for one in seen}), 2)

    def test_full(self):
        self.run_ok("run", "run.yaml", *RUN)
        self.run_ok("export", "out", "step2", "--step", "2")
        model = transformers.AutoModelForCausalLM.from_pretrained(self.folder / "step2", dtype=torch.float32).eval()
        tensors = safetensors.torch.load_file(self.folder / "step2/model.safetensors")
        with self.serving("out", "--step", "2") as port:
            theta = self.texts(port, prompt=PROMPTS, max_tokens=TOKENS)
            self.assertEqual(theta, self.generated(model))

            def model_of(probe, sign):
                model.load_state_dict({name: perturbed(t, name, 2, probe, sign) for name, t in tensors.items()}, strict=False)
                return model
            self.check(port, 2, theta, model_of)

    def test_lora_at_the_end(self):
        self.run_ok("run", "run.yaml", *RUN, "peft.type=lora", "peft.rank=2", "optimizer.learning_rate=1")
        base = transformers.AutoModelForCausalLM.from_pretrained(cli.MODEL, dtype=torch.float32)
        model = peft.PeftModel.from_pretrained(base, self.folder / "out/adapter").eval()
        tensors = safetensors.torch.load_file(self.folder / "out/adapter/adapter_model.safetensors")
        with self.serving("out") as port:
            theta = self.texts(port, prompt=PROMPTS, max_tokens=TOKENS)
            self.assertEqual(theta, self.generated(model))

            def model_of(probe, sign):
                peft.set_peft_model_state_dict(model, {name: perturbed(t, name.removeprefix("base_model.model."), 4, probe, sign)
                                                       for name, t in tensors.items()})
                return model
            self.check(port, 4, theta, model_of)

    def test_only_streams_of_the_step_at_hand_are_served(self):
        self.run_ok("run", "run.yaml", *RUN, "optimizer.estimate=one_sided")
        with self.serving("out", "--step", "2") as port:
            for asked, param, part in (({"step": 4, "probe": 0, "sign": 1}, "mezo.step", "stand at step 2, got 4"),
                                       ({"step": 3}, "mezo.step", "--step 3"),
                                       ({"step": 2, "probe": 2, "sign": 1}, "mezo.probe", "probe 0 sign 1, probe 1 sign 1)"),
                                       ({"step": 2, "probe": 0, "sign": -1}, "mezo.probe", "no stream of probe 0 sign -1"),
                                       ({"step": 2, "probe": 0, "sign": 0}, "mezo.sign", "1 or -1")):
                status, answer = self.ask(port, "POST", "/v1/completions", json.dumps({"prompt": "a", "mezo": asked}))
                self.assertEqual((status, answer["error"]["param"]), (400, param), answer)
                self.assertIn(part, answer["error"]["message"])
            self.completion(port, prompt="a", mezo={"step": 2, "probe": 1, "sign": 1})

    def test_a_step_has_the_epsilon_that_it_was_taken_with(self):
        self.run_ok("run", "run.yaml", "trainer.steps=2", "optimizer.epsilon=0.01")
        self.run_ok("run", "run.yaml", "--resume", "trainer.steps=4", "optimizer.epsilon=0.04")
        for step, epsilon in ((1, 0.01), (2, 0.04), (4, 0.04)):
            with self.serving("out", "--step", step) as port:
                served = self.ask(port, "GET", "/v1/models")[1]["data"][0]["mezo"]
                self.assertEqual([round(s["epsilon"] * s["sign"], 6) for s in served["streams"]], [epsilon, -epsilon])

    def test_a_step_of_training_had_the_losses_of_these_texts(self):
        """The weights stay, so that answers can be made of the texts that steps 0 and 2 are going to sample."""
        self.write("texts.yaml", f'prompt: "{{text}}"\nanswers: answers\nmax_new_tokens: {TOKENS}\n')
        rows = [{"text": text, "answers": ["unknown"]} for text in cli.TEXTS]

        def run():
            self.write("texts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
            self.run_ok("run", "run.yaml", "--overwrite", "task.file=texts.yaml", "task.train=texts.jsonl", "task.test=texts.jsonl",
                        "objective.type=f1", "generation.temperature=0.8", "generation.seed=3", f"trainer.seed={SEED}",
                        "optimizer.epsilon=0.02", "optimizer.learning_rate=0", "trainer.steps=3", "trainer.batch_size=8")

        run()
        texts = {}
        for step in (0, 2):
            with self.serving("out", "--step", step) as port:
                for sign in (1, -1):
                    texts[step, sign] = self.texts(port, prompt=cli.TEXTS, mezo={"step": step, "probe": 0, "sign": sign})
        for i, row in enumerate(rows):
            row["answers"] = [texts[0, 1 if i % 3 else -1][i] + " " + texts[2, -1 if i % 3 else 1][i]]
        run()
        for step in (0, 2):
            losses = [-sum(f1(text, row["answers"]) for text, row in zip(texts[step, sign], rows)) / 8 for sign in (1, -1)]
            self.assertNotEqual(losses[0], losses[1])
            recorded = self.steps()[step]
            self.assertAlmostEqual(recorded["loss"], sum(losses) / 2, delta=1e-6)
            self.assertAlmostEqual(recorded["projected_gradient"][0], (losses[0] - losses[1]) / 0.04, delta=1e-4)


if __name__ == "__main__":
    cli.main()
