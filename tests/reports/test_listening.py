"""The page of tasks: what can be heard of each, and what is said where nothing can."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from dataclasses import replace

import pytest
from parsed_page import EVIL, TAGS, Page

from bench.suite import Suite
from reports.listening import Written, write

MEANINGS = {"odd": "the song is odd", "unexplained": None}


def shown(suite: Suite, out, *, limit: int = 24, tasks=None) -> tuple[Written, Page]:
    written = write(suite, suite.tasks if tasks is None else tasks, out, limit=limit, meanings=MEANINGS)
    return written, Page((out / "index.html").read_text("utf-8"))


def changed(suite: Suite, **fields: object) -> Suite:
    """The suite with some fields of all its tasks changed."""
    return replace(suite, tasks=tuple(task.model_copy(update=fields) for task in suite.tasks))


def test_tasks_of_a_stem_share_mixture_and_stems(rack, tmp_path) -> None:
    stems = ("bass", "drums", "bass")
    suite = rack.shelf(edits=3, describe=lambda song, edit: {"stem": stems[edit], "flags": ("odd",) * (edit == 2)})
    written, page = shown(suite, tmp_path / "site")
    assert written == Written(6, 0)
    labels = [str(player["aria-label"]) for player in page.all("audio")]
    assert [label.split(":")[0] for label in labels[:8]] == [
        *("Mixture", "drums, edited", "bass", "True edit"),
        *("Mixture", "bass, edited", "drums", "True edit"),
    ]
    assert labels[3] == "True edit: a calm song with cello" and len(labels) == 2 * (4 + 5)
    assert len(page.all("article")) == 4
    assert page.texts["mark"] == ["cello"] * 6
    assert [text for text in page.texts["kbd"][:9]] == list("123412345")
    for address in [found["src"] for tag in ("audio", "img") for found in page.all(tag)]:
        assert re.fullmatch(r"assets/[0-9a-f]{64}\.(flac|png)", str(address))
        assert (tmp_path / "site" / str(address)).stat().st_size > 0


def test_flags_are_shown_with_their_meaning(rack, tmp_path) -> None:
    _, page = shown(rack.shelf(edits=1, describe=lambda song, edit: {"flags": ("odd", "unexplained")}), tmp_path)
    flags = page.all("span", **{"class": "flag"})
    assert [flag.get("title") for flag in flags] == ["the song is odd", None] * 2 + [None] * 2
    assert page.texts["dd"][-2:] == ["the song is odd", "not explained by the suite"]


def test_instruments_references_and_the_mixture_are_told(rack, tmp_path) -> None:
    suite = rack.shelf(songs=("North",), edits=1)
    (task,) = suite.tasks
    ref = suite.sources["src0"].model_copy(update={"instruments": {"bass": ("tuba",)}})
    suite = replace(suite, sources={"src0": ref}, tasks=(task.model_copy(update={"target_audio": task.true_edit}),))
    _, page = shown(suite, tmp_path)
    assert "tuba" in page.texts["dd"]
    assert str(page.all("audio")[-1]["aria-label"]).startswith("Reference timbre: ")
    (told,) = [text for text in page.texts["p"] if "Licence" in text]
    assert " ".join(told.split()) == "0 s to 1 s. The mixture is the sum of the stems. Licence: CC0."


def test_a_task_without_its_words_in_the_prompt_says_so(rack, tmp_path) -> None:
    _, page = shown(changed(rack.shelf(edits=1), target_span=None), tmp_path)
    assert "mark" not in page.texts
    assert page.texts["b"] == ["no target phrase in the prompt"] * 2


def test_audio_that_is_missing_or_another_is_told_in_its_place(rack, tmp_path) -> None:
    suite = rack.shelf(songs=("A", "B", "C"), edits=2)
    data = tmp_path / "data-shelf"
    (data / "s0/true1.wav").unlink()
    shutil.copy(data / "s1/bass.wav", data / "s1/true0.wav")
    shutil.copy(data / "s2/drums.wav", data / "s2/bass.wav")
    written, page = shown(suite, tmp_path / "site")
    problems = [text for text in page.texts["p"] if text.startswith("Cannot be heard")]
    assert written == Written(6, 3)
    assert problems[0] == "Cannot be heard: there is no such audio file."
    assert "its hash differs" in problems[1] and "its hash differs" in problems[2]
    assert len(page.all("audio")) == (3 + 1) + (3 + 1) + 2  # of the third song, only the true edits
    assert str(tmp_path) not in (tmp_path / "site/index.html").read_text("utf-8")


def test_a_stem_that_the_song_does_not_have_is_told(rack, tmp_path) -> None:
    written, page = shown(rack.shelf(songs=("A",), edits=1, describe=lambda song, edit: {"stem": "vocals"}), tmp_path)
    assert written.problems == 1
    assert "The song has no such stem." in page.texts["p"]


@pytest.mark.parametrize("where", ["song", "prompt", "flag", "licence", "id"])
def test_hostile_names_are_shown_and_do_nothing(rack, tmp_path, where) -> None:
    suite = rack.shelf(songs=(EVIL if where == "song" else "North",), edits=1)
    if where == "licence":
        suite = replace(suite, sources={k: r.model_copy(update={"licence": EVIL}) for k, r in suite.sources.items()})
    suite = changed(
        suite, **{"prompt": {"source_prompt": EVIL}, "flag": {"flags": (EVIL,)}, "id": {"id": EVIL}}.get(where, {})
    )
    _, page = shown(suite, tmp_path)
    html = (tmp_path / "index.html").read_text("utf-8")
    assert {tag for tag, _ in page.tags} <= TAGS
    assert len(page.all("script")) == 1
    assert "<script>alert" not in html and "<img src=x" not in html
    assert "\x1b" not in html and "\u202e" not in html and "{{7*7}}" in html
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("src", "href"):
            assert re.match(r"assets/|#", attributes.get(name) or "#"), (tag, attributes)


def test_nothing_but_the_named_style_and_script_may_run(rack, tmp_path) -> None:
    _, page = shown(rack.shelf(songs=("A",), edits=1), tmp_path)
    for tag in ("script", "style"):
        (text,) = page.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page.policy
    assert page.policy.startswith("default-src 'none'")
    assert "unsafe" not in page.policy and "http" not in page.policy and "*" not in page.policy


def test_tasks_are_spread_over_the_songs_and_counted(rack, tmp_path) -> None:
    suite = rack.shelf(songs=("A", "B", "C"), edits=3)
    written, page = shown(suite, tmp_path, limit=4)
    assert written.tasks == len(page.all("section", **{"class": "edit"})) == 4
    assert page.texts["h1"] == ["4 of 9 tasks of shelf"]
    assert page.texts["h3"] == ["A", "B", "C"]


def test_a_page_in_the_place_of_another_keeps_nothing_of_it_but_what_is_not_ours(rack, tmp_path) -> None:
    suite = rack.shelf(edits=2)
    shown(suite, tmp_path / "site")
    (tmp_path / "site/assets/mine.flac").write_bytes(b"mine")
    before = {path.name for path in (tmp_path / "site/assets").iterdir()}
    _, page = shown(suite, tmp_path / "site", limit=1)
    left = {path.name for path in (tmp_path / "site/assets").iterdir()}
    used = {str(found["src"]).removeprefix("assets/") for tag in ("audio", "img") for found in page.all(tag)}
    assert left == used | {"mine.flac"} and left < before


def test_a_page_that_fails_leaves_the_earlier_one_whole(rack, tmp_path, monkeypatch) -> None:
    suite = rack.shelf(edits=2)
    _, page = shown(suite, tmp_path, limit=1)
    before = (tmp_path / "index.html").read_bytes()

    def killed(*args: object, **values: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.html.frame.render", killed)
    with pytest.raises(KeyboardInterrupt):
        write(suite, suite.tasks, tmp_path, limit=4, meanings={})
    assert (tmp_path / "index.html").read_bytes() == before
    for found in [*page.all("audio"), *page.all("img")]:
        assert (tmp_path / str(found["src"])).is_file()
