"""MUSDB18-HQ's layout: the same samples as the `musdb` package, what damage does, and the `.stem.mp4` form."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import STEMS, read_stems
from tasks import excerpts
from tasks.multitrack import musdb18
from tasks.polyevalprompts import MUSDB18_TEST
from tasks.synth.suite import Synth

RATE = 44_100
FILES = ("mixture", "drums", "bass", "other", "vocals")

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="ffmpeg is not installed, and the musdb package cannot be imported without it",
)

MakeSong = Callable[..., Path]


@pytest.fixture
def make_song(tmp_path: Path) -> MakeSong:
    """`make_song("A - B")` writes a track of half a second of noise below `tmp_path`, full scale included."""

    def make(name: str, *, root: Path = tmp_path, rate: int = RATE, frames: int = RATE // 2) -> Path:
        rng = np.random.default_rng(len(name))
        for file in FILES:
            integers = rng.integers(-(2**15), 2**15, (frames, 2))
            integers[:2] = [[-(2**15), 2**15 - 1], [1, -1]]
            Clip.of(integers / 2**15, rate).write_wav(root / "test" / name / f"{file}.wav")
        return root / "test" / name

    return make


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `musdb18hq` of a small synth suite."""
    folder = tmp_path_factory.mktemp("musdb18") / "audio"
    Synth(Synth.Options(songs=2, edits=1, duration_s=2.0, folder=folder)).build()
    return folder / "musdb18hq"


def assert_equal_to_musdb(root: Path) -> None:
    """Same tracks, and same samples to the last of 16 bits, as the package that the field uses."""
    import musdb

    tracks = list(musdb.DB(root=str(root), is_wav=True, subsets="test"))
    assert [track.name for track in tracks] == musdb18.songs(root)
    assert tracks
    for track in tracks:
        song = musdb18.read_song(root, track.name)
        theirs = {"mixture": track.audio} | {stem: source.audio for stem, source in track.sources.items()}
        files = {"mixture": song.mixture} | {stem: path for stem, (path,) in song.stems.items()}
        assert theirs.keys() == files.keys() == set(FILES)
        for name, path in files.items():
            ours = Clip.read(root / path)
            assert ours.rate == track.rate
            assert np.array_equal(ours.samples, theirs[name]), (track.name, name)


@needs_ffmpeg
def test_a_rendered_tree_has_the_samples_that_musdb_reads(rendered: Path) -> None:
    assert len(musdb18.songs(rendered)) == 2
    assert_equal_to_musdb(rendered)


@needs_ffmpeg
def test_full_scale_and_odd_names_have_the_samples_that_musdb_reads(make_song: MakeSong, tmp_path: Path) -> None:
    for name in ("A - B - C", "The Easton Ellises (Baumi) - SDRNR", "Juliet's Rescue - Heartbeats", "M.E.R.C. - 100%"):
        make_song(name)
    assert_equal_to_musdb(tmp_path)


def test_a_rendered_song_can_be_cut_and_opened(rendered: Path) -> None:
    name = musdb18.songs(rendered)[0]
    assert musdb18.has_song(rendered, name)
    song = musdb18.read_song(rendered, name)
    assert song.mixture == f"test/{name}/mixture.wav"
    assert song.stems == {stem: (f"test/{name}/{stem}.wav",) for stem in STEMS}
    assert song.flags == ()
    cut = excerpts.cut(rendered, song, edited={"vocals", "bass"}, duration_s=2.0)
    assert cut.stem_sum_sdr_db is None  # the sum, to the last bit
    mixture, stems = read_stems(rendered, song.mixture, song.stems, cut.excerpt.start_s, 2.0)
    assert mixture.length == 2 * RATE
    assert np.array_equal(mixture.samples, Clip.sum(list(stems.values())).samples)


def test_the_reader_needs_neither_ffmpeg_nor_the_import_of_musdb(make_song: MakeSong, tmp_path: Path) -> None:
    make_song("A - B")
    script = (
        "import sys, pathlib; from tasks.multitrack import musdb18; root = pathlib.Path(sys.argv[1]);"
        "song = musdb18.read_song(root, musdb18.songs(root)[0]);"
        "print(song.track, 'musdb' in sys.modules, 'stempeg' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PATH": ""},
        cwd=Path(musdb18.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == "A - B False False"


def test_songs_are_those_of_the_test_set_in_order(make_song: MakeSong, tmp_path: Path) -> None:
    for name in ("b - B", "A - B", "Z - B"):
        make_song(name)
    (tmp_path / "train" / "X - Y").mkdir(parents=True)
    (tmp_path / "test" / ".cache").mkdir()
    (tmp_path / "test" / "notes.txt").write_text("x")
    assert musdb18.songs(tmp_path) == ["A - B", "Z - B", "b - B"]
    assert not musdb18.has_song(tmp_path, "X - Y")
    assert not musdb18.has_song(tmp_path, "notes.txt")


def test_only_a_test_set_in_this_layout_is_recognised(make_song: MakeSong, tmp_path: Path) -> None:
    root = tmp_path / "hq"
    assert not musdb18.recognises(root)
    (root / "test" / "A - B").mkdir(parents=True)
    assert not musdb18.recognises(root)
    make_song("A - B", root=root)
    assert [musdb18.recognises(path) for path in (root, root / "test", tmp_path)] == [True, False, False]


def test_errata_are_flags_of_their_tracks(make_song: MakeSong, tmp_path: Path) -> None:
    assert set(musdb18.ERRATA) < set(MUSDB18_TEST)
    expected = {"PR - Oh No": ("erratum-mixture-not-sum",), "BKS - Bulldozer": ("erratum-drums-in-other",)}
    for name, flags in (expected | {"PR - Happy Daze": (), "BKS - Too Much": ()}).items():
        make_song(name)
        assert musdb18.read_song(tmp_path, name).flags == flags
    make_song("Detsky Sad - Walkie Talkie", rate=16_000)
    flags = musdb18.read_song(tmp_path, "Detsky Sad - Walkie Talkie").flags
    assert flags == ("erratum-other-in-drums", "resampled")


def test_only_drums_are_known_not_to_be_one_line(make_song: MakeSong, tmp_path: Path) -> None:
    make_song("A - B")
    song = musdb18.read_song(tmp_path, "A - B")
    assert {stem: song.monophonic(stem) for stem in STEMS} == {
        "vocals": None,
        "drums": False,
        "bass": None,
        "other": None,
    }


# -- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(file: str, make_song: MakeSong, tmp_path: Path) -> None:
    (make_song("A - B") / f"{file}.wav").unlink()
    assert musdb18.has_song(tmp_path, "A - B")
    with pytest.raises(
        DataError, match=f"1 of the track's 5 files are not there, first test/A - B/{file}.wav"
    ) as caught:
        musdb18.read_song(tmp_path, "A - B")
    assert caught.value.code == "data/musdb18-incomplete"


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_named(file: str, make_song: MakeSong, tmp_path: Path) -> None:
    path = make_song("A - B") / f"{file}.wav"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(AudioError) as caught:
        musdb18.read_song(tmp_path, "A - B")
    assert caught.value.code == "audio/truncated"
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("clip", "says"),
    [
        (Clip.silence(0.25, RATE, 2), "44100 Hz, 2 channels, 11025 samples; the mixture: .*22050 samples"),
        (Clip.silence(0.5, RATE, 1), "44100 Hz, 1 channels"),
        (Clip.silence(0.5, 22_050, 2), "22050 Hz"),
    ],
    ids=["length", "channels", "rate"],
)
def test_a_stem_of_another_recording_is_refused(clip: Clip, says: str, make_song: MakeSong, tmp_path: Path) -> None:
    path = make_song("A - B") / "bass.wav"
    clip.write_wav(path)
    with pytest.raises(DataError, match=says) as caught:
        musdb18.read_song(tmp_path, "A - B")
    assert caught.value.code == "data/musdb18-uneven"
    assert caught.value.where == str(path)


def test_an_unknown_track_gets_the_nearest_name(make_song: MakeSong, tmp_path: Path) -> None:
    make_song("Al James - Schoolboy Facination")
    with pytest.raises(DataError, match="Did you mean Al James - Schoolboy Facination") as caught:
        musdb18.read_song(tmp_path, "Al James - Schoolboy Fascination")
    assert caught.value.code == "data/musdb18-no-track"


@pytest.mark.parametrize("given", ["data", "data/hq/test", "data/hq/train", "data/hq/test/A - B"])
def test_a_wrong_root_is_told_the_right_one(given: str, make_song: MakeSong, tmp_path: Path) -> None:
    root = tmp_path / "data" / "hq"
    make_song("A - B", root=root)
    (root / "train").mkdir()
    for look in (musdb18.songs, lambda path: musdb18.has_song(path, "A - B")):
        with pytest.raises(DataError, match=rf"Give {root} instead") as caught:
            look(tmp_path / given)
        assert caught.value.code == "data/no-musdb18"
    assert musdb18.songs(root) == ["A - B"]


@pytest.mark.parametrize("given", ["", "nothing"])
def test_a_root_without_any_track_is_told_the_layout(given: str, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match=r"test/<Artist - Title>/mixture\.wav") as caught:
        musdb18.songs(tmp_path / given)
    assert caught.value.code == "data/no-musdb18"


def test_a_folder_too_many_is_found(make_song: MakeSong, tmp_path: Path) -> None:
    make_song("A - B")
    shutil.copytree(tmp_path / "test" / "A - B", tmp_path / "test" / "C - D" / "C - D")
    for look in (musdb18.songs, lambda path: musdb18.read_song(path, "C - D")):
        with pytest.raises(DataError, match="folder too many") as caught:
            look(tmp_path)
        assert caught.value.code == "data/musdb18-nested"
        assert caught.value.where == str(tmp_path / "test" / "C - D")
    assert musdb18.read_song(tmp_path, "A - B").track == "A - B"


def test_the_compressed_form_is_not_taken_for_hq(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "A - B.stem.mp4").write_bytes(b"x")
    for given in (tmp_path, tmp_path / "test"):
        with pytest.raises(DataError, match=r"3338373.*timbrebench tasks decode") as caught:
            musdb18.has_song(given, "A - B")
        assert caught.value.code == "data/musdb18-stems"


# -- the .stem.mp4 form -----------------------------------------------------------------------------------------------


@pytest.fixture
def stem_tree(tmp_path: Path) -> Path:
    """One real file of MUSDB18, shortened, which comes with stempeg."""
    import stempeg

    example = Path(stempeg.example_stem_path())
    (tmp_path / "mp4" / "test").mkdir(parents=True)
    shutil.copy(example, tmp_path / "mp4" / "test")
    return tmp_path / "mp4"


@needs_ffmpeg
def test_decoded_stems_are_musdbs_and_say_what_they_are(stem_tree: Path, tmp_path: Path) -> None:
    import musdb

    out = tmp_path / "wav"
    (name,) = musdb18.decode_stems(stem_tree, out)
    song = musdb18.read_song(out, name)
    assert song.flags == ("aac-stems",)
    (track,) = musdb.DB(root=str(stem_tree), subsets="test")
    assert track.name == name == "The Easton Ellises - Falcon 69"
    mixture, stems = read_stems(out, song.mixture, song.stems, 0.0, track.duration)
    assert np.array_equal(mixture.samples, track.audio)
    for stem, clip in stems.items():
        assert np.array_equal(clip.samples, track.sources[stem].audio), stem
    assert len({clip.sha256 for clip in stems.values()}) == 4
    assert_equal_to_musdb(out)


@needs_ffmpeg
def test_decoding_goes_on_where_it_stopped(stem_tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "wav"
    (name,) = musdb18.decode_stems(stem_tree, out)
    files = {file: out / "test" / name / f"{file}.wav" for file in FILES}
    whole = {file: (path.read_bytes(), path.stat().st_mtime_ns) for file, path in files.items()}
    files["bass"].unlink()
    musdb18.decode_stems(stem_tree, out)
    assert files["bass"].read_bytes() == whole["bass"][0]
    assert all(path.stat().st_mtime_ns == whole[file][1] for file, path in files.items() if file != "bass")


@needs_ffmpeg
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.98])
def test_a_cut_off_stem_file_is_named(keep: float, stem_tree: Path, tmp_path: Path) -> None:
    (path,) = (stem_tree / "test").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[: round(keep * len(data))])
    with pytest.raises(DataError) as caught:
        musdb18.decode_stems(stem_tree, tmp_path / "wav")
    assert caught.value.code == "data/musdb18-stems-damaged"
    assert caught.value.where == str(path)


@needs_ffmpeg
def test_decoded_stems_are_not_mixed_with_hq(stem_tree: Path, make_song: MakeSong, tmp_path: Path) -> None:
    make_song("A - B", root=tmp_path / "hq")
    with pytest.raises(DataError) as caught:
        musdb18.decode_stems(stem_tree, tmp_path / "hq")
    assert caught.value.code == "data/musdb18-out-taken"
    assert musdb18.songs(tmp_path / "hq") == ["A - B"]


def test_decoding_needs_files_and_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError) as caught:
        musdb18.decode_stems(tmp_path, tmp_path / "wav")
    assert caught.value.code == "data/no-musdb18-stems"
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "A - B.stem.mp4").write_bytes(b"x")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="apt install ffmpeg") as without:
        musdb18.decode_stems(tmp_path, tmp_path / "wav")
    assert without.value.code == "data/no-ffmpeg"
    assert not (tmp_path / "wav").exists()
