"""`timbrebench analyse` on little folders in NSynth's layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.audio import Clip
from bench.backbones.nano.backbone import UntrainedNano
from methods.mi_inpainting import analysis
from methods.mi_inpainting.ranking import Ranking

RATE = 16_000
HARMONICS = {"flute": 1, "reed": 8, "brass": 3}


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "RESAMPLES", 20)


@pytest.fixture
def nsynth(tmp_path: Path) -> Path:
    """Two instruments a family to train on, one to test; a quarter of a second each; test lacks the brass."""
    root = tmp_path / "little-nsynth"
    time = np.arange(RATE // 4) / RATE
    for family, harmonics in HARMONICS.items():
        for number, split in enumerate(("train", "train", "test")):
            folder = root / f"nsynth-{split}" / "audio"
            folder.mkdir(parents=True, exist_ok=True)
            if (family, split) == ("brass", "test"):
                continue
            for pitch in range(60, 72):
                frequency = 440 * 2 ** ((pitch - 69) / 12)
                wave = sum(np.sin(2 * np.pi * h * frequency * time) / (h + number) for h in range(1, harmonics + 1))
                Clip.of(0.2 * wave, RATE).write_wav(folder / f"{family}_acoustic_{number:03d}-{pitch:03d}-100.wav")
    return root


def test_mi_writes_a_ranking_that_the_method_takes(
    cli: Callable, nsynth: Path, tmp_path: Path, nano: UntrainedNano
) -> None:
    words = ("analyse", "mi", "--notes", nsynth, "--out", tmp_path / "new" / "ranking.json", "--frames", 120)
    done = cli(*words, "--per-note", 2, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    ranking = Ranking.read(tmp_path / "new" / "ranking.json")
    assert told["digest"] == ranking.digest
    ranking.check(nano)
    assert ranking.data["name"] == "little-nsynth"
    assert ranking.data["split"] == "train"
    assert ranking.data["families"] == ["brass", "flute", "reed"]
    assert (ranking.data["instruments"], ranking.data["notes"], ranking.data["frames"]) == (6, 60, 120)
    assert ranking.agreement["held_out"]["top_half"] == 4
    assert max(each.mi for each in ranking.channels) > 0.1
    assert Path(told["figure"]).read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "new" / "ranking.json").read_bytes()
    plain = cli(*words, "--per-note", 2)
    assert (tmp_path / "new" / "ranking.json").read_bytes() == before, "the same command makes the same file"
    assert "60 notes, 6 instruments, 3 families (little-nsynth, train)" in plain.out
    assert "other instruments: rank correlation" in plain.out


def test_mi_reads_one_split_by_itself(cli: Callable, nsynth: Path, tmp_path: Path) -> None:
    out = tmp_path / "test.json"
    done = cli("analyse", "mi", "--notes", nsynth / "nsynth-test", "--out", out, "--frames", 100, "--per-note", 4)
    assert done.code == 0, done.err
    ranking = Ranking.read(out)
    assert (ranking.data["split"], ranking.data["families"]) == ("all", ["flute", "reed"])
    assert ranking.agreement["held_out"] is None


def test_noise_level_asks_about_both_sets(cli: Callable, nsynth: Path, tmp_path: Path) -> None:
    out = tmp_path / "probe.json"
    few = ("--count", 60, "--steps", 20, "--levels", 3, "--draws", 1)
    done = cli("analyse", "noise-level", "--notes", nsynth, "--out", out, *few)
    assert done.code == 0, done.err
    written = json.loads(out.read_text())
    assert (written["kind"], written["format"]) == ("noise-level", 1)
    assert written["chance"] == pytest.approx(1 / 3, abs=1e-6)
    assert [curve["name"] for curve in written["curves"]] == ["same instruments", "other instruments"]
    assert [len(curve["points"]) for curve in written["curves"]] == [4, 4]
    assert written["curves"][0]["points"][0]["accuracy"] > 0.5
    assert (written["data"]["trained_on"], written["curves"][0]["notes"]) == (48, 12)
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "same instruments (12 notes, 6 instruments): at chance" in done.out


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("mi", "--notes", "nowhere", "--out", "x.json"), "this is not NSynth"),
        (("mi", "--notes", "{}", "--out", "x.json", "--split", "valid"), "no split 'valid'"),
        (("mi", "--notes", "{}", "--out", "x.png"), "the result is JSON"),
        (("mi", "--notes", "{}", "--out", "x.json", "--backbone", "nan"), "unknown backbone"),
        (("mi", "--notes", "{}", "--out", "x.json", "--revision", "main"), "takes no --revision"),
        (("mi", "--out", "x.json"), "Missing option"),
        (("noise-level", "--notes", "nowhere", "--out", "x.json"), "this is not NSynth"),
    ],
)
def test_wrong_requests_exit_2(cli: Callable, nsynth: Path, words: tuple[str, ...], cause: str) -> None:
    done = cli("analyse", *(word.format(nsynth) for word in words))
    assert done.code == 2
    assert cause in " ".join(done.err.split())
    assert not Path("x.json").exists()


def test_a_split_of_one_family_is_too_little(cli: Callable, nsynth: Path) -> None:
    for path in (nsynth / "nsynth-test" / "audio").glob("reed*"):
        path.unlink()
    done = cli("analyse", "mi", "--notes", nsynth, "--split", "test", "--out", "x.json")
    assert done.code == 3
    assert "1 families tell nothing about families" in " ".join(done.err.split())
