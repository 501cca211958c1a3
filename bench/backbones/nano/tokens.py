"""nano's two tokenizers: of the words of music prompts, with a way to spell any other.

Both know the same words. T5's is a unigram model whose pieces are whole words, and printable characters for the rest;
what is not printable ASCII is the unknown token. CLAP's is a byte-level BPE whose merges make whole words of bytes. So
no text can fail, and every T5 token has its range of characters.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from transformers import RobertaTokenizer, T5Tokenizer

from bench.backbones.nano.config import CLAP_TOKENS, MAX_TOKENS

_SPACE = "▁"


def t5_tokenizer(words: Sequence[str]) -> T5Tokenizer:
    """A T5 tokenizer of the printable ASCII characters and of some words.

    A unigram model takes the segmentation of highest total score: any word is cheaper than its characters.

    Args:
        words: in lower case or capitalised; each gets a piece as it is and one capitalised.
    """
    characters = [c for c in string.printable if not c.isspace()]
    forms = sorted({form for word in words for form in (word, word.capitalize()) if len(form) > 1})
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (_SPACE, -8.0)]
    pieces += [(start + character, -8.0) for start in ("", _SPACE) for character in characters]
    pieces += [(_SPACE + word, -6.0) for word in forms]
    pieces += [(word, -7.0) for word in forms]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=MAX_TOKENS)


def clap_tokenizer(words: Sequence[str]) -> RobertaTokenizer:
    """A RoBERTa tokenizer of the 256 bytes, with merges that make one token of each word and of its plural's stem.

    The merges are learned by BPE from the words as they stand in prompts: after a space, at the beginning, in capitals.
    """
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=_FEW_THOUSANDS,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    forms = {word: [f" {word}"] * 3 + [word, f" {word.capitalize()}", word.capitalize()] for word in words}
    trained.train_from_iterator([form for word in sorted(forms) for form in forms[word]], trainer)
    model = json.loads(trained.to_str())["model"]
    vocabulary = {**model["vocab"], "<mask>": len(model["vocab"])}
    merges = [tuple(merge) for merge in model["merges"]]
    return RobertaTokenizer(vocab=vocabulary, merges=merges, model_max_length=CLAP_TOKENS)


_FEW_THOUSANDS = 4_096
"""Entries of CLAP's vocabulary at most; every word of ours fits."""
