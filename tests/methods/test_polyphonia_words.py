"""Which words, and which tokens, the text bias favours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from polyphonia_on_nano import Make

from bench.backbone import Backbone
from methods.polyphonia.config import PolyphoniaConfig
from methods.polyphonia.words import favoured_spans, favoured_tokens, find_phrase, subject_spans


def words(phrase: str, instrument: str | None = None) -> list[str]:
    prompt = f"A recording of {phrase}, deep bass and drums."
    return [prompt[a:b] for a, b in subject_spans(prompt, (15, 15 + len(phrase)), instrument)]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("a smooth violin", ["violin"]),
        ("violin", ["violin"]),
        ("a warm violin melody", ["violin melody"]),
        ("a resonant upright bass", ["upright bass"]),
        ("jazz drums", ["jazz drums"]),
        ("drums", ["drums"]),
        ("a melody", ["melody"]),
        ("an english-horn", ["english-horn"]),
        ("powerful vocal choir with rhythmic delivery", ["choir"]),
        ("soft jazz brushes on snare", ["brushes"]),
        ("a flowing cello, a light flute and a lively violin", ["cello", "flute", "violin"]),
        ("a", ["a"]),
    ],
)
def test_subjects_without_a_known_instrument(phrase: str, expected: list[str]) -> None:
    assert words(phrase) == expected


@pytest.mark.parametrize(
    ("phrase", "instrument", "expected"),
    [
        ("a warm violin melody", "violin", ["violin"]),
        ("a clean electric guitar", "electric-guitar", ["electric guitar"]),
        ("a Clean Electric-Guitar", "electric-guitar", ["Electric-Guitar"]),
        ("jazz drum", "jazz-drums", ["jazz drum"]),
        ("a deep upright bass", "double-bass", ["upright bass"]),
        ("a viola", "violin", ["viola"]),
        ("a flute and a violin", "violin", ["violin"]),
    ],
)
def test_the_tasks_instrument_comes_first(phrase: str, instrument: str, expected: list[str]) -> None:
    assert words(phrase, instrument) == expected


def test_a_name_outside_the_phrase_is_not_its_subject() -> None:
    assert words("a bright organ", "bass") == ["organ"]


def test_phrases_are_found_as_the_release_finds_them() -> None:
    """Lower case, white space alike, the first place; and the prompt is no pattern."""
    assert find_phrase("A  Smooth\tviolin, a smooth violin", "a smooth violin") == (0, 16)
    assert find_phrase("drums (live)", "drums (live)") == (0, 12)
    assert find_phrase("a violin", "a cello") is None
    assert find_phrase("a violin", "  ") is None


def test_several_words_are_several_tokens_of_the_real_tokenizer(nano: Backbone, make_task: Make) -> None:
    """ "upright bass" is two words in nano's vocabulary, "marimbula" is spelled; article and adjective stay out."""
    tasks = [make_task("a warm upright bass"), make_task("a shakuhachi"), make_task("a rare marimbula")]
    conditioning = nano.condition([task.target_prompt for task in tasks], negative="")
    tokens = favoured_tokens(conditioning, tasks, PolyphoniaConfig())
    assert tokens.shape[:2] == (3, 1)
    spelled = []
    for row, task in enumerate(tasks):
        offsets = conditioning.offsets[row]
        chosen = [offsets[i] for i in tokens[row, 0].nonzero().flatten().tolist()]
        spelled.append(["".join(task.target_prompt[a:b]) for a, b in chosen])
    assert spelled[0] == ["upright", "bass"]
    assert spelled[1] == ["shakuhachi"]
    assert "".join(spelled[2]) == "marimbula"
    assert len(spelled[2]) > 1


def test_the_releases_words_are_whole_phrases_of_all_stems(nano: Backbone, make_task: Make) -> None:
    phrases = {"vocals": "a Bright  flute", "bass": "a deep bass", "drums": "loud drums", "other": ""}
    task = make_task(stem_phrases=phrases)
    conditioning = nano.condition([task.target_prompt], negative="")
    tokens = favoured_tokens(conditioning, [task], PolyphoniaConfig(variant="release"))[0]
    found = [
        [task.target_prompt[slice(*conditioning.offsets[0][i])] for i in row.nonzero().flatten().tolist()]
        for row in tokens
    ]
    # vocals, drums, bass, other: the drums' phrase is not in the prompt, the other's is empty.
    assert found == [["a", "bright", "flute"], [], ["a", "deep", "bass"], []]


def test_knobs_of_words_are_independent(make_task: Make) -> None:
    task = make_task(stem_phrases={"vocals": "a bright flute", "bass": "a deep bass"})

    def favoured(stem: str, **knobs: str) -> list[str]:
        spans = favoured_spans(task, stem, PolyphoniaConfig.model_validate(knobs))  # type: ignore[arg-type]
        return [task.target_prompt[a:b] for a, b in spans]

    assert favoured("vocals") == ["flute"]
    assert favoured("vocals", bias_words="phrase") == ["a bright flute"]
    assert favoured("bass", bias_stems="all") == ["deep bass"]
    assert favoured("bass", bias_stems="all", bias_words="phrase") == ["a deep bass"]


def test_every_task_of_polyevalprompts_has_a_subject(shared_data: Path) -> None:
    """Within its phrase, and of fewer words wherever the phrase has an article or adjectives."""
    with (shared_data / "polyevalprompts_tasks.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["target_char_start"]) >= 0]
    shorter = 0
    for row in rows:
        start, end = int(row["target_char_start"]), int(row["target_char_end"])
        spans = subject_spans(row["target_prompt"], (start, end))
        assert all(start <= a < b <= end for a, b in spans)
        shorter += sum(b - a for a, b in spans) < end - start
    assert len(rows) > 1100
    assert shorter > 0.9 * len(rows)
