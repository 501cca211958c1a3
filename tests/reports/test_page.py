from __future__ import annotations

import base64
import hashlib
import re
import shutil

import pytest
from parsed_page import EVIL, TAGS, Page

from reports.html.examples import choose
from reports.load import load
from reports.write import write

BOTH = {"cqt1-pcc": 0.5, "dpd-pesto-cents": 50.0}


def page(out, *paths, examples=24) -> Page:
    write([load(path) for path in paths], out, examples=examples)
    return Page((out / "index.html").read_text("utf-8"))


def test_every_clip_of_a_task_has_a_player_and_a_picture(rack, tmp_path) -> None:
    suite = rack.shelf(edits=1)
    paths = [rack.run(suite, "ours", BOTH), rack.run(suite, "copy", BOTH, role="control")]
    found = page(tmp_path / "site", *paths)
    players = found.all("audio")
    assert len(found.all("article")) == 2
    assert len(players) == len(found.all("img")) == 2 * (3 + 2)
    labels = [player["aria-label"].split(":")[0] for player in players[:5]]
    assert labels == ["Mixture", "The bass alone", "True edit", "ours", "copy"]
    assert {player["preload"] for player in players} == {"none"} and all("controls" in player for player in players)
    for address in [a["src"] for a in players] + [a["src"] for a in found.all("img")]:
        assert re.fullmatch(r"assets/[0-9a-f]{64}\.(flac|png)", address)
        assert (tmp_path / "site" / address).stat().st_size > 0
    assert found.texts["mark"] == ["cello"] * 2


def test_nothing_but_the_named_style_and_script_may_run(rack, tmp_path) -> None:
    found = page(tmp_path / "site", rack.run(rack.shelf(), "ours", BOTH), examples=1)
    for tag in ("script", "style"):
        (text,) = found.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in found.policy
    assert found.policy.startswith("default-src 'none'")
    assert "unsafe" not in found.policy and "http" not in found.policy and "*" not in found.policy
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("src", "href"):
            assert re.match(r"assets/|#", attributes.get(name) or "#"), (tag, attributes)


@pytest.mark.parametrize("where", ["label", "song", "prompt", "phrase", "metric", "reason", "licence"])
def test_hostile_names_are_shown_and_do_nothing(rack, tmp_path, where) -> None:
    prompt = f"a song {EVIL} cello" if where == "prompt" else f"a song with {EVIL if where == 'phrase' else 'cello'}"
    suite = rack.shelf(
        songs=(EVIL, "South") if where == "song" else ("North", "South"),
        prompt=prompt,
        phrase=EVIL if where == "phrase" else "cello",
    )
    name = EVIL if where == "metric" else "cqt1-pcc"
    described = {"name": name, "identity": f"{name}@1[{EVIL}]", "direction": "higher", "unit": EVIL, "summary": EVIL}
    plain = {**described, "identity": "m@1[x]", "unit": "", "summary": "x"}
    path = rack.run(
        suite,
        "run",
        {name: ("silent", EVIL) if where == "reason" else 0.5},
        metrics=(described if where == "metric" else plain,),
        label=EVIL if where == "label" else "run",
        licences=[EVIL] if where == "licence" else [],
    )
    found = page(tmp_path / "site", path, examples=1)
    assert {tag for tag, _ in found.tags} <= TAGS
    assert len(found.all("script")) == 1
    for tag, attributes in found.tags:
        assert not [key for key in attributes if key.startswith("on")], (tag, attributes)
        assert "javascript" not in (attributes.get("href") or "") + (attributes.get("src") or "")
    html = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "<script>alert" not in html and "<img src=x" not in html and "\x1b" not in html and "\u202e" not in html
    assert "{{7*7}}" in html and "␛[31m" in html


def test_failed_pending_and_damaged_edits_are_shown_as_such(rack, tmp_path) -> None:
    path = rack.run(rack.shelf(), "ours", BOTH, failed=("shelf/0/edit0",), pending=("shelf/0/edit1",))
    run = load(path).directory
    sha = next(outcome.audio for outcome in run.outcomes().values() if outcome.audio)
    run.audio_path(sha).write_bytes(b"not what it was")
    found = page(tmp_path / "site", path)
    problems = [text for text in found.texts["p"] if text.startswith(("Failed", "Not made", "Cannot"))]
    assert problems[0] == "Failed: out of <b>memory</b>"
    assert problems[1] == "Not made yet."
    assert problems[2].startswith("Cannot be played: ")
    assert len(found.all("audio")) == 4 * 3 + 1


def test_without_the_source_audio_the_edits_can_still_be_heard(rack, tmp_path) -> None:
    path = rack.run(rack.shelf(), "ours", BOTH)
    shutil.rmtree(tmp_path / "data-shelf")
    found = page(tmp_path / "site", path)
    assert len(found.all("audio")) == 4
    assert "Its audio is not on the machine that made this page." in found.texts["p"]
    assert str(tmp_path) not in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_the_page_says_how_many_tasks_it_shows(rack, tmp_path) -> None:
    path = rack.run(rack.shelf(songs=("A", "B", "C"), edits=3), "ours", BOTH)
    found = page(tmp_path / "site", path, examples=4)
    assert len(found.all("article")) == 4
    assert any(text.startswith("4 of 9 tasks, spread over the songs") for text in found.texts["p"])
    assert page(tmp_path / "none", path, examples=0).all("audio") == []


def test_one_seed_is_heard_and_named(rack, tmp_path) -> None:
    found = page(tmp_path / "site", rack.run(rack.shelf(), "ours", BOTH, seeds=(3, 1)))
    assert len(found.all("article")) == 4
    assert any("seed 1." in text for text in found.texts["p"])


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [((15, 15), 6, (3, 3)), ((1, 15), 6, (1, 5)), ((2, 2), 24, (2, 2)), ((3, 3, 3), 2, (1, 1, 0)), ((3,), 0, (0,))],
)
def test_examples_are_spread_over_songs(sizes, limit, expected) -> None:
    songs = {f"s{n}": [f"s{n}/{k:02}" for k in range(size)] for n, size in enumerate(sizes)}
    chosen = choose(songs, limit)
    assert tuple(sum(task.startswith(f"{song}/") for task in chosen) for song in songs) == expected
    assert len(set(chosen)) == len(chosen)


def test_examples_are_spread_within_a_song() -> None:
    assert choose({"s": [str(n) for n in range(15)]}, 3) == ["0", "7", "14"]
