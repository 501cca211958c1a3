"""What two prompts differ in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from baselines.captions import captions, templates
from baselines.wording import changed_words, concepts
from bench.task import EditTask


@pytest.mark.parametrize(
    ("source", "target", "changed"),
    [
        ("Soft piano, bass.", "Soft harp, bass.", ("piano", "harp")),
        ("A piano", "The harp", ("piano", "harp")),
        ("Vocals and a DEEP bass.", "Vocals, and a deep bass", ("", "")),
        ("Drums", "Drums and strings", ("Drums", "Drums and strings")),
        ("A flute solo", "A solo", ("flute solo", "solo")),
        ("", "Harp", ("", "Harp")),
        ("one two two three", "one two three", ("two three", "three")),
    ],
)
def test_the_shortest_stretch_that_is_exchanged(source: str, target: str, changed: tuple[str, str]) -> None:
    assert changed_words(source, target) == changed


def test_exchanging_them_makes_the_target_prompt() -> None:
    source, target = (
        "Clear vocals, a gentle piano and simple drums.",
        "Clear vocals, a mellow vibraphone and simple drums.",
    )
    before, after = changed_words(source, target)
    assert source.replace(before, after) == target


def test_concepts_are_instruments_where_the_suite_knows_them(make_task: Callable[..., EditTask]) -> None:
    assert concepts(make_task()) == ("soulful vocals", "bright flute")
    assert concepts(make_task(source_instrument="lead-vocals", target_instrument="flute")) == ("lead vocals", "flute")
    assert concepts(make_task(source_instrument="voice", target_instrument="voice")) == (
        "soulful vocals",
        "bright flute",
    )


def test_captions_have_one_gap_each() -> None:
    assert len(set(templates())) == 24
    assert all(template.count("{}") == 1 and 7 <= len(template.split()) <= 13 for template in templates())
    assert sum("soulful female vocals" in caption for caption in captions("soulful female vocals")) == 24
