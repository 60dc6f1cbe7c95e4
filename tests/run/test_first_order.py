"""Adam against PyTorch's AdamW on transformers' models and the peft package's LoRA: the loss of every step and the scores after.

As the other scripts here, on a tiny model. Exits with 77 where torch, transformers, peft or safetensors is absent.
"""

import cli
from peft_oracle import OPTIONS, TEXTS, Case, peft, safetensors, torch, transformers

STEPS = 5
ADAM = ["optimizer.type=adam", "optimizer.learning_rate=3e-3", f"trainer.steps={STEPS}", f"trainer.batch_size={len(TEXTS)}"]


def loss_of(model):
    """Cross-entropy over the options of all training examples, in float32."""
    tokenizer, losses = transformers.AutoTokenizer.from_pretrained(cli.MODEL), []
    for i, text in enumerate(TEXTS):
        scores = []
        for option in OPTIONS.values():
            prompt, whole = tokenizer(text + " It was")["input_ids"], tokenizer(text + " It was" + option)["input_ids"]
            shares = model(torch.tensor([whole])).logits[0].log_softmax(-1)
            scores.append(torch.stack([shares[j - 1, whole[j]] for j in range(len(prompt), len(whole))]).mean())
        losses.append(-torch.stack(scores).log_softmax(-1)[i % 2])
    return torch.stack(losses).mean()


def oracle(model, steps=STEPS, clip=None, **options):
    """Losses of AdamW's steps; matrices alone decay. The model is left as they left it."""
    decay = options.pop("weight_decay", 0.0)
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.dim() > 1], "weight_decay": decay},
              {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0}]
    optimizer, losses = torch.optim.AdamW(groups, **({"lr": 3e-3} | options)), []
    for _ in range(steps):
        loss = loss_of(model)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
    return losses


class FirstOrder(Case):
    def setUp(self):
        super().setUp()
        self.write("run.yaml", cli.CONFIG.replace("MODEL", str(cli.MODEL)).replace(", epsilon: 1e-2", ""))


class AgainstTorch(FirstOrder):
    def check(self, model, *settings, **options):
        result = self.run_ok("run", "run.yaml", "--overwrite", *ADAM, *settings)
        self.assertNotIn("warning", result.err)
        losses, mine = oracle(model, **options), [line["loss"] for line in self.steps()]
        self.assertEqual(len(mine), STEPS)
        for a, b in zip(losses, mine):
            self.assertLess(abs(a - b), 1e-4, (losses, mine))
        self.check_scores(self.lines("out/predictions.jsonl"), model.eval())
        self.assertLess(losses[-1], losses[0] - 0.1)

    def test_full(self):
        self.check(self.base())
        self.assertEqual(self.result()["method"], "adam full")
        self.assertGreater(self.result()["moments_bytes"], 0)
        self.assertNotIn("projected_gradient", self.steps()[0])
        self.assertFalse((self.folder / "out/trajectory.mezo").exists())
        # The folder that is left is the trained model, to the last bit of its scores.
        self.run_ok("eval", "run.yaml", "model.path=out/model", "output=again")
        self.assertEqual(self.scores("again"), self.scores())

    def test_settings(self):
        self.check(self.base(), "optimizer.weight_decay=0.3", "optimizer.max_grad_norm=0.5", "optimizer.beta1=0.8", "optimizer.beta2=0.9",
                   "optimizer.adam_epsilon=1e-3", weight_decay=0.3, clip=0.5, betas=(0.8, 0.9), eps=1e-3)

    def test_parts_of_a_batch_are_the_batch(self):
        self.check(self.base(), "trainer.micro_batch=3")

    def test_some_of_the_parameters(self):
        model = self.base()
        for name, parameter in model.named_parameters():
            parameter.requires_grad_("layers.1." in name)
        self.check(model, "peft.include=['*layers.1.*']")

    def test_lora(self):
        self.run_ok("run", "run.yaml", "peft.type=lora", "peft.rank=4", "trainer.steps=0", "output=start")
        model = peft.get_peft_model(self.base(), peft.LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
        initial = safetensors.torch.load_file(self.folder / "start/initial.safetensors")
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                own = next(v for k, v in initial.items() if name.replace(".default", "").endswith(k.split("layers.")[-1]))
                parameter.data.copy_(own)
        self.check(model, "peft.type=lora", "peft.rank=4", "optimizer.learning_rate=3e-2", lr=3e-2)
        self.assertEqual(self.result()["method"], "adam lora")
        self.run_ok("eval", "run.yaml", "peft.type=lora", "peft.adapter=out/adapter", "output=again")
        self.assertEqual(self.scores("again"), self.scores())

    def test_prefix_learns(self):
        self.run_ok("run", "run.yaml", *ADAM, "peft.type=prefix", "peft.length=3", "optimizer.learning_rate=3e-2")
        losses = [line["loss"] for line in self.steps()]
        self.assertLess(losses[-1], losses[0] - 0.1)
        self.run_ok("run", "run.yaml", "--overwrite", *ADAM, "peft.type=prefix", "peft.length=3", "optimizer.learning_rate=3e-2",
                    "trainer.micro_batch=1", "output=parts")
        for a, b in zip(losses, [line["loss"] for line in self.steps("parts")], strict=True):
            self.assertLess(abs(a - b), 1e-4)


class Mistakes(FirstOrder):
    def test_what_gradients_do_not_allow(self):
        self.fails(2, ["run", "run.yaml", *ADAM, "objective.type=accuracy"], "the objective accuracy has none", "cross_entropy")
        self.fails(2, ["validate", "run.yaml", *ADAM, "objective.type=accuracy"], "the objective accuracy has none")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.storage=bfloat16"], "float32 only")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.storage=file"], "float32 only")
        self.fails(2, ["run", "run.yaml", *ADAM, "model.dtype=float16"], "model.dtype=bfloat16")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.learning_rate=auto"], "needs one of its own")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.distribution=rademacher"], "draws no directions")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.probes=2"], "unknown key 'probes'")
        self.fails(2, ["run", "run.yaml", *ADAM, "optimizer.epsilon=1e-3"], "unknown key 'epsilon'")

    def test_a_folder_of_a_run_says_what_it_has(self):
        self.run_ok("run", "run.yaml", *ADAM)
        for arguments in (["predict", "out", "--prompt", "Dull."], ["export", "out", "copy"], ["replay", "out"], ["eval", "out"]):
            self.fails(6, arguments, "is a run of adam", "its trained model is the folder", "out/model")
        self.run_ok("predict", "out/model", "--prompt", "Dull.")
        self.run_ok("run", "run.yaml", *ADAM, "peft.type=lora", "output=lora")
        self.fails(6, ["replay", "lora"], "is a run of adam", "peft.type=lora peft.adapter=lora/adapter")

    def test_a_resume_begins_anew_or_has_nothing_to_do(self):
        self.assertIn("starts from the beginning", self.run_ok("run", "run.yaml", *ADAM, "--resume").err)
        self.assertIn("all 5 steps were done", self.run_ok("run", "run.yaml", *ADAM, "--resume").err)
        self.fails(6, ["run", "run.yaml", *ADAM, "trainer.steps=6", "--resume"], "holds the result of an earlier run")
        self.fails(6, ["run", "run.yaml", "--resume"], "holds the result of an earlier run")
        self.run_ok("run", "run.yaml", "output=mezo")
        self.fails(2, ["run", "run.yaml", *ADAM, "output=mezo", "--resume"], "holds the trajectory")

    def test_a_model_that_is_there_stays(self):
        self.write("out/model/config.json", "{}")
        self.fails(6, ["run", "run.yaml", *ADAM], "is there already")
        self.assertEqual((self.folder / "out/model/config.json").read_text(), "{}")
        # One that a run wrote goes with the rest of it.
        self.run_ok("run", "run.yaml", *ADAM, "output=other")
        self.run_ok("run", "run.yaml", "--overwrite", "output=other")
        self.assertFalse((self.folder / "other/model").exists())

    def test_a_run_that_diverges_is_stopped(self):
        self.fails(6, ["run", "run.yaml", *ADAM, "optimizer.learning_rate=1e5", "trainer.steps=40"], "smaller optimizer.learning_rate")


if __name__ == "__main__":
    cli.main()
