"""The user's own songs: what is guessed, what `song.yaml` says, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from multitrack_recordings import noise, write

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import read_stems
from tasks.multitrack import folder


def named(song: folder.Song) -> dict[str, tuple[str, str | None]]:
    return {file.path.partition("/")[2]: (file.stem, file.instrument) for file in song.files}


# -- without a song.yaml ----------------------------------------------------------------------------------------------


def test_stems_are_told_by_their_names(tmp_path: Path) -> None:
    for name in ("drums.wav", "Lead Violin.flac", "03_bass_gtr.wav", "vox.ogg", "take 7.aiff"):
        write(tmp_path / "Night Train" / name)
    (tmp_path / "Night Train" / "notes.txt").write_text("not audio")
    (tmp_path / "Night Train" / "._drums.wav").write_bytes(b"what macOS leaves behind")
    assert folder.recognises(tmp_path)
    assert folder.songs(tmp_path) == ["Night Train"]
    song = folder.read_song(tmp_path, "Night Train")
    assert named(song) == {
        "drums.wav": ("drums", "drums"),
        "Lead Violin.flac": ("other", "violin"),
        "03_bass_gtr.wav": ("bass", "electric-bass"),
        "vox.ogg": ("vocals", "vocals"),
        "take 7.aiff": ("other", None),
    }
    assert (song.title, song.licence, song.mixture) == ("Night Train", "not stated", None)
    assert song.monophonic("bass") is True
    assert song.monophonic("other") is False  # two files


@pytest.mark.parametrize("mixture", ["mix.wav", "Mixture.flac"])
def test_the_mixture_is_told_by_its_name(mixture: str, tmp_path: Path) -> None:
    write(tmp_path / "A" / mixture)
    for name in ("drums.wav", "piano.wav"):
        write(tmp_path / "A" / "stems" / name)
    song = folder.read_song(tmp_path, "A")
    assert song.mixture == f"A/{mixture}"
    assert song.stems == {"drums": ("A/stems/drums.wav",), "other": ("A/stems/piano.wav",)}


def test_drum_microphones_are_one_kit(tmp_path: Path) -> None:
    for name in ("Kick In.wav", "Snare Top.wav", "OH L.wav", "Bass DI.wav"):
        write(tmp_path / "A" / name)
    assert folder.read_song(tmp_path, "A").instruments == {"drums": ("drum-kit",), "bass": ("bass",)}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["mix.wav", "mixture.flac", "drums.wav"], "both mix.wav and mixture.flac may be the mixture"),
        (["Night Train_master.wav", "drums.wav"], "Night Train_master.wav may be the mixture or a stem"),
        (["night train.wav", "drums.wav"], "night train.wav may be the mixture or a stem"),
        (["final mix 3.wav", "drums.wav"], "may be the mixture or a stem"),
        (["drums.wav", "stems/bass.wav"], "both beside and in its folder 'stems'"),
    ],
)
def test_what_is_not_clear_is_asked(names: list[str], says: str, tmp_path: Path) -> None:
    for name in names:
        write(tmp_path / "Night Train" / name)
    with pytest.raises(DataError, match=says) as caught:
        folder.read_song(tmp_path, "Night Train")
    assert caught.value.code == "data/song-unclear"
    assert "song.yaml" in caught.value.remedy


def test_a_mix_of_a_stem_is_a_stem(tmp_path: Path) -> None:
    for name in ("drum mix.wav", "bass_mix.wav"):
        write(tmp_path / "A" / name)
    assert set(folder.read_song(tmp_path, "A").stems) == {"drums", "bass"}


def test_a_song_without_stems(tmp_path: Path) -> None:
    write(tmp_path / "A" / "mix.wav")
    with pytest.raises(DataError) as caught:
        folder.read_song(tmp_path, "A")
    assert caught.value.code == "data/no-stems"


# -- which folders are songs ------------------------------------------------------------------------------------------


def test_folders_without_audio_are_no_songs(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "readme.txt").touch()
    assert not folder.recognises(tmp_path)
    assert not folder.recognises(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no songs") as caught:
        folder.songs(tmp_path)
    assert caught.value.code == "data/no-songs"
    write(tmp_path / "A" / "drums.wav")
    write(tmp_path / ".trash" / "drums.wav")
    assert folder.songs(tmp_path) == ["A"]


def test_audio_where_nobody_looks_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "A" / "drums.wav")
    write(tmp_path / "B" / "Audio Files" / "drums.wav")
    with pytest.raises(DataError, match=r"song 'B'.*Audio Files/drums\.wav") as caught:
        folder.songs(tmp_path)
    assert caught.value.code == "data/song-nested"


def test_one_song_is_not_a_folder_of_songs(tmp_path: Path) -> None:
    write(tmp_path / "songs" / "A" / "drums.wav")
    with pytest.raises(DataError, match=f"Give {tmp_path / 'songs'} instead"):
        folder.songs(tmp_path / "songs" / "A")
    with pytest.raises(DataError, match="Did you mean A"):
        folder.read_song(tmp_path / "songs", "A2")


# -- song.yaml --------------------------------------------------------------------------------------------------------


def put(root: Path, text: str, *files: str) -> Path:
    for name in files or ("stems/lead.wav", "stems/keys.wav"):
        write(root / "A" / name)
    (root / "A" / "song.yaml").write_text(text, encoding="utf-8")
    return root / "A" / "song.yaml"


def test_a_song_file_says_it_all(tmp_path: Path) -> None:
    put(
        tmp_path,
        """
        title: "<script>alert(1)</script> 夜"
        licence: CC BY 4.0
        mixture: mixes/final.flac
        stems:
          - {file: stems/lead.wav, instrument: Fiddle}
          - {file: stems/keys.wav, instrument: piano, stem: bass, single_line: true}
          - {file: stems/vox 2.wav}
        """,
        "mixes/final.flac", "stems/lead.wav", "stems/keys.wav", "stems/vox 2.wav", "stems/unused.wav",
    )  # fmt: skip
    song = folder.read_song(tmp_path, "A")
    assert song.title == "<script>alert(1)</script> 夜"
    assert (song.track, song.licence, song.mixture) == ("A", "CC BY 4.0", "A/mixes/final.flac")
    assert named(song) == {
        "stems/lead.wav": ("other", "violin"),
        "stems/keys.wav": ("bass", "piano"),
        "stems/vox 2.wav": ("vocals", "vocals"),
    }
    assert (song.monophonic("bass"), song.monophonic("other")) == (True, None)


def test_a_song_file_may_say_less(tmp_path: Path) -> None:
    put(tmp_path, "title: Night Train", "mix.wav", "violin.wav")
    song = folder.read_song(tmp_path, "A")
    assert (song.title, song.mixture, song.instruments) == ("Night Train", "A/mix.wav", {"other": ("violin",)})
    put(tmp_path, "mixture: sum\nstems: [{file: mix.wav, stem: drums}, {file: violin.wav}]", "mix.wav", "violin.wav")
    song = folder.read_song(tmp_path, "A")
    assert song.mixture is None
    mixture, stems = read_stems(tmp_path, song.mixture, song.stems, 0.0, 0.5)
    assert mixture.sha256 == Clip.sum(list(stems.values())).sha256


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stems: [{file: stems/lead.wav, instrument: violen}]", "violen.*Did you mean violin"),
        ("stems: [{file: stems/lead.wav, instrument: zzzz}]", r"docs/instruments\.md"),
        ("stems: [{file: stems/lead.wav, stem: guitar}]", r"stems\.0\.stem: .*'vocals', 'drums', 'bass' or 'other'"),
        ("stems: [{file: stems/lead.wav, single_line: 'yes'}]", r"stems\.0\.single_line: "),
        ("stems: [{file: stems/lead.wav, instument: violin}]", r"stems\.0\.instument: Extra"),
        ("stems: [{instrument: violin}]", r"stems\.0\.file: Field required"),
        ("stems: []", "stems: "),
        ("stem: [{file: stems/lead.wav}]", "stem: Extra"),
        ("title: 1979", "title: "),
        ("title: ''", "title: "),
        ("stems: [{file: ../B/drums.wav}]", r"stems\.0\.file: .*not a path inside"),
        ("stems: [{file: stems/../../B/drums.wav}]", "not a path inside"),
        ("stems: [{file: /etc/passwd}]", "not a path inside"),
        ("stems: [{file: 'C:/drums.wav'}]", "not a path inside"),
        ("stems: [{file: 'stems\\lead.wav'}]", "not a path inside"),
        ("mixture: ../B/drums.wav", "mixture: .*not a path inside"),
        ("a: &a [x]\nb: [*a, *a]", "aliases"),
    ],
)
def test_a_bad_song_file_names_the_field(text: str, says: str, tmp_path: Path) -> None:
    write(tmp_path / "B" / "drums.wav")
    where = put(tmp_path, text)
    with pytest.raises(DataError, match=says) as caught:
        folder.read_song(tmp_path, "A")
    assert (caught.value.code, caught.value.where) == ("data/song-file", str(where))


def test_a_file_that_is_named_must_be_there_once(tmp_path: Path) -> None:
    put(tmp_path, "stems: [{file: stems/lead.wav}, {file: stems/gone.wav}]")
    with pytest.raises(AudioError) as missing:
        folder.read_song(tmp_path, "A")
    assert missing.value.code == "audio/missing"
    assert missing.value.where == str(tmp_path / "A" / "stems" / "gone.wav")
    put(tmp_path, "stems: [{file: stems/lead.wav}, {file: stems/lead.wav, stem: bass}]")
    with pytest.raises(DataError, match=r"stems/lead\.wav is named twice"):
        folder.read_song(tmp_path, "A")
    put(tmp_path, "mixture: stems/lead.wav\nstems: [{file: stems/lead.wav}]")
    with pytest.raises(DataError, match="named twice"):
        folder.read_song(tmp_path, "A")


# -- files ------------------------------------------------------------------------------------------------------------


def test_links_must_stay_in_the_song(tmp_path: Path) -> None:
    write(tmp_path / "B" / "drums.wav")
    write(tmp_path / "A" / "originals" / "piano.wav")
    (tmp_path / "A" / "piano.wav").symlink_to(tmp_path / "A" / "originals" / "piano.wav")
    assert set(folder.read_song(tmp_path, "A").stems) == {"other"}
    (tmp_path / "A" / "drums.wav").symlink_to(tmp_path / "B" / "drums.wav")
    with pytest.raises(DataError, match=r"drums\.wav is a link that leads out") as caught:
        folder.read_song(tmp_path, "A")
    assert caught.value.code == "data/song-outside"


def test_a_linked_folder_does_not_lead_out(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "drums.wav")
    (tmp_path / "songs" / "A").mkdir(parents=True)
    (tmp_path / "songs" / "A" / "stems").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError) as caught:
        folder.read_song(tmp_path / "songs", "A")
    assert caught.value.code == "data/song-outside"


@pytest.mark.parametrize("name", ["back\\slash", "C:drive", "not utf-8 \udcff"])
def test_names_that_no_tasks_file_can_hold(name: str, tmp_path: Path) -> None:
    try:
        write(tmp_path / name / "drums.wav")
    except OSError:
        pytest.skip("this file system does not have such names")
    with pytest.raises(DataError, match="cannot be written in a tasks file") as caught:
        folder.read_song(tmp_path, name)
    assert caught.value.code == "data/song-name"
    caught.value.cause.encode()  # can be printed


@pytest.mark.parametrize("name", ["<script>alert(1)<script>", "tab\tand\nnewline", "🎸 夜", "x" * 200, "a ...", "~"])
def test_odd_names_are_kept_as_they_are(name: str, tmp_path: Path) -> None:
    write(tmp_path / name / "drums.wav")
    (found,) = folder.songs(tmp_path)
    song = folder.read_song(tmp_path, found)
    assert (song.track, song.title) == (found, found)


def test_files_of_one_song_share_rate_and_length(tmp_path: Path) -> None:
    write(tmp_path / "A" / "drums.wav", noise(seconds=1.0))
    write(tmp_path / "A" / "bass.wav", noise(seconds=0.95))  # within the tolerance
    assert len(folder.read_song(tmp_path, "A").files) == 2
    write(tmp_path / "A" / "bass.wav", noise(seconds=0.85))
    with pytest.raises(DataError, match=r"bass\.wav has 0\.850 s and drums\.wav 1\.000 s") as uneven:
        folder.read_song(tmp_path, "A")
    assert uneven.value.code == "data/song-uneven"
    write(tmp_path / "A" / "bass.wav", noise(seconds=1.0, rate=16_000))
    with pytest.raises(DataError, match=r"bass\.wav has 16000 Hz and drums\.wav 8000 Hz"):
        folder.read_song(tmp_path, "A")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "A" / "drums.wav")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AudioError) as caught:
        folder.read_song(tmp_path, "A")
    assert (caught.value.code, caught.value.where) == ("audio/truncated", str(path))
