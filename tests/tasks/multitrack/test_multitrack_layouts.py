"""Which layout a folder has, and what is said when it has none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from multitrack_recordings import write

from bench.errors import DataError
from tasks.multitrack.layouts import LAYOUTS, detect
from tasks.multitrack.suite import Multitrack
from tasks.synth.suite import Synth


@pytest.fixture(scope="module")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synth suite, written in the layouts of MUSDB18-HQ and MedleyDB."""
    root = tmp_path_factory.mktemp("layouts") / "audio"
    Synth(Synth.Options(songs=1, edits=1, duration_s=2.0, folder=root)).build()
    return root


def slakh(root: Path) -> Path:
    (root / "test" / "Track01876").mkdir(parents=True)
    (root / "test" / "Track01876" / "metadata.yaml").touch()
    write(root / "test" / "Track01876" / "stems" / "S00.flac")
    return root


def moises(root: Path) -> Path:
    song = root / "moisesdb_v0.1" / "02ee37da-eea3-42b4-83bf-ab7f243afa13"
    song.mkdir(parents=True)
    (song / "data.json").touch()
    return root


def mine(root: Path) -> Path:
    write(root / "Night Train" / "drums.wav")
    return root


def mine_with_data(root: Path) -> Path:
    """A file that MoisesDB has, too, in a song that is none of its."""
    mine(root)
    (root / "Night Train" / "data.json").touch()
    return root


def test_what_synth_writes_is_recognised(synth: Path) -> None:
    assert detect(synth / "musdb18hq").name == "musdb18hq"
    assert detect(synth / "medleydb").name == "medleydb"


@pytest.mark.parametrize(
    ("make", "inner", "name"),
    [
        (slakh, "", "slakh2100"),
        (slakh, "test", "slakh2100"),
        (moises, "", "moisesdb"),
        (moises, "moisesdb_v0.1", "moisesdb"),
        (mine, "", "folder"),
        (mine_with_data, "", "folder"),
    ],
)
def test_layouts_are_recognised(make: Callable[[Path], Path], inner: str, name: str, tmp_path: Path) -> None:
    assert detect(make(tmp_path / "data") / inner).name == name


@pytest.mark.parametrize("inner", ["", "musdb18hq/test", "medleydb/Audio"])
def test_a_part_of_a_data_set_or_what_is_around_it_is_told_the_right_folder(inner: str, synth: Path) -> None:
    with pytest.raises(DataError, match=rf"is laid out as (musdb18hq|medleydb).*Give {synth}.* instead") as caught:
        detect(synth / inner)
    assert caught.value.code == "data/layout"
    assert ("--layout folder" in caught.value.remedy) is (inner != "")  # each of them could be someone's own


def test_two_layouts_at_once(synth: Path, tmp_path: Path) -> None:
    shutil.copytree(synth / "medleydb", tmp_path / "both")
    slakh(tmp_path / "both")
    with pytest.raises(DataError, match=r"medleydb and slakh2100 at once.*--layout"):
        detect(tmp_path / "both")


@pytest.mark.parametrize("given", ["empty", "nowhere", "file"])
def test_no_layout_says_what_was_looked_for(given: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError) as caught:
        detect(tmp_path / given)
    assert caught.value.where == str(tmp_path / given)
    if given == "empty":
        assert all(layout.looks_like in caught.value.cause for layout in LAYOUTS.values())
    else:
        assert "no such folder" in caught.value.cause


def test_the_option_knows_every_layout() -> None:
    annotation = Multitrack.Options.model_fields["layout"].annotation
    assert get_args(annotation) == ("auto", "folder", *(name for name in LAYOUTS if name != "folder"))
    for name in LAYOUTS:
        assert Multitrack.shorthand(name) == {"layout": name}
