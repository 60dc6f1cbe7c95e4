#!/usr/bin/env python3
"""GGUF files as people have them: keys that change what is computed, parts of a split, no word on how text is cut.

    odd_gguf.py MEZO

Each is refused by a part of the error, or scores as transformers does with the configuration that the file means. What scores is
exported too, and transformers must find the same in the folder. Exits with 77 (skipped) where a package is absent.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "checkpoint"))
from compare_gguf_with_folder import write_gguf  # noqa: E402
from odd_files import LIMIT, QUESTION, eval_mezo, exported  # noqa: E402
from scores import *  # noqa: E402,F403
from small_models import make_model  # noqa: E402


def without(key):
    return lambda writer: writer.kv_data[0].pop(key)


def key(name, value, kind):
    return lambda writer: writer.add_key_value(name, value, getattr(gguf.GGUFValueType, kind))


def both(*changes):
    return lambda writer: [change(writer) for change in changes]


def text(name, value):
    return key(name, value, "STRING")


def number(name, value):
    return key(name, value, "FLOAT32")


def integer(name, value):
    return key(name, value, "UINT32")


def tensor(name):
    return lambda writer: writer.add_tensor(name, numpy.ones(8, numpy.float32))


def linear(factor):
    return {"rope_type": "linear", "factor": factor, "rope_theta": 10000.0}


def tables(scaling):
    """What llama.cpp's converter writes for LLaMA 3's scaling: divisors of the frequencies."""
    def change(writer):
        config = transformers.LlamaConfig(hidden_size=64, num_attention_heads=4, rope_parameters=scaling)
        after = transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS["llama3"](config)[0].double()
        before = scaling["rope_theta"] ** -(torch.arange(0, 16, 2).double() / 16)
        writer.add_tensor("rope_freqs.weight", (before / after).float().numpy())
    return change


LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
          "rope_theta": 10000.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 10000.0}
SCALED, FOREIGN, PRE = "of scaled positions only linear, dynamic, llama3 and yarn", "changes what a model computes", "tokenizer.ggml.pre: expected how"

# What is changed; what transformers is told of rope_parameters, or None where the file is refused; a part of the error or of what is said.
CASES = {
    "linear by type and factor": (both(text("llama.rope.scaling.type", "linear"), number("llama.rope.scaling.factor", 4)), linear(4.0), ""),
    "linear by a factor": (number("llama.rope.scaling.factor", 4), linear(4.0), ""),
    "linear as older files say it": (number("llama.rope.scale_linear", 2), linear(2.0), ""),
    "a factor and no scaling": (both(text("llama.rope.scaling.type", "none"), number("llama.rope.scaling.factor", 4)), linear(1.0), ""),
    "a factor of 1": (number("llama.rope.scaling.factor", 1), linear(1.0), ""),
    "yarn": (both(text("llama.rope.scaling.type", "yarn"), number("llama.rope.scaling.factor", 4),
                  integer("llama.rope.scaling.original_context_length", 64)), YARN, ""),
    "yarn of another speed": (both(text("llama.rope.scaling.type", "yarn"), number("llama.rope.scaling.yarn_beta_fast", 16)), None, FOREIGN),
    "longrope": (text("llama.rope.scaling.type", "longrope"), None, "llama.rope.scaling.type: " + SCALED),
    "a table of LLaMA 3.1": (tables(LLAMA3), LLAMA3, ""),
    "a table of LLaMA 3.2": (tables({**LLAMA3, "factor": 32.0}), {**LLAMA3, "factor": 32.0}, ""),
    "a table of something else": (tables({**LLAMA3, "original_max_position_embeddings": 100}), None, "rope_freqs.weight"),
    "a table beside a factor": (both(tables(LLAMA3), number("llama.rope.scaling.factor", 4)), None, "rope_freqs.weight"),
    "a table of longrope": (tensor("rope_factors_long.weight"), None, "rope_factors_long.weight"),
    "a table that changes nothing": (tensor("rope_freqs.weight"), linear(1.0), ""),
    "no experts": (integer("llama.expert_count", 0), linear(1.0), ""),
    "experts": (integer("llama.expert_count", 8), None, "llama.expert_count: " + FOREIGN),
    "a scale of attention": (number("llama.attention.scale", 0.5), None, "llama.attention.scale: " + FOREIGN),
    "a scale of logits": (number("llama.logit_scale", 0.0625), None, "llama.logit_scale: " + FOREIGN),
    "a scale of embeddings": (number("llama.embedding_scale", 12), None, "llama.embedding_scale: " + FOREIGN),
    "a window": (integer("llama.attention.sliding_window", 32), None, "llama.attention.sliding_window: " + FOREIGN),
    "values of another width": (lambda w: w.kv_data[0].pop("llama.attention.value_length") and w.add_value_length(8), None,
                                "llama.attention.value_length: expected the head width"),
    "a part of each head": (lambda w: w.kv_data[0].pop("llama.rope.dimension_count") and w.add_rope_dimension_count(8), None,
                            "llama.rope.dimension_count: expected the head width"),
    "no epsilon": (without("llama.attention.layer_norm_rms_epsilon"), None, "llama.attention.layer_norm_rms_epsilon: expected a number"),
    "a key that no one knows": (number("llama.spin", 3), linear(1.0), "does not read llama.spin"),
    "no word on how text is cut": (without("tokenizer.ggml.pre"), None, PRE),
    "the default of llama.cpp": (both(without("tokenizer.ggml.pre"), text("tokenizer.ggml.pre", "default")), None, PRE),
    "another way to cut text": (both(without("tokenizer.ggml.pre"), text("tokenizer.ggml.pre", "falcon")), None, "falcon"),
    "one file of two": (both(key("split.no", 0, "UINT16"), key("split.count", 2, "UINT16")), None, "expected a name that ends in -00001-of-00002.gguf"),
    "a split of one": (both(key("split.no", 0, "UINT16"), key("split.count", 1, "UINT16")), linear(1.0), ""),
}


def check(mezo, folder, case, seed):
    change, rope, says = case
    model, tokenizer = make_model(folder / "made", "llama", seed, tie_word_embeddings=seed % 2 == 0)
    tensors = dict(model.state_dict())
    if seed % 2 == 0:
        del tensors["lm_head.weight"]
    write_gguf(folder / "model.gguf", model.config, tensors, tokenizer, False, change)
    got, said = eval_mezo(mezo, folder, "model.gguf")
    if rope is None or got is None:
        right = rope is None and got is None and says in said
        return right, "refused" if right else f"expected {says!r}, got {said}"
    model.config.rope_parameters = rope
    meant = transformers.LlamaForCausalLM(model.config).eval()
    meant.load_state_dict(model.state_dict())
    again = transformers.LlamaForCausalLM.from_pretrained(exported(mezo, folder), dtype=torch.float32).eval()
    worst = [largest_difference(of, tokenizer, QUESTION, got) for of in (meant, again)]
    return max(worst) <= LIMIT and says in said, f"largest difference {worst[0]:.2e}, exported {worst[1]:.2e}"


def main():
    mezo, wrong = str(pathlib.Path(sys.argv[1]).absolute()), []
    with tempfile.TemporaryDirectory() as temporary:
        for i, (name, case) in enumerate(CASES.items()):
            right, how = check(mezo, pathlib.Path(temporary) / str(i), case, i)
            print(f"{name}: {how}", flush=True)
            if not right:
                wrong.append(name)
    print(f"wrong: {wrong}" if wrong else "all as they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
