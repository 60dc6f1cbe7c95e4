"""LoRA and prefix tuning: adapters to and from the peft package, merged weights, replay, resume, and what stands in the way.

As the other scripts here, on a tiny model. Exits with 77 where peft, transformers or safetensors is absent.
"""

import json
import pathlib
import shutil
import sys

import cli
from peft_oracle import TEXTS, Case, peft, safetensors, torch, transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "zo"))
import make_goldens  # the directions in plain integers

LORA = ["peft.type=lora", "peft.rank=4", "optimizer.learning_rate=3e-2"]
PREFIX = ["peft.type=prefix", "peft.length=3", "optimizer.learning_rate=1e-1"]
AS_PEFT = PREFIX + ["peft.positions=peft"]


class ToPeft(Case):
    def check(self, *settings):
        self.run_ok("eval", "run.yaml", "output=zero")
        self.run_ok("run", "run.yaml", "--overwrite", *settings)
        self.assertMoved(self.scores("zero"), self.scores())
        shutil.rmtree(self.folder / "adapter", ignore_errors=True)
        self.run_ok("export", "out", "adapter", "--format", "peft")
        for folder in ("adapter", "out/adapter"):
            self.check_scores(self.lines("out/predictions.jsonl"), peft.PeftModel.from_pretrained(self.base(), self.folder / folder).eval())
        self.run_ok("eval", "run.yaml", "--overwrite", settings[0], "peft.adapter=adapter", "output=again")
        self.assertEqual(self.scores("again"), self.scores())
        shutil.rmtree(self.folder / "zero")

    def test_a_trained_lora_scores_the_same_there(self):
        self.check(*LORA)
        self.check(*LORA, "peft.rslora=true", "peft.alpha=3")
        self.check(*LORA, "peft.targets=[q_proj, k_proj, '*.layers.1.*']")

    def test_a_trained_prefix_scores_the_same_there(self):
        self.check(*AS_PEFT)
        self.check(*AS_PEFT, "peft.start=random", "optimizer.probes=3")

    def test_a_type_for_the_file(self):
        self.run_ok("run", "run.yaml", *LORA)
        self.run_ok("export", "out", "half", "--format", "peft", "--dtype", "bfloat16")
        kept = safetensors.torch.load_file(self.folder / "out/adapter/adapter_model.safetensors")
        for name, tensor in safetensors.torch.load_file(self.folder / "half/adapter_model.safetensors").items():
            self.assertTrue(torch.equal(tensor, kept[name].bfloat16()), name)


class FromPeft(Case):
    def made(self, config, **how):
        self.save(config, **how)
        return self.load()

    def check(self, mode, config, *settings, **how):
        model = self.made(config, **how)
        result = self.run_ok("eval", "run.yaml", "--overwrite", f"peft.type={mode}", "peft.adapter=made", *settings)
        self.assertNotIn("warning", result.err)
        self.check_scores(self.lines("out/predictions.jsonl"), model)
        # Training goes on from it.
        self.run_ok("run", "run.yaml", "--overwrite", f"peft.type={mode}", "peft.adapter=made", "trainer.steps=0", "output=start")
        self.assertEqual(self.scores("start"), self.scores())
        self.run_ok("run", "start/config.yaml", "trainer.steps=2", "output=trained")
        self.assertIn("as the run recorded it", self.run_ok("replay", "trained", "--verify").out)
        shutil.rmtree(self.folder / "trained")

    def test_lora(self):
        self.check("lora", peft.LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
        self.check("lora", peft.LoraConfig(r=2, lora_alpha=3, use_rslora=True, target_modules="all-linear", task_type="CAUSAL_LM",
                                           rank_pattern={"layers.1.self_attn.q_proj": 5}))
        self.check("lora", peft.LoraConfig(r=2, target_modules=["k_proj"], lora_dropout=0.1), dtype=torch.bfloat16)

    def test_prefix(self):
        self.check("prefix", peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))
        self.check("prefix", peft.PrefixTuningConfig(num_virtual_tokens=1, task_type="CAUSAL_LM"), dtype=torch.float16)

    def test_the_configuration_that_is_recorded_is_the_adapters(self):
        self.made(peft.LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj"]))
        self.run_ok("run", "run.yaml", "peft.type=lora", "peft.adapter=made")
        text = (self.folder / "out/config.yaml").read_text()
        self.assertIn("rank: 4", text)
        self.assertIn("alpha: 6", text)

    def test_tensors_of_another_shape_are_known_before_any_weight_is_read(self):
        for mode, config in (("lora", peft.LoraConfig(r=4, target_modules=["q_proj"])),
                             ("prefix", peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))):
            self.made(config)
            path = self.folder / "made/adapter_model.safetensors"
            tensors = safetensors.torch.load_file(path)
            name = next(name for name in tensors if "lora_B" in name or "prompt" in name)
            tensors[name] = tensors[name][:, :-1].contiguous()
            safetensors.torch.save_file(tensors, path)
            self.fails(5, ["validate", "run.yaml", f"peft.type={mode}", "peft.adapter=made"], f"tensor {name}: expected shape")

    def test_settings_that_contradict_the_adapter_are_refused(self):
        def refused(code, mode, *parts):
            self.fails(code, ["eval", "run.yaml", f"peft.type={mode}", "peft.adapter=made"], *parts)

        self.made(peft.LoraConfig(r=4, target_modules=["q_proj"]))
        refused(2, "prefix", "holds an adapter of peft_type LORA, expected PREFIX_TUNING")
        self.made(peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))
        self.fails(2, ["run", "run.yaml", "peft.type=prefix", "peft.adapter=made", "peft.length=4"], "length: the adapter", "has 3")
        self.fails(2, ["run", "run.yaml", "peft.type=prefix", "peft.adapter=made", "peft.positions=paper"], "shifts positions")
        (self.folder / "made/adapter_model.safetensors").rename(self.folder / "made/adapter_model.bin")
        refused(2, "prefix", "adapter_model.bin is a pickle")
        shutil.rmtree(self.folder / "made")
        refused(2, "lora", "peft.adapter: no such file")


class Merging(Case):
    def test_a_merged_model_scores_as_base_and_adapter(self):
        # Small steps: after large ones on every projection, transformers itself is 1e-4 apart from its float64.
        everywhere = ["peft.type=lora", "peft.rank=4", "optimizer.learning_rate=3e-3", "peft.rslora=true", "peft.targets=['*proj']"]
        for settings in (LORA, everywhere):
            self.run_ok("run", "run.yaml", "--overwrite", *settings)
            shutil.rmtree(self.folder / "copy", ignore_errors=True)
            self.run_ok("export", "out", "copy")
            self.check_scores(self.lines("out/predictions.jsonl"), transformers.AutoModelForCausalLM.from_pretrained(self.folder / "copy").eval())

    def test_what_cannot_be_expressed_is_refused_with_its_reason(self):
        self.run_ok("run", "run.yaml", *PREFIX)
        with self.assertRaises((KeyError, ValueError)):  # what it would compute with it is something else
            peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(cli.MODEL), self.folder / "out/adapter")
        self.fails(2, ["export", "out", "copy"], "prefix: a prefix is no change of the model's weights")
        self.fails(2, ["export", "out", "copy", "--format", "peft"], "shifts the tokens' positions", "peft.positions: paper")
        self.run_ok("run", "run.yaml", "output=full")
        self.fails(2, ["export", "full", "copy", "--format", "peft"], "trained the model's own weights")
        self.assertFalse((self.folder / "copy").exists())


class Starting(Case):
    def initial(self, output="out"):
        return safetensors.torch.load_file(self.folder / output / "initial.safetensors")

    def test_lora_begins_with_the_base_and_kaiming_uniform_draws(self):
        self.run_ok("eval", "run.yaml", "output=zero")
        self.run_ok("run", "run.yaml", *LORA, "trainer.steps=0", "trainer.seed=3")
        self.assertEqual(self.scores(), self.scores("zero"))
        for name, tensor in self.initial().items():
            if "lora_B" in name:
                self.assertFalse(tensor.any())
                continue
            key = make_goldens.key_of(3, name + " start")
            draws = [make_goldens.philox((i, 0, 0, 0), key) for i in range(tensor.numel() // 4)]
            uniform = torch.tensor([(w >> 8) * 2.0**-23 - 1 for block in draws for w in block], dtype=torch.float32)
            bound = torch.tensor(1 / tensor.shape[1] ** 0.5, dtype=torch.float32)
            self.assertTrue(torch.equal(tensor.flatten(), uniform * bound), name)

    def test_a_prefix_begins_with_activations_of_random_tokens(self):
        self.run_ok("run", "run.yaml", *PREFIX, "trainer.steps=0", "trainer.seed=3")
        key = make_goldens.key_of(3, "tokens start")
        entries = len(transformers.AutoTokenizer.from_pretrained(cli.MODEL))
        tokens = [make_goldens.philox((i, 0, 0, 0), key)[0] * entries >> 32 for i in range(3)]
        with torch.no_grad():
            cache = self.base()(torch.tensor([tokens]), use_cache=True).past_key_values
        for layer in range(2):
            for part, theirs in (("key", cache.layers[layer].keys), ("value", cache.layers[layer].values)):
                mine = self.initial()[f"prefix.{layer}.{part}"]
                self.assertLess((theirs[0].transpose(0, 1) - mine).abs().max().item(), 1e-5)

    def test_without_a_shift_positions_begin_at_0(self):
        self.run_ok("run", "run.yaml", *PREFIX, "trainer.steps=0")
        initial = self.initial()

        def cache(_):
            cache = transformers.DynamicCache()
            for layer in range(2):
                cache.update(*(initial[f"prefix.{layer}.{part}"].transpose(0, 1).unsqueeze(0) for part in ("key", "value")), layer)
            return cache

        self.check_scores(self.lines("out/predictions.jsonl"), self.base(), past_key_values=cache,
                          position_ids=lambda n: torch.arange(n).unsqueeze(0))


class Training(Case):
    def test_replay_and_resume_are_those_of_every_run(self):
        environment = self.environment()
        for settings in (LORA, PREFIX, LORA + ["optimizer.probes=2", "model.dtype=bfloat16"]):
            with self.subTest(settings):
                common = ["run", "run.yaml", *settings, "trainer.flush_every=1", "trainer.steps=6"]
                self.run_ok(*common, "--overwrite")
                shutil.copytree(self.folder / "out", self.folder / "whole")
                # As after a kill: no result, and the trajectory ends in the middle of a record.
                path = self.folder / "out/trajectory.mezo"
                for name in ("result.json", "predictions.jsonl"):
                    (self.folder / "out" / name).unlink()
                path.write_bytes(path.read_bytes()[:-50])
                self.assertIn("torn bytes", self.run_ok(*common, "--resume").err)
                for name in ("trajectory.mezo", "metrics.jsonl", "predictions.jsonl", "initial.safetensors"):
                    self.assertEqual(*((self.folder / o / name).read_bytes() for o in ("whole", "out")), name)
                self.environment = lambda: dict(environment, OMP_NUM_THREADS="2")
                self.assertIn("as the run recorded it", self.run_ok("replay", "whole", "--verify").out)
                self.environment = lambda: environment
                shutil.rmtree(self.folder / "whole")

    def test_a_missing_or_altered_start_is_an_error(self):
        self.run_ok("run", "run.yaml", *LORA)
        path = self.folder / "out/initial.safetensors"
        tensors = safetensors.torch.load_file(path)
        name = next(iter(tensors))
        tensors[name][0, 0] += 1
        safetensors.torch.save_file(tensors, path)
        self.fails(5, ["replay", "out"], f"tensor {name} has other values")
        del tensors[name]
        safetensors.torch.save_file(tensors, path)
        self.fails(6, ["replay", "out"], "has other tensors than the adapter")
        path.unlink()
        self.fails(6, ["replay", "out"], "initial.safetensors", "is missing")

    def test_only_the_adapter_trains(self):
        self.run_ok("run", "run.yaml", *LORA)
        self.run_ok("export", "out", "copy", "--step", "0")
        base, copy = (safetensors.torch.load_file(pathlib.Path(f) / "model.safetensors") for f in (cli.MODEL, self.folder / "copy"))
        for name in base:
            self.assertTrue(torch.equal(base[name], copy[name]), name)

    def test_targets_are_counted_and_a_wrong_one_is_told(self):
        said = self.run_ok("run", "run.yaml", *LORA, "peft.targets=[q_proj, '*layers.0.*v_proj']").err
        self.assertIn("lora: rank 4, alpha 16 on 3 linear maps (2 q_proj, 1 v_proj), ", said)
        self.fails(2, ["run", "run.yaml", *LORA, "peft.targets=[q_prj]", "--overwrite"], "'q_prj' matches no linear map; did you mean 'q_proj'?")
        self.fails(2, ["validate", "run.yaml", *LORA, "peft.targets=[embed_tokens]"], "take no LoRA")
        self.fails(2, ["validate", "run.yaml", *LORA, "peft.targets=[]"], "name at least one")

    def test_all_streams_share_a_forward_unless_matrices_train(self):
        for settings, streams in ((LORA, "together"), (PREFIX, "together"), (["peft.include=['*norm*']"], "together"), ([], "turns")):
            self.run_ok("run", "run.yaml", "--overwrite", "optimizer.probes=2", *settings)
            self.assertIn(f"streams: {streams}", (self.folder / "out/config.yaml").read_text())
        self.run_ok("run", "run.yaml", *PREFIX, "optimizer.probes=3", "output=a")
        self.run_ok("run", "run.yaml", *PREFIX, "optimizer.probes=3", "optimizer.streams=turns", "output=b")
        for a, b in zip(self.steps("a"), self.steps("b"), strict=True):
            self.assertAlmostEqual(a["loss"], b["loss"], delta=1e-5)


class Presets(Case):
    def test_every_preset_is_a_run_that_could_start(self):
        self.write("rows.jsonl", "".join(json.dumps({"sentence": text, "label": i % 2, "answer": text}) + "\n"
                                             for i, text in enumerate(TEXTS)))
        data = [f"task.{split}=rows.jsonl" for split in ("train", "dev", "test")]
        folder = pathlib.Path(__file__).resolve().parents[2] / "configs/experiments"
        for preset, rate, epsilon in (("opt-sst2-full", "1e-06", "0.001"), ("opt-sst2-lora", "0.0001", "0.01"),
                                      ("opt-sst2-prefix", "0.01", "0.1"), ("opt-30m-sst2-full", "3e-05", "0.001"),
                                      ("opt-30m-sst2-lora", "0.001", "0.01"), ("opt-30m-sst2-prefix", "0.3", "0.1"),
                                      ("opt-30m-sst2-accuracy", "0.0001", "0.003"), ("opt-30m-sst2-f1", "0.0001", "0.003")):
            said = self.run_ok("validate", folder / f"{preset}.yaml", f"model.path={cli.MODEL}", *data).out
            self.assertIn(f"learning rate {rate}, epsilon {epsilon}\n", said, preset)


cli.main()
