from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.backbones.nano.ship import read_words
from bench.backbones.nano.tokens import clap_tokenizer, t5_tokenizer

T5, CLAP = t5_tokenizer(read_words()), clap_tokenizer(read_words())


def _pieces(text: str) -> list[str]:
    encoded = T5(text, return_offsets_mapping=True)
    return [text[start:end].strip() for start, end in encoded["offset_mapping"] if end > start]


def test_words_of_prompts_are_one_token_each() -> None:
    assert _pieces("A recording of a warm cello, and punchy drums.") == [
        "A", "recording", "of", "a", "warm", "cello", ",", "and", "punchy", "drums", ".",
    ]  # fmt: skip


def test_a_phrase_can_be_found_by_its_characters() -> None:
    prompt = "A recording of a smooth violin, deep bass"
    offsets = T5(prompt, return_offsets_mapping=True)["offset_mapping"]
    start = prompt.index("smooth violin")
    inside = [prompt[a:b].strip() for a, b in offsets if a < b and a < start + len("smooth violin") and start < b]
    assert inside == ["smooth", "violin"]


def test_unknown_words_are_spelled() -> None:
    assert _pieces("zzkaq") == list("zzkaq")
    assert T5.unk_token_id not in T5("zzkaq").input_ids


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_tokens_with_offsets_in_it(text: str) -> None:
    encoded = T5(text, return_offsets_mapping=True)
    assert encoded.input_ids[-1] == T5.eos_token_id
    assert all(0 <= start <= end <= len(text) for start, end in encoded["offset_mapping"])
    assert CLAP.unk_token_id not in CLAP(text).input_ids


@pytest.mark.parametrize("tokenizer", [T5, CLAP], ids=["t5", "clap"])
def test_long_text_is_cut_when_asked(tokenizer) -> None:
    ids = tokenizer("x y " * 500, truncation=True, max_length=tokenizer.model_max_length).input_ids
    assert len(ids) == tokenizer.model_max_length
    assert ids[-1] == tokenizer.eos_token_id
