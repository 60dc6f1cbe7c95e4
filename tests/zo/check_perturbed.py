#!/usr/bin/env python3
"""Repeats one training step in transformers: check_perturbed.py WRITE_PERTURBED REPOSITORY SCRATCH.

write_perturbed gives the weights theta + eps z and theta - eps z that a step read, its batch and its two losses. Loaded into
transformers' LlamaForCausalLM in fp32, each example and option alone and unpadded, they must give the same losses and projected
gradient. Exits with 77 where transformers or the model is absent.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77
EPSILON, LEARNING_RATE = 1e-3, 1e-6
MODEL, TASK, DATA = "models/smollm2-135m-instruct-q4_1.gguf", "configs/tasks/movie_reviews.yaml", "data/movie_reviews/train.jsonl"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


try:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, LlamaForCausalLM
    import gguf  # noqa: F401  read by AutoConfig
except ImportError as error:
    skip(f"{error} (pip install -r tests/requirements.txt)")


def loss_of(weights, config, examples):
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model = model.to_empty(device="cpu").float().eval()
    model.tie_weights()
    missing, unexpected = model.load_state_dict(load_file(weights), strict=False)
    assert set(missing) <= {"lm_head.weight"} and not unexpected, (missing, unexpected)
    rotary = type(model.model.rotary_emb)(config)  # its buffers are not in the file
    model.model.rotary_emb = rotary
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    total = 0.0
    with torch.inference_mode():
        for example in examples:
            scores, seen = [], {}  # options that differ in their last token alone need one forward
            for ids, scored in zip(example["options"], example["scored"]):
                before = tuple(ids[:-1])
                if before not in seen:
                    seen[before] = model(torch.tensor([before])).logits[0].double().log_softmax(-1)
                scores.append(sum(seen[before][p - 1, ids[p]] for p in range(len(ids) - scored, len(ids))) / scored)
            total -= torch.stack(scores).log_softmax(0)[example["label"]].item()
    return total / len(examples)


def main():
    tool, repository, scratch = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    model, data = repository / MODEL, repository / DATA
    for path in (model, data):
        if not path.exists():
            skip(f"no {path} (tools/fetch.py gets it)")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        plugins = pathlib.Path(tool).parent.parent / "lib/mezo/plugins"
        subprocess.run([tool, model, plugins, repository / TASK, data, scratch, str(EPSILON), str(LEARNING_RATE)], check=True)
        config = AutoConfig.from_pretrained(model.parent, gguf_file=model.name)
        step = json.loads((scratch / "step.json").read_text())
        expected = [loss_of(scratch / stream / "model.safetensors", config, step["examples"]) for stream in ("plus", "minus")]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    gradient = (expected[0] - expected[1]) / (2 * EPSILON)
    differences = [abs(a - b) for a, b in zip(step["losses"], expected)]
    relative = abs(step["projected_gradient"] - gradient) / abs(gradient)
    print(f"step {step['step']}: losses {step['losses'][0]:.7f} {step['losses'][1]:.7f}, transformers {expected[0]:.7f} {expected[1]:.7f}")
    print(f"projected gradient {step['projected_gradient']:.5f}, transformers {gradient:.5f}, relative difference {relative:.1e}")
    assert max(differences) < 1e-4, differences
    assert abs(gradient) > 5 and relative < 1e-3, (gradient, relative)


if __name__ == "__main__":
    main()
