"""Scores of options as transformers gives them, for the scripts here that compare with it."""

import torch


def mean_share(model, tokenizer, text, option, **forward):
    """Mean log-probability of the option's tokens after the text."""
    prompt, whole = tokenizer(text)["input_ids"], tokenizer(text + option)["input_ids"]
    extra = {key: make(len(whole)) for key, make in forward.items()}
    with torch.no_grad():
        shares = model(torch.tensor([whole]), **extra).logits[0].float().log_softmax(-1)
    return sum(shares[i - 1, whole[i]].item() for i in range(len(prompt), len(whole))) / (len(whole) - len(prompt))
