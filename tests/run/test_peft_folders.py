"""Adapter folders as people have them: saved by the peft package in its many ways, renamed, moved, cut.

As the other scripts here, on a tiny model. Each scores as in the peft package or is refused by what was found and what to do.
"""

import json
import shutil

import cli
from peft_oracle import Case, peft, safetensors, torch, transformers

MERGE = "merge the adapter into its base"
LORA = dict(r=4, lora_alpha=6, task_type="CAUSAL_LM")
QV = peft.LoraConfig(**LORA, target_modules=["q_proj", "v_proj"])
PREFIX = peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")


class AlteredBases(Case):
    def test_a_start_that_altered_the_base_is_refused(self):
        for start in ("pissa", "pissa_niter_4", "olora"):
            self.save(peft.LoraConfig(**LORA, target_modules=["q_proj", "v_proj"], init_lora_weights=start))
            self.refused(5, "lora", "init_lora_weights", "path_initial_model_for_weight_conversion", f'got "{start}"')

    def test_what_the_package_converts_scores_as_the_model_that_was_trained(self):
        for start in ("pissa", "olora"):
            model = peft.get_peft_model(self.base(), peft.LoraConfig(**LORA, target_modules=["q_proj", "v_proj"], init_lora_weights=start))
            model.peft_config["default"].init_lora_weights = True
            model.save_pretrained(self.folder / "begin")
            model.peft_config["default"].init_lora_weights = start
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.data += 0.2
            model.save_pretrained(self.folder / "made", path_initial_model_for_weight_conversion=str(self.folder / "begin"))
            model.set_adapter("default")
            self.run_ok(*self.evaluation("lora"))
            self.check_scores(self.lines("out/predictions.jsonl"), model.eval())
            self.scores_as_peft("lora")


class MoreThanLinearMaps(Case):
    def test_adapters_of_the_vocabulary_are_refused(self):
        for target in ("lm_head", "embed_tokens"):
            self.save(peft.LoraConfig(**LORA, target_modules=["q_proj", target]), save_embedding_layers=False)
            self.refused(5, "lora", f"{target}.lora_", "embeddings and the vocabulary head take no LoRA here", MERGE)

    def test_saved_embeddings_are_refused(self):
        self.save(QV, save_embedding_layers=True)
        self.refused(5, "lora", "tensor base_model.model.lm_head.weight (and 1 like it) cannot be read: it would replace a part of the base", "save_embedding_layers=False")

    def test_what_else_trains_is_refused_by_its_key(self):
        for key, more in (("modules_to_save", {"modules_to_save": ["lm_head"]}), ("trainable_token_indices", {"trainable_token_indices": [1, 2]}),
                          ("use_dora", {"use_dora": True}), ("bias", {"bias": "all"}), ("bias", {"bias": "lora_only"}),
                          ("lora_bias", {"lora_bias": True}), ("target_parameters", {"target_parameters": ["q_proj.weight"]})):
            self.save(peft.LoraConfig(**LORA, target_modules=["v_proj"], **more))
            self.refused(5, "lora", f"adapter_config.json] {key}: adapters that use it cannot be read", MERGE)

    def test_their_tensors_are_refused_where_the_configuration_is_silent(self):
        self.save(peft.LoraConfig(**LORA, target_modules=["v_proj"], use_dora=True))
        self.change_config(use_dora=False)
        self.refused(5, "lora", "lora_magnitude_vector", "a map has lora_A.weight and lora_B.weight only")
        self.save(peft.LoraConfig(**LORA, target_modules=["v_proj"], modules_to_save=["lm_head"]))
        self.change_config(modules_to_save=None)
        self.refused(5, "lora", "tensor base_model.model.lm_head.weight", MERGE)


class Targets(Case):
    def check(self, **how):
        self.save(peft.LoraConfig(**LORA, **how))
        self.scores_as_peft("lora")

    def test_modules_are_named_as_the_package_names_them(self):
        self.check(target_modules="all-linear", exclude_modules=["down_proj", "layers.0.self_attn.q_proj"])
        self.check(target_modules="all-linear", exclude_modules=r".*mlp.*")
        self.check(target_modules=["q_proj", "v_proj"], layers_to_transform=[1])
        self.check(target_modules=["q_proj", "v_proj"], layers_to_transform=1, layers_pattern=["layers", "h"])
        self.check(target_modules=["q_proj", "model.layers.1.self_attn.v_proj"], layers_to_transform=[0])
        # As one of the trainers around the package writes it.
        self.check(target_modules=r"(?:.*?(?:language|text).*?(?:self_attn|mlp).*?(?:q_proj|up_proj).*?)|"
                                  r"(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|mlp)\.(?:(?:q_proj|up_proj)))")

    def test_patterns_mean_what_they_mean_in_python(self):
        for pattern in (r".*[qv]_proj", r"(?!.*k_proj).*attn.*_proj", r"^.*q_proj$", r".*\.self_attn\.[a-q]_proj", r"model.layers.(0|1).mlp.(up|down)_proj",
                        r".*attn.*?[^ko]_proj", r".*\bq_proj\b", r".*q_proj|.*up_proj", r".*\.\d\..{4,9}\.[qk].*", r"model(\.\w+)+\.q_proj"):
            self.check(target_modules=pattern)
        for pattern in (r".*\.(?P<part>q)_proj", r".*q_proj\Z", r".*(?<!k)_proj", r"(?s:.*q_proj)", r".*+q_proj", r".*([]q])_proj", r".*\.(q)_(\1|p)roj",
                        "((a{1000}){1000}){1000}", "(?=.*" * 5 + "q_proj" + ")" * 5):
            self.change_config(target_modules=pattern)
            self.refused(5, "lora", "target_modules: the pattern", "cannot be read (", "; write the names of the modules")

        for pattern in ("(a+|.+)+!", "((.*)*)*((.*)*)*!", "(" * 2000 + "q_proj" + ")" * 2000):  # none takes long
            self.change_config(target_modules=pattern)
            self.refused(5, "lora", "cannot be read: target_modules")

    def test_ranks_and_alphas_by_pattern(self):
        self.check(target_modules=["q_proj", "v_proj"], rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 1.5})
        self.check(target_modules=["q_proj", "up_proj"], rank_pattern={r"layers\.[1-9]\..*": 2}, alpha_pattern={r"mlp\.\w+": 3}, use_rslora=True)
        self.check(target_modules=["q_proj"], rank_pattern={"^model.layers.0.self_attn.q_proj": 3}, alpha_pattern={"1.self_attn.q_proj": 9})

    def test_alphas_by_pattern_go_on_into_training_export_and_merging(self):
        self.save(peft.LoraConfig(**LORA, target_modules=["q_proj", "v_proj"], alpha_pattern={"v_proj": 1.5}))
        self.run_ok("run", "run.yaml", "peft.type=lora", "peft.adapter=made", "optimizer.learning_rate=1e-3")
        self.check_scores(self.lines("out/predictions.jsonl"), self.load("out/adapter"))
        self.run_ok("export", "out", "merged")
        merged = transformers.AutoModelForCausalLM.from_pretrained(self.folder / "merged", dtype=torch.float32)
        self.check_scores(self.lines("out/predictions.jsonl"), merged.eval())


class Names(Case):
    def test_tensors_that_the_package_would_not_find_are_refused(self):
        for old, new, what in (("lora_A.weight", "lora_A.default.weight", "save_pretrained, which leaves an adapter's name out"),
                               ("base_model.model.", "", "names begin with 'base_model.model.'"),
                               ("model.layers", "model.language_model.layers", "no such linear map, but 'model.layers.0.self_attn.q_proj'"),
                               ("model.layers", "language_model.model.layers", "no such linear map"),
                               ("q_proj.lora_A", "q_proj.lora_C", "lora_A.weight and lora_B.weight only"),
                               ("layers.1.", "layers.7.", "no such linear map")):
            self.save(QV)
            self.change_tensors(lambda tensors: {name.replace(old, new): tensor for name, tensor in tensors.items()})
            self.refused(5, "lora", "cannot be read: ", what)

    def test_a_tensor_too_many_or_too_few_is_refused(self):
        self.save(QV)
        self.change_tensors(lambda tensors: tensors | {"base_model.model.strange.weight": torch.ones(2)})
        self.refused(5, "lora", "tensor base_model.model.strange.weight cannot be read")
        for part in ("layers.1.self_attn.v_proj.lora_A", "layers.1.self_attn.v_proj.lora_B", "layers.1.self_attn.v_proj"):
            self.save(QV)
            self.change_tensors(lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name})
            self.refused(5, "lora", "names 'model.layers.1.self_attn.v_proj', for which the folder has no tensor", "is it whole")
        self.save(PREFIX)
        self.change_tensors(lambda tensors: tensors | {"base_model.model.lm_head.weight": torch.ones(2)})
        self.refused(5, "prefix", "a prefix is the tensor prompt_embeddings alone")
        self.change_tensors(lambda tensors: {"prompt_encoder.default.embedding.weight": tensors["prompt_embeddings"]})
        self.refused(5, "prefix", "prompt_encoder.default.embedding.weight", "a prefix is the tensor prompt_embeddings alone")

    def test_a_projected_prefix_is_the_keys_and_values_that_were_saved(self):
        self.save(peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM", prefix_projection=True, encoder_hidden_size=8))
        self.scores_as_peft("prefix")

    def test_a_prefix_without_a_task_is_refused_as_the_package_does_not_apply_it(self):
        self.save(PREFIX)
        self.change_config(task_type=None)
        tokens = torch.tensor([[5, 6, 7]])
        self.assertTrue(torch.equal(self.load()(tokens).logits, self.base()(tokens).logits))
        self.refused(5, "prefix", "task_type", "for null not at all; set CAUSAL_LM")

    def test_tensors_of_other_types(self):
        for mode, config in (("lora", QV), ("prefix", PREFIX)):
            for dtype in (torch.float16, torch.bfloat16):
                self.save(config, dtype)
                self.scores_as_peft(mode)
            self.save(config, torch.float64)
            self.refused(5, mode, "expected F32, F16 or BF16, got F64; save the adapter again in float32")


class Reports(Case):
    """What users of the package have asked about."""

    def test_names_that_a_wrapper_left(self):
        for wrapper in ("_orig_mod.", "_fsdp_wrapped_module.", "module.", "base_model.model."):
            self.save(QV)
            self.change_tensors(lambda tensors: {name.replace("model.layers", wrapper + "model.layers"): t for name, t in tensors.items()})
            self.refused(5, "lora", "the model was saved in a wrapper, whose name stands in it; unwrap it")

    def test_tensors_that_were_saved_empty(self):
        for mode, config in (("lora", QV), ("prefix", PREFIX)):
            for shape in ((0,), (0, 32)):
                self.save(config)
                self.change_tensors(lambda tensors: {name: torch.zeros(shape) for name in tensors})
                self.refused(5, mode, "is empty; gather the adapter's weights")

    def test_a_configuration_of_an_old_version(self):
        self.save(QV)
        self.write("made/adapter_config.json", json.dumps({
            "base_model_name_or_path": "a/base", "bias": "none", "enable_lora": None, "fan_in_fan_out": False, "inference_mode": True,
            "lora_alpha": 6, "lora_dropout": 0.05, "merge_weights": False, "modules_to_save": None, "peft_type": "LORA", "r": 4,
            "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}))
        self.scores_as_peft("lora")
        self.change_config(enable_lora=[True, False, True])
        self.refused(5, "lora", "enable_lora: this key is not known")

    def test_other_kinds_of_adapters(self):
        for config, kind in ((peft.IA3Config(target_modules=["k_proj"], feedforward_modules=[]), "IA3"),
                             (peft.LoHaConfig(target_modules=["k_proj"]), "LOHA"),
                             (peft.AdaLoraConfig(target_modules=["q_proj"], total_step=10), "ADALORA"), (PREFIX, "PREFIX_TUNING")):
            self.save(config)
            self.refused(2, "lora", f"holds an adapter of peft_type {kind}, expected LORA", "set peft.type to a mode that reads it, or merge")

        self.save(QV)
        self.change_config(peft_type="lora")
        self.refused(2, "lora", "peft_type lora, expected LORA in capitals")

    def test_the_head_of_a_classifier(self):
        model = transformers.AutoModelForSequenceClassification.from_pretrained(cli.MODEL)
        config = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="SEQ_CLS")
        peft.get_peft_model(model, config).save_pretrained(self.folder / "made")
        self.refused(5, "lora", "modules_to_save: adapters that use it cannot be read", "score")

    def test_a_vocabulary_that_grew(self):
        model = self.base()
        model.resize_token_embeddings(model.config.vocab_size + 8)
        peft.get_peft_model(model, QV).save_pretrained(self.folder / "made", save_embedding_layers=True)
        self.refused(5, "lora", "it would replace a part of the base")

    def test_ranks_by_data_have_a_pattern_for_every_map(self):
        names = [f"model.layers.{layer}.self_attn.{part}" for layer in range(2) for part in ("q_proj", "v_proj")]
        self.save(peft.LoraConfig(**LORA, target_modules=names, rank_pattern={name: 2 + i for i, name in enumerate(names)},
                                  alpha_pattern={name: 3.5 + i for i, name in enumerate(names)}))
        self.scores_as_peft("lora")

    def test_the_start_may_be_any_that_leaves_the_base(self):
        for start in ("gaussian", "orthogonal", "mica", False):
            self.save(peft.LoraConfig(**LORA, target_modules=["q_proj", "v_proj"], init_lora_weights=start))
            self.scores_as_peft("lora")

    def test_an_adapter_that_was_saved_again_and_one_that_was_added_up(self):
        self.save(QV)
        model = peft.PeftModel.from_pretrained(self.base(), self.folder / "made", adapter_name="one")
        model.load_adapter(self.folder / "made", adapter_name="two")
        model.add_weighted_adapter(["one", "two"], [0.5, 0.7], combination_type="cat", adapter_name="sum")
        model.set_adapter("sum")
        model.save_pretrained(self.folder / "all")
        for name in ("one", "sum"):
            self.scores_as_peft("lora", f"all/{name}")


class Folders(Case):
    def test_an_adapter_with_a_name_lies_in_a_folder_of_its_own(self):
        model = peft.get_peft_model(self.base(), QV, adapter_name="style")
        model.save_pretrained(self.folder / "made")
        self.refused(2, "lora", "made/adapter_config.json cannot be read", "made/style?")
        self.run_ok(*self.evaluation("lora", "made/style"))
        shutil.copytree(self.folder / "made/style", self.folder / "made/other")
        self.refused(2, "lora", "made/other or ", "made/style?")

    def test_what_is_no_adapter_folder(self):
        self.save(QV)
        self.refused(2, "lora", "give the folder that the file lies in", folder="made/adapter_model.safetensors")
        self.refused(2, "lora", "this is a model's folder, which model.path takes", folder=cli.MODEL)
        shutil.copy(self.folder / "made/adapter_model.safetensors", self.folder / "weights")
        weights = safetensors.torch.load_file(self.folder / "weights")
        (self.folder / "made/adapter_model.safetensors").unlink()
        torch.save(weights, self.folder / "made/adapter_model.bin")
        self.refused(2, "lora", "adapter_model.bin is a pickle", "save it again (save_pretrained)")


cli.main()
