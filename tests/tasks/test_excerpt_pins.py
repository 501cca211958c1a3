"""Excerpts that the user pins: both forms of the file, and each malformed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import DataError
from bench.suite import Suite
from bench.task import Excerpt, SourceRef
from tasks import excerpts
from tasks.excerpts import NO_PINS, Pins, read_pins


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pins.yaml", "set/a: 2.5\nset/b: 71\n"),
        ("pins.json", '{"set/a": 25e-1, "set/b": 71}'),
        ("pins", "set/a: 2.5\nset/b: 71"),
    ],
)
def test_pins_are_read_from_yaml_and_json(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    pins = read_pins(tmp_path / name)
    assert dict(pins) == {"set/a": 2.5, "set/b": 71.0}
    assert pins.digest == Pins({"set/b": 71.0, "set/a": 2.5}).digest != NO_PINS.digest
    assert excerpts.describe(10.0, pins)["pinned"] == {"songs": 2, "sha256": pins.digest}
    assert "pinned" not in excerpts.describe(10.0)


def suite_with(*starts: tuple[str, float]) -> str:
    refs = [
        SourceRef(
            id=f"{song}@{start}",
            song=song,
            root="set",
            mixture=None,
            stems={"vocals": ("v.wav",)},
            licence="CC0",
            excerpt=Excerpt(start_s=start, duration_s=10.0, sha256="0"),
        )
        for song, start in starts
    ]
    return "\n".join(Suite("s", 1, {}, {ref.id: ref for ref in refs}, ()).lines()) + "\n"


def test_pins_are_read_from_a_tasks_file(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(suite_with(("set/a", 2.5), ("set/b", 0.0)))
    assert dict(read_pins(path)) == {"set/a": 2.5, "set/b": 0.0}
    path.write_text(suite_with(("set/a", 2.5)).replace('"start_s": 2.5', '"start_s": 3.5'))
    with pytest.raises(DataError) as changed:
        read_pins(path)
    assert changed.value.code == "data/suite-changed"
    path.write_text(suite_with(("set/a", 2.5), ("set/a", 7.0)))
    with pytest.raises(DataError, match=r"two excerpts of 'set/a', from 2\.5 s and from 7 s") as twice:
        read_pins(path)
    assert (twice.value.code, twice.value.where) == ("data/pins", str(path))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("p.yaml", "a: true", "a: .*valid number"),
        ("p.yaml", "a: '2'", "a: .*valid number"),
        ("p.yaml", "a: [1]", "a: .*valid number"),
        ("p.yaml", "a: .nan", "a: .*finite"),
        ("p.yaml", "a: -1", "a: .*greater than or equal to 0"),
        ("p.yaml", "a: 99999", "a: .*less than or equal to"),
        ("p.yaml", "5: 1", r"5.*valid string"),
        ("p.yaml", "a: 1\na: 2", "line 2.*'a'.* twice"),
        ("p.yaml", "a: &x 1\nb: *x", "alias"),
        ("p.yaml", "- a", "dictionary"),
        ("p.yaml", "", "dictionary"),
        ("p.yaml", "[" * 5000, "nested|deep"),
        ("p.yaml", "a: 1 # " + "x" * (2 << 20), "larger"),
        ("p.json", '{"a": 1, "a": 2}', "'a' is given twice"),
        ("p.json", '{"a": 1', "delimiter"),
        ("p.json", '{"a": NaN}', "NaN"),
    ],
)  # fmt: skip
def test_malformed_pins_are_refused(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_pins(tmp_path / name)
    assert (caught.value.code, caught.value.where) == ("data/pins", str(tmp_path / name))
    assert "musicdelta/reggae: 2.5" in caught.value.remedy


def test_absent_pins_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(DataError) as caught:
            read_pins(path)
        assert caught.value.code == "data/pins"


def test_a_pinned_song_that_the_suite_does_not_have_is_named_with_the_nearest(tmp_path: Path) -> None:
    pins = Pins({"musicdelta/rock": 1.0, "musicdelta/regae": 1.0, "x": 2.0}, tmp_path / "pins.yaml")
    pins.check(["x", "musicdelta/rock", "musicdelta/regae"])
    with pytest.raises(DataError, match=r"'musicdelta/regae' \(and 1 more\)") as caught:
        pins.check(["musicdelta/rock", "musicdelta/reggae"])
    assert "Did you mean musicdelta/reggae" in caught.value.remedy
    assert (caught.value.code, caught.value.where) == ("data/pins-unknown-song", str(tmp_path / "pins.yaml"))
