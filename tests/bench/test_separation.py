"""Separation: the real HTDemucs class and our loading of it, on a small random network."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bench.audio import Clip
from bench.checkpoints import Checkpoint
from bench.errors import AudioError, ModelError
from bench.identity import sha256_file
from bench.separation import HtDemucs, read_package

STEMS = {"vocals", "drums", "bass", "other"}


def noise(seconds: float = 1.3, *, rate: int = 44_100, channels: int = 2, seed: int = 0) -> Clip:
    return Clip.of(np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate), channels)), rate)


@pytest.fixture(scope="module")
def separator(tiny_demucs: Path) -> HtDemucs:
    return HtDemucs(weights=tiny_demucs / "tiny.safetensors")


def test_a_clip_of_any_kind_becomes_four_stereo_stems(separator: HtDemucs) -> None:
    clips = [noise(), noise(0.5, rate=16_000, channels=1), noise(0.5, rate=48_000)]
    for clip, stems in zip(clips, separator.separate(clips), strict=True):
        assert set(stems) == STEMS
        expected = clip.resample(44_100).length
        assert {(s.rate, s.channels, s.length) for s in stems.values()} == {(44_100, 2, expected)}
        assert all(np.isfinite(stem.samples).all() and stem.peak > 0 for stem in stems.values())


def test_stems_are_those_of_the_package(separator: HtDemucs, tiny_demucs: Path) -> None:
    """Its own loader, and its normalisation around `apply_model` (`demucs.api.Separator.separate_tensor`)."""
    from demucs.apply import apply_model
    from demucs.hf import load_safetensors_model

    model, clip = load_safetensors_model(tiny_demucs / "tiny.safetensors").eval(), noise()
    mix = torch.from_numpy(clip.samples.T.copy())
    reference = mix.mean(0)
    mean, scale = reference.mean(), reference.std() + 1e-8
    expected = (apply_model(model, ((mix - mean) / scale)[None], shifts=0)[0] * scale + mean).numpy()
    [stems] = separator.separate([clip])
    for name, stem in zip(model.sources, expected, strict=True):
        np.testing.assert_allclose(stems[name].samples.T, stem, atol=1e-6)


def test_the_same_clip_has_the_same_stems_whatever_is_beside_it(separator: HtDemucs, tiny_demucs: Path) -> None:
    first, second, short = noise(seed=1), noise(seed=2), noise(0.4, seed=3)
    alone = separator.separate([first])[0]
    again = separator.separate([first])[0]
    together = HtDemucs(weights=tiny_demucs / "tiny.safetensors")
    together.batch = 2
    among = together.separate([short, second, first])[2]
    for name, stem in alone.items():
        assert np.array_equal(stem.samples, again[name].samples)
        np.testing.assert_allclose(stem.samples, among[name].samples, atol=1e-5 * stem.peak)


def test_louder_in_louder_out(separator: HtDemucs) -> None:
    one, two = separator.separate([noise(), noise().scaled(0.5)])
    for name, stem in one.items():
        np.testing.assert_allclose(two[name].samples, 0.5 * stem.samples, atol=1e-5)


def test_silence_stays_silence_among_sounds(separator: HtDemucs, tiny_demucs: Path) -> None:
    together = HtDemucs(weights=tiny_demucs / "tiny.safetensors")
    together.batch = 2
    silent, sounding = together.separate([Clip.silence(1.3, 44_100, 2), noise()])
    assert all(stem.peak == 0.0 for stem in silent.values())
    assert all(stem.peak > 0.0 for stem in sounding.values())
    assert separator.separate([]) == []


@pytest.mark.parametrize(
    ("clip", "code"),
    [
        (Clip.of(np.zeros((0, 2)), 44_100), "audio/too-short"),
        (Clip.of(np.ones(1), 44_100), "audio/too-short"),
        (Clip.of(np.array([0.0, np.nan, 0.0]), 44_100), "audio/non-finite"),
    ],
)
def test_what_cannot_be_separated(clip: Clip, code: str, separator: HtDemucs) -> None:
    with pytest.raises(AudioError) as caught:
        separator.separate([noise(), clip])
    assert caught.value.code == code


# -- weights ----------------------------------------------------------------------------------------------------------


def test_both_published_forms_are_the_same_separator(separator: HtDemucs, tiny_demucs: Path) -> None:
    pickled = HtDemucs(weights=tiny_demucs / "tiny.th")
    assert pickled.identity == separator.identity
    assert "htdemucs@1[weights sha256:" in separator.identity
    one, other = (each.separate([noise()])[0] for each in (separator, pickled))
    assert all(np.array_equal(one[name].samples, other[name].samples) for name in STEMS)


def test_other_weights_are_another_separator(separator: HtDemucs, tiny_demucs: Path, tmp_path: Path) -> None:
    changed = rewritten(tiny_demucs, tmp_path)
    state = load_file(changed)
    next(iter(state.values())).view(-1)[0] += 1
    save_file(state, changed, metadata=metadata(tiny_demucs))
    assert HtDemucs(weights=changed).identity != separator.identity


class Tiny(HtDemucs):
    """As published, but smaller and near."""

    published: ClassVar[tuple[Checkpoint, ...]]


@pytest.fixture
def published(tiny_demucs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where the user may put checkpoints. Published is what lies in the small network's folder."""
    forms = [
        Checkpoint(path.name, path.as_uri(), path.stat().st_size, sha256_file(path), "MIT")
        for path in (tiny_demucs / "tiny.safetensors", tiny_demucs / "tiny.th")
    ]
    monkeypatch.setattr(Tiny, "published", tuple(forms), raising=False)
    monkeypatch.setenv("TIMBREBENCH_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_either_form_is_found_where_the_user_put_it(published: Path, tiny_demucs: Path, separator: HtDemucs) -> None:
    (published / "tiny.th").write_bytes((tiny_demucs / "tiny.th").read_bytes())
    assert Tiny().identity == separator.identity
    assert not (published / "cache").joinpath("v1", "checkpoints").exists(), "nothing is fetched"


def test_safetensors_are_fetched_if_neither_is_here(published: Path, separator: HtDemucs) -> None:
    assert Tiny().identity == separator.identity
    assert [path.name for path in (published / "cache" / "v1" / "checkpoints").glob("*.safetensors")] == [
        "tiny.safetensors"
    ]


def test_a_file_that_is_not_the_published_one_is_refused(published: Path) -> None:
    (published / "tiny.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelError) as caught:
        _ = Tiny().identity
    assert caught.value.code == "model/wrong-file"


def test_without_weights_the_error_says_what_to_put_where(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Checkpoint("absent.safetensors", "https://localhost/absent.safetensors", None, None, "MIT")
    monkeypatch.setattr(Tiny, "published", (nowhere,))
    with pytest.raises(ModelError) as caught:
        Tiny().separate([noise()])
    assert caught.value.code == "model/missing"
    assert "absent.safetensors" in caught.value.cause
    assert str(published / "absent.safetensors") in caught.value.remedy


class Opens:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_that_wants_more_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"klass": Opens(tmp_path / "run"), "args": (), "kwargs": {}, "state": {}}, tmp_path / "evil.th")
    with pytest.raises(ModelError) as caught:
        read_package(tmp_path / "evil.th")
    assert caught.value.code == "model/pickle"
    assert not (tmp_path / "run").exists()


def metadata(folder: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(folder / "tiny.safetensors", framework="pt") as file:
        return dict(file.metadata())


def rewritten(folder: Path, to: Path, **changes: Any) -> Path:
    """The small network's file, with other arguments."""
    about = metadata(folder)
    kwargs = json.loads(about["kwargs"]) | changes
    save_file(load_file(folder / "tiny.safetensors"), to / "other.safetensors", about | {"kwargs": json.dumps(kwargs)})
    return to / "other.safetensors"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"channels": 16}, "model/unreadable"),
        ({"sources": ["drums", "bass", "other", "piano"]}, "model/unsupported"),
        ({"samplerate": 16_000}, "model/unsupported"),
        ({"no_longer_known": 3}, None),  # dropped, as the package does
    ],
)
def test_arguments_that_do_not_fit(
    changes: dict[str, Any], code: str | None, tiny_demucs: Path, tmp_path: Path
) -> None:
    separator = HtDemucs(weights=rewritten(tiny_demucs, tmp_path, **changes))
    if code is None:
        assert set(separator.separate([noise(0.3)])[0]) == STEMS
        return
    with pytest.raises(ModelError) as caught:
        separator.separate([noise(0.3)])
    assert caught.value.code == code


def test_files_that_are_no_package(tiny_demucs: Path, tmp_path: Path) -> None:
    save_file(load_file(tiny_demucs / "tiny.safetensors"), tmp_path / "bare.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tiny_demucs / "tiny.safetensors").read_bytes()[:5000])
    (tmp_path / "cut.th").write_bytes((tiny_demucs / "tiny.th").read_bytes()[:5000])
    torch.save({"some": torch.zeros(3)}, tmp_path / "weights.th")
    (tmp_path / "plain.th").write_bytes(pickle.dumps([1, 2], protocol=2))
    for name in ("bare.safetensors", "cut.safetensors", "cut.th", "weights.th", "plain.th", "absent.th"):
        with pytest.raises(ModelError) as caught:
            read_package(tmp_path / name)
        assert caught.value.code in {"model/unreadable", "model/pickle"}, name


def test_the_weights_of_another_network(tiny_demucs: Path, tmp_path: Path) -> None:
    about = metadata(tiny_demucs) | {"klass": "os.system"}
    save_file(load_file(tiny_demucs / "tiny.safetensors"), tmp_path / "other.safetensors", about)
    with pytest.raises(ModelError) as caught:
        read_package(tmp_path / "other.safetensors")
    assert caught.value.code == "model/unsupported"
