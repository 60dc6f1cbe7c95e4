"""Writes a model of two layers and a byte-level BPE tokenizer into a folder, for tests that need a whole model in
milliseconds: python make_tiny_model.py llama|opt FOLDER. The weights are random but the same every time. The OPT has 24
positions, and its tokenizer begins every sequence with token 0.

Made with transformers and tokenizers (tests/requirements.txt), so that what is read is what they write. Exits with 77 where
they are absent.
"""

import json
import pathlib
import sys

SENTENCES = [
    "A warm and funny film with a great cast. It was great",
    "The plot is dull and the jokes are old. It was terrible",
    "I laughed, I cried, and I would see it again tomorrow.",
    "Two hours of noise; nobody in the room was awake at the end.",
    "Her first feature is careful, quiet and very well acted.",
    "He wastes a good idea on a script that goes nowhere.",
    "Some scenes work, most do not, and the music never stops.",
    "The best picture of the year so far: bold, strange and moving.",
]


def make_tokenizer(folder, start):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    if start:
        tokenizer.post_processor = processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|endoftext|>"}) + "\n")
    return tokenizer.get_vocab_size()


def make_model(family, folder, vocabulary):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM

    torch.manual_seed(0)
    sizes = dict(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, tie_word_embeddings=True)
    if family == "opt":
        model = OPTForCausalLM(OPTConfig(ffn_dim=64, max_position_embeddings=24, init_std=0.2, **sizes))
    else:
        model = LlamaForCausalLM(LlamaConfig(intermediate_size=64, num_key_value_heads=2, max_position_embeddings=512,
                                             initializer_range=0.2, **sizes))
    model.save_pretrained(folder)


def main():
    family, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    made, script = folder / "model.safetensors", pathlib.Path(__file__)
    if made.exists() and made.stat().st_mtime > script.stat().st_mtime:
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        make_model(family, folder, make_tokenizer(folder, start=family == "opt"))
    except ImportError as missing:
        print(f"skipped: {missing}")
        sys.exit(77)


if __name__ == "__main__":
    main()
