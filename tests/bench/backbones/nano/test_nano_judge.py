"""The judge: what it hears, what it does not go by, and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.backbones.nano.ship import SHIPPED
from bench.backbones.nano.train.judge import CROP, FOLDER, Judge, JudgeTask, read_judge, varied, write_judge
from bench.backbones.nano.train.loop import Settings, Trainer, read_checkpoint
from bench.backbones.nano.train.takes import TakenSong, read_takes
from bench.errors import ModelError
from bench.store.atomic import write_json

RATE = 16_000


def tone(partials: tuple[float, ...], pitch: float, seconds: float = 3.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    return 0.2 * sum(a * np.sin(2 * np.pi * (k + 1) * frequency * time) for k, a in enumerate(partials))


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> tuple[TakenSong, ...]:
    """Two sounds that differ in their partials, at several pitches."""
    folder = tmp_path_factory.mktemp("judge")
    for number, pitch in enumerate((60, 64, 67)):
        rows = np.stack([tone((1.0,), pitch), tone((0.3, 1.0, 0.8, 0.8, 0.6, 0.6), pitch)])
        np.save(folder / f"s{number}.npy", np.rint(rows * 32767).astype(np.int16))
        takes = [
            {"stem": "vocals", "sound": sound, "phrases": [sound], "names": [sound], "monophonic": True, "notes": []}
            for sound in ("dull", "bright")
        ]
        write_json(folder / f"s{number}.json", {"song": f"s{number}", "genre": "Test", "takes": takes})
    return read_takes(folder)


def test_it_learns_to_tell_two_sounds_apart_at_any_level(songs: tuple[TakenSong, ...], tmp_path: Path) -> None:
    task = JudgeTask(songs, batch=8)
    Trainer(task, Settings(steps=30, rate=2e-3, warmup=5, average=0.8), tmp_path).run()
    trained = read_checkpoint(tmp_path)
    assert trained is not None
    task.load_state(trained["averages"])
    judge = task.judge.eval()
    for sound, partials in (("dull", (1.0,)), ("bright", (0.3, 1.0, 0.8, 0.8, 0.6, 0.6))):
        for level in (1.0, 0.05):
            wave = (level * tone(partials, 62)).astype(np.float32)
            assert judge.sounds[int(judge.log_probabilities(wave).argmax())] == sound


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(["a", "b", "c"]).eval()


def test_level_does_not_move_it(judge: Judge) -> None:
    wave = np.random.default_rng(0).normal(size=CROP).astype(np.float32)
    torch.testing.assert_close(
        judge.log_probabilities(wave), judge.log_probabilities(wave * np.float32(0.1)), atol=1e-4, rtol=0
    )


def test_rests_are_not_judged_and_short_clips_are_repeated(judge: Judge) -> None:
    wave = np.random.default_rng(0).normal(size=CROP).astype(np.float32)
    with_rest = np.concatenate([wave, np.zeros(3 * CROP, np.float32)])
    kept = judge.log_probabilities(with_rest)
    assert kept.isfinite().all()
    assert (kept - judge.log_probabilities(np.zeros(CROP, np.float32))).abs().max() > 1e-3
    torch.testing.assert_close(
        judge.log_probabilities(wave[: CROP // 4]), judge.log_probabilities(np.tile(wave[: CROP // 4], 4))
    )


def test_variation_keeps_shape_and_depends_on_the_seed() -> None:
    mels = torch.randn(6, 256, 64) - 5
    first, again, other = (varied(mels, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.shape == mels.shape and first.isfinite().all()
    torch.testing.assert_close(first, again)
    assert not torch.allclose(first, other)


def test_a_judge_comes_back_from_its_files(judge: Judge, tmp_path: Path) -> None:
    write_judge(judge, tmp_path)
    back = read_judge(tmp_path)
    wave = np.random.default_rng(1).normal(size=CROP).astype(np.float32)
    assert back.sounds == judge.sounds and not back.training
    torch.testing.assert_close(back.log_probabilities(wave), judge.log_probabilities(wave), atol=2e-2, rtol=0)
    assert (tmp_path / "model.safetensors").stat().st_size < 1_000_000


def test_absent_and_damaged_files_are_named(judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the weights of the judge cannot be read") as caught:
        read_judge(tmp_path / "nothing")
    assert caught.value.code == "model/nano-judge"
    write_judge(judge, tmp_path)
    (tmp_path / "config.json").write_text('{"version": 1, "sounds": ["a", "b"]}')
    with pytest.raises(ModelError, match="cannot be read"):
        read_judge(tmp_path)
    (tmp_path / "config.json").write_text('{"version": 99, "sounds": ["a", "b", "c"]}')
    with pytest.raises(ModelError, match="version 99, not 1"):
        read_judge(tmp_path)


def test_the_shipped_judge_knows_every_sound_of_the_suite() -> None:
    from tasks.synth.sounds import SOUNDS

    assert set(read_judge(SHIPPED / FOLDER).sounds) == set(SOUNDS)
