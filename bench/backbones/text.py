"""Which characters of a prompt the tokens of a text encoder stand for."""

from __future__ import annotations

from typing import Any

from bench.backbone import Span


def text_offsets(tokenizer: Any, prompt: str) -> tuple[Span, ...]:
    """The characters [start, end) of each T5 token, without white space; (0, 0) for special tokens.

    Args:
        tokenizer: a fast tokenizer.
        prompt: the text.
    """
    encoded = tokenizer(
        prompt,
        truncation=True,
        max_length=tokenizer.model_max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    pairs = zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    return tuple((0, 0) if special else _trimmed(prompt, start, end) for (start, end), special in pairs)


def _trimmed(text: str, start: int, end: int) -> Span:
    """The range without white space at its ends: SentencePiece gives the space before a word to the word."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())
