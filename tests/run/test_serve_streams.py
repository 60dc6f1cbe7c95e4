"""What `mezo serve` says for a run: at theta what transformers generates with the weights that were exported, and at theta +- epsilon z what
it generates with those weights perturbed here, along z in plain integers (tests/zo/make_goldens.py). And a training step on generated texts
has the losses of the texts that its streams are served with.
"""

import collections
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


def direction(name, step, probe, shape):
    key, table = make_goldens.key_of(SEED, name), make_goldens.read_table()
    bits = [make_goldens.bits_of_z(table, key, step, probe, element) for element in range(shape.numel())]
    return torch.tensor(struct.unpack(f"<{len(bits)}f", struct.pack(f"<{len(bits)}I", *bits)), dtype=torch.float64).reshape(shape)


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
        for step in (2, 4):
            with self.subTest(step), self.serving("out", "--step", step) as port:
                self.run_ok("export", "out", f"step{step}", "--step", step)
                tensors = safetensors.torch.load_file(self.folder / f"step{step}/model.safetensors")
                model = transformers.AutoModelForCausalLM.from_pretrained(self.folder / f"step{step}", dtype=torch.float32).eval()
                theta = self.texts(port, prompt=PROMPTS, max_tokens=TOKENS)
                self.assertEqual(theta, self.generated(model))

                def model_of(probe, sign):
                    model.load_state_dict({name: perturbed(t, name, step, probe, sign) for name, t in tensors.items()}, strict=False)
                    return model
                self.check(port, step, theta, model_of)

    def test_lora(self):
        self.run_ok("run", "run.yaml", *RUN, "peft.type=lora", "peft.rank=2", "optimizer.learning_rate=1")
        self.run_ok("export", "out", "step3", "--step", "3", "--format", "peft")
        base = transformers.AutoModelForCausalLM.from_pretrained(cli.MODEL, dtype=torch.float32)
        model = peft.PeftModel.from_pretrained(base, self.folder / "step3").eval()
        tensors = safetensors.torch.load_file(self.folder / "step3/adapter_model.safetensors")
        names = {f"base_model.model.{name}": name for name in safetensors.torch.load_file(self.folder / "out/initial.safetensors")}
        self.assertEqual(set(names), set(tensors))
        with self.serving("out", "--step", "3") as port:
            theta = self.texts(port, prompt=PROMPTS, max_tokens=TOKENS)
            self.assertEqual(theta, self.generated(model))

            def model_of(probe, sign):
                peft.set_peft_model_state_dict(model, {name: perturbed(t, names[name], 3, probe, sign) for name, t in tensors.items()})
                return model
            self.check(port, 3, theta, model_of)

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

    def test_a_step_of_training_had_the_losses_of_these_texts(self):
        self.write("texts.yaml", f'prompt: "{{text}}"\nanswers: answers\nmax_new_tokens: {TOKENS}\n')
        sampling = ["generation.temperature=0.8", "generation.seed=3"]
        with self.serving(cli.MODEL, "task.file=texts.yaml", *sampling) as port:  # answers that are sometimes half right
            answers = self.texts(port, prompt=cli.TEXTS, temperature=0)
        rows = [{"text": text, "answers": [answer]} for text, answer in zip(cli.TEXTS, answers)]
        self.write("texts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        self.run_ok("run", "run.yaml", "task.file=texts.yaml", "task.train=texts.jsonl", "task.test=texts.jsonl", "objective.type=f1", *sampling,
                    f"trainer.seed={SEED}", "optimizer.epsilon=0.02", "optimizer.learning_rate=1e-4", "trainer.steps=3", "trainer.batch_size=8")
        for step in (0, 2):
            with self.serving("out", "--step", step) as port:
                losses = [-sum(f1(text, row["answers"]) for text, row in zip(self.texts(port, prompt=cli.TEXTS, mezo={"step": step, "probe": 0, "sign": sign}), rows)) / 8
                          for sign in (1, -1)]
            recorded = self.steps()[step]
            self.assertNotEqual(losses[0], losses[1])
            self.assertAlmostEqual(recorded["loss"], sum(losses) / 2, delta=1e-6)
            gradient, = recorded["projected_gradient"]
            self.assertAlmostEqual(gradient, (losses[0] - losses[1]) / 0.04, delta=1e-4)


if __name__ == "__main__":
    cli.main()
