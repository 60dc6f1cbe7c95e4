"""Adapter folders as people have them: saved by the peft package in its many ways, renamed, moved, cut.

As the other scripts here, on a tiny model. Each scores as in the peft package or is refused by what was found and what to do.
"""

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

    def test_tensors_of_other_types(self):
        for mode, config in (("lora", QV), ("prefix", PREFIX)):
            for dtype in (torch.float16, torch.bfloat16):
                self.save(config, dtype)
                self.scores_as_peft(mode)
            self.save(config, torch.float64)
            self.refused(5, mode, "expected F32, F16 or BF16, got F64; save the adapter again in float32")


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
