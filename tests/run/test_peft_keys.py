"""Every key of adapter_config.json: an adapter that uses it scores as in the peft package, or is refused by name.

As the other scripts here, on a tiny model. The tables have every field of the package's configurations, so that one which a new version
adds is seen. `AS_PEFT`: what such a folder scores is compared; a text: a part of the refusal.
"""

import dataclasses

import cli
from peft_oracle import Case, peft

AS_PEFT = object()
MERGE = "merge the adapter into its base"
START = "its start altered the base"
OF_ALL = {
    "peft_type": [("lora", "holds an adapter of peft_type lora, expected")],
    "auto_mapping": [({"base_model_class": "LlamaForCausalLM", "parent_library": "transformers"}, AS_PEFT)],
    "peft_version": [("0.99.0", AS_PEFT), (None, AS_PEFT)],
    "base_model_name_or_path": [("someone/another-base", AS_PEFT), (None, AS_PEFT)],
    "revision": [("main", AS_PEFT)],
    "inference_mode": [(False, AS_PEFT), (True, AS_PEFT)],
}
LORA = {
    "task_type": [("CAUSAL_LM", AS_PEFT), (None, AS_PEFT), ("FEATURE_EXTRACTION", AS_PEFT), ("SEQ_CLS", AS_PEFT)],
    "r": [(5, "rank 5, but tensor base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight has 4"), (0, "r: expected 1 to 65536, got 0"),
          (None, "r: expected an integer, got nothing")],
    "lora_alpha": [(3, AS_PEFT), (2.5, AS_PEFT), (None, "lora_alpha: expected a number, got nothing"), (0, "lora_alpha: expected a number above 0")],
    "use_rslora": [(True, AS_PEFT)],
    "rank_pattern": [({"layers.1.self_attn.q_proj": 4, "q_proj": 4}, AS_PEFT), ({"q_proj": 3}, "rank 3, but tensor"),
                     ([3], "rank_pattern: expected an object, got [3]"), ({"q_proj": "4"}, "rank_pattern: expected a number for 'q_proj', got \"4\"")],
    "alpha_pattern": [({"q_proj": 9}, AS_PEFT), ({"^model.*1.self_attn.v_proj": 1.5, r"layers\.\d+\.self_attn\.(q|v)_proj": 20}, AS_PEFT),
                      ({"v_proj": 3, "layers.1.self_attn.v_proj": 20}, AS_PEFT), ({"layers.1.self_attn.v_proj": 20, "v_proj": 3}, AS_PEFT),
                      ({"proj": 9}, AS_PEFT), ({"(?i)Q_PROJ": 9}, "the pattern '(?i)Q_PROJ' cannot be read ('(?i' in it)")],
    "target_modules": [(r".*\.(q|v)_proj", AS_PEFT), (["self_attn.q_proj", "v_proj", "nothing"], AS_PEFT),
                       (["q_proj"], "layers.0.self_attn.v_proj.lora_A.weight (and 3 like it) cannot be read: target_modules, "), ("all-linear", "names 'model.layers.0.self_attn.k_proj'"),
                       (r"(?<=self_attn\.)q_proj", "cannot be read ('(?<' in it)"), (None, "target_modules: expected the names of the maps"),
                       (["q_proj", "v_proj", "k_proj"], "names 'model.layers.0.self_attn.k_proj', for which the folder has no tensor"),
                       ([], "(and 7 like it) cannot be read: "), (7, "target_modules: expected names or a pattern, got 7"),
                       ("model.layers.(0.self_attn", "the pattern 'model.layers.(0.self_attn' cannot be read")],
    "exclude_modules": [(["k_proj", "lm_head"], AS_PEFT), ([], AS_PEFT), (["layers.1.self_attn.v_proj"], "layers.1.self_attn.v_proj.lora_A.weight (and 1 like it)"),
                        (r".*\.0\..*", "layers.0.self_attn.q_proj.lora_A.weight (and 3 like it)")],
    "layers_to_transform": [([0, 1], AS_PEFT), ([], AS_PEFT), ([1], "layers.0.self_attn.q_proj.lora_A.weight (and 3 like it)"), (0, "layers.1.self_attn.q_proj.lora_A.weight (and 3 like it)")],
    "layers_pattern": [(None, AS_PEFT), (3, "layers_pattern: expected names, got 3")],
    "lora_dropout": [(0.5, AS_PEFT)],
    "fan_in_fan_out": [(True, AS_PEFT)],
    "loftq_config": [({"loftq_bits": 4, "loftq_iter": 1}, AS_PEFT)],
    "eva_config": [({"rho": 2.0}, AS_PEFT)],
    "corda_config": [({"corda_method": "kpm"}, AS_PEFT)],
    "lora_ga_config": [({"direction": "ArB2r"}, AS_PEFT)],
    "qalora_group_size": [(32, AS_PEFT)],
    "megatron_core": [("megatron.core", AS_PEFT), (None, AS_PEFT)],
    "ensure_weight_tying": [(True, AS_PEFT)],
    "init_lora_weights": [(True, AS_PEFT), (False, AS_PEFT), ("gaussian", AS_PEFT), ("eva", AS_PEFT), ("orthogonal", AS_PEFT), ("mica", AS_PEFT),
                          *((start, f'{START} that it was trained beside; save it as plain LoRA')
                            for start in ("pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "loftq", "lora_ga", "of a new version"))],
    "bias": [("none", AS_PEFT), ("all", MERGE), ("lora_only", MERGE)],
    "modules_to_save": [([], AS_PEFT), (["lm_head"], MERGE)],
    "trainable_token_indices": [([1, 2], MERGE), ({"embed_tokens": [1]}, MERGE)],
    "target_parameters": [([], AS_PEFT), (["mlp.experts"], MERGE)],
    "layer_replication": [([], AS_PEFT), ([[0, 2], [1, 2]], MERGE)],
    "megatron_config": [({}, AS_PEFT), ({"tensor_model_parallel_size": 2}, MERGE)],
    "lora_bias": [(False, AS_PEFT), (True, MERGE)],
    "use_dora": [(False, AS_PEFT), (True, MERGE)],
    "use_qalora": [(False, AS_PEFT), (True, MERGE)],
    "use_bdlora": [({"target_modules_bd_a": ["q_proj"]}, MERGE)],
    "alora_invocation_tokens": [([1, 2], MERGE)],
    "arrow_config": [({"top_k": 3}, MERGE)],
    "kasa_config": [({"beta": 1e-4}, MERGE)],
    "velora_config": [({"num_groups": 4}, MERGE)],
    "monteclora_config": [({"num_samples": 8}, MERGE)],
}
PREFIX = {
    "task_type": [("CAUSAL_LM", AS_PEFT), ("FEATURE_EXTRACTION", AS_PEFT), (None, "task_type: adapters that use it cannot be read"),
                  ("SEQ_CLS", "set CAUSAL_LM")],
    "num_virtual_tokens": [(4, "tensor prompt_embeddings: expected shape [4, "), (None, "num_virtual_tokens: expected an integer, got nothing")],
    "token_dim": [(None, AS_PEFT), (99, "token_dim: this model needs ")],
    "num_layers": [(None, AS_PEFT), (9, "num_layers: this model needs 2")],
    "num_attention_heads": [(None, AS_PEFT), (99, "num_attention_heads: this model needs ")],
    "num_transformer_submodules": [(None, AS_PEFT), (1, AS_PEFT), (2, "for an encoder and a decoder")],
    "prefix_projection": [(False, AS_PEFT), (True, AS_PEFT)],
    "encoder_hidden_size": [(7, AS_PEFT), (None, AS_PEFT)],
    "init_weights": [("zero", AS_PEFT)],
    "modules_to_save": [(["lm_head"], "a prefix cannot be merged")],
}


class Keys(Case):
    def check(self, mode, config, table):
        fields = {field.name for field in dataclasses.fields(type(config))} - {"runtime_config"}
        self.assertEqual(fields, set(table), "the peft package has other keys than this table")
        self.save(config)
        whole = (self.folder / "made/adapter_config.json").read_text()
        for key, cases in table.items():
            for value, outcome in cases:
                with self.subTest(f"{key}: {value}"):
                    print(f"{mode}, {key}: {value}: ", end="")
                    self.write("made/adapter_config.json", whole)
                    self.change_config(**{key: value})
                    if outcome is AS_PEFT:
                        self.scores_as_peft(mode)
                    else:
                        self.refused(2 if key == "peft_type" else 5, mode, outcome, f"] {key}" if outcome == MERGE else "made")

    def test_lora(self):
        self.check("lora", peft.LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"), OF_ALL | LORA)

    def test_prefix(self):
        self.check("prefix", peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"), OF_ALL | PREFIX)

    def test_a_key_that_is_not_known_is_refused_unless_it_says_nothing(self):
        for mode, config in (("lora", peft.LoraConfig(r=4, target_modules=["q_proj"])),
                             ("prefix", peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"))):
            self.save(config)
            whole = (self.folder / "made/adapter_config.json").read_text()
            for value in (0, 1, True, "x", [0], {"a": None}, 0.0):
                for key in ("odd_key", "peft.odd"):
                    self.change_config(**{key: value})
                    self.refused(5, mode, f"{key}: this key is not known; remove it if it changes nothing")
                    self.write("made/adapter_config.json", whole)
            self.change_config(inference_moed=True, use_ddora=1)
            self.refused(5, mode, "inference_moed: this key is not known; did you mean 'inference_mode'?", "use_ddora: this key")
            self.write("made/adapter_config.json", whole)
            self.change_config(**{"a": None, "b": False, "c": "", "d": [], "e": {}, "runtime_config": {"ephemeral_gpu_offload": True}})
            self.scores_as_peft(mode)


cli.main()
