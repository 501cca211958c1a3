from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.backbones import mel
from bench.backbones.nano.clap import feature_extractor
from bench.backbones.nano.ship import read_words
from bench.backbones.nano.train import captions, parallel, stages
from bench.backbones.nano.train.clap import ALIKE, ClapFrontEnd, ClapTask
from bench.backbones.nano.train.loop import BEFORE, CHECKPOINT, LOG, Settings, Trainer, TrainingTask
from bench.backbones.nano.train.takes import TakenSong, read_takes
from bench.backbones.nano.train.text import TextSide
from bench.backbones.nano.train.vae import new_vae, standardise
from bench.errors import CorruptStoreError, DataError
from bench.task import STEMS
from tasks.synth.takes import TakesOrder, record_takes

SECONDS = 3.0


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short rendered songs."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / stages.TAKES).mkdir()
    for number in range(2):
        record_takes(TakesOrder(3, number, 6, SECONDS, folder / stages.TAKES))
    return folder


@pytest.fixture(scope="session")
def songs(workplace: Path) -> tuple[TakenSong, ...]:
    return read_takes(workplace / stages.TAKES)


class _Line(TrainingTask):
    """A line through noisy points: a training of a millisecond."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.line = nn.Linear(2, 1)
        self.modules = {"line": self.line}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        x = torch.from_numpy(rng.standard_normal((16, 2), np.float32))
        wanted = x @ torch.tensor([[1.0], [-2.0]]) + 0.01 * torch.randn(16, 1)
        return {"loss": (self.line(x) - wanted).square().mean()}


def _weights(folder: Path) -> torch.Tensor:
    found = torch.load(folder / CHECKPOINT, weights_only=True)
    return found["averages"]["line"]["weight"]


# -- the loop ---------------------------------------------------------------------------------------------------------


def test_training_learns_and_keeps_averages(tmp_path: Path) -> None:
    Trainer(_Line(), Settings(steps=400, rate=0.05, warmup=5, weight_decay=0.0), tmp_path).run()
    torch.testing.assert_close(_weights(tmp_path), torch.tensor([[1.0, -2.0]]), atol=0.02, rtol=0)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines[-1]["step"] == 400
    assert lines[-1]["loss"] < 0.01 * lines[0]["loss"]


def test_a_stopped_training_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    settings = Settings(steps=30, rate=0.05, warmup=5)
    Trainer(_Line(), settings, tmp_path / "whole").run()
    Trainer(_Line(), settings, tmp_path / "halves").run(until=13)
    resumed = Trainer(_Line(), settings, tmp_path / "halves")
    assert resumed.step == 13
    resumed.run()
    assert torch.equal(_weights(tmp_path / "whole"), _weights(tmp_path / "halves"))


def test_a_torn_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    trainer = Trainer(_Line(), Settings(steps=10, warmup=2), tmp_path)
    trainer.run(until=4)
    trainer.run(until=8)
    (tmp_path / CHECKPOINT).write_bytes((tmp_path / CHECKPOINT).read_bytes()[:-100])
    assert Trainer(_Line(), Settings(steps=10, warmup=2), tmp_path).step == 4
    (tmp_path / BEFORE).write_bytes(b"")
    with pytest.raises(CorruptStoreError) as caught:
        Trainer(_Line(), Settings(steps=10, warmup=2), tmp_path)
    assert caught.value.code == "nano/checkpoint-damaged"


def test_the_rate_warms_up_stays_and_falls() -> None:
    settings = Settings(steps=100, rate=1.0, warmup=10, decay=0.5)
    rates = [settings.rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[9:50]) == {1.0}
    assert all(a >= b for a, b in itertools.pairwise(rates[50:]))
    assert rates[-1] == pytest.approx(0.03)


# -- what is drawn ----------------------------------------------------------------------------------------------------


def test_takes_of_a_song_add_up(songs: tuple[TakenSong, ...]) -> None:
    song = songs[0]
    own = [takes[0] for takes in song.of_stem.values()]
    parts = sum(song.sum([take]) for take in own)
    np.testing.assert_allclose(song.sum(own), parts, atol=1e-6)
    np.testing.assert_array_equal(song.sum(own, start=500, length=100), song.sum(own)[500:600])
    assert song.length == SECONDS * 16_000
    assert {take.stem for take in own} == set(STEMS)
    assert len(song.takes) == 10


def test_a_rendered_song_is_not_rendered_again(workplace: Path) -> None:
    path = next((workplace / stages.TAKES).glob("*.npy"))
    before = path.stat().st_mtime_ns
    record_takes(TakesOrder(3, int(path.stem.split("-")[1]), 6, SECONDS, workplace / stages.TAKES))
    assert path.stat().st_mtime_ns == before


def test_without_songs_it_is_said_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_takes(tmp_path)
    assert "nano data" in str(caught.value)


def test_captions_name_every_take_and_nothing_else(songs: tuple[TakenSong, ...]) -> None:
    rng = np.random.default_rng(0)
    takes = [takes[0] for takes in songs[0].of_stem.values()]
    for _ in range(50):
        caption = captions.describe(takes, rng)
        for take in takes:
            assert any(name in caption for name in (*take.phrases, *take.names)), (caption, take)


def test_every_word_of_a_caption_is_one_token(songs: tuple[TakenSong, ...], pipeline) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        caption = captions.describe(songs[1].takes[:3], rng)
        words = caption.replace(",", " ,").replace(".", " .").replace("-", " - ").replace(":", " :").split()
        assert len(pipeline.tokenizer_2(caption).input_ids) <= len(words) + 2, caption


def test_groups_differ_in_one_instrument(songs: tuple[TakenSong, ...]) -> None:
    task = ClapTask(songs, read_words(), groups=1)
    group = task._group(np.random.default_rng(5))
    assert len(group) == ALIKE
    assert len({each.song.name for each in group}) == 1
    assert len({each.takes[1:] for each in group}) == 1
    assert len({each.takes[0].stem for each in group}) == 1


# -- what is computed -------------------------------------------------------------------------------------------------


def test_clap_front_end_is_transformers_own() -> None:
    rng = np.random.default_rng(0)
    wave = (0.1 * rng.standard_normal(160_000)).astype(np.float32)
    theirs = feature_extractor()(wave, sampling_rate=16_000, return_tensors="pt")["input_features"]
    ours = ClapFrontEnd()(torch.from_numpy(wave[None]))
    assert ours.shape == theirs.shape == (1, 1, 251, 64)
    torch.testing.assert_close(ours, theirs.float(), atol=2e-3, rtol=0)


def test_text_side_is_what_the_pipeline_makes_of_each_prompt_alone(pipeline) -> None:
    side = TextSide(pipeline.text_encoder, pipeline.tokenizer, read_words())
    side.t5, side.projection, side.gpt2 = (
        pipeline.text_encoder_2, pipeline.projection_model, pipeline.language_model,
    )  # fmt: skip
    prompts = ["A recording of a warm cello and punchy drums.", "", "violin"]
    with torch.no_grad():
        made = side(prompts)
        for row, prompt in enumerate(prompts):
            text, mask, loa = pipeline.encode_prompt(prompt, "cpu", 1, False)
            torch.testing.assert_close(made.loa[row], loa[0], atol=1e-4, rtol=0)
            torch.testing.assert_close(made.text[row, : int(mask.sum())], text[0], atol=1e-4, rtol=0)
        longest, _, both = pipeline.encode_prompt(prompts[0], "cpu", 1, True, negative_prompt="")
        empty = side([""], [longest.shape[1] - 1])
    torch.testing.assert_close(empty.loa[0], both[0], atol=1e-4, rtol=0)


def test_standardising_changes_the_latents_and_not_the_codec() -> None:
    mels = mel.MelFrontEnd().log_mel(0.1 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0)))[:, None]
    vae = new_vae(0).eval()
    with torch.no_grad():
        vae.quant_conv.bias[:8] += 3.0
        vae.quant_conv.weight[0] *= 1e-3  # a channel that carries nothing stays small
        before = vae.encode(mels).latent_dist.mode()
        decoded = vae.decode(before).sample
        standardise(vae, before)
        after = vae.encode(mels).latent_dist.mode()
        torch.testing.assert_close(vae.decode(after).sample, decoded, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(after.mean((0, 2, 3)), torch.zeros(8), atol=1e-2, rtol=0)
    stds = after.std((0, 2, 3))
    assert all(float(std) == pytest.approx(1.0, abs=0.02) or float(std) < 0.2 for std in stds)
    assert stds[0] < 0.2


# -- the stages -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_stage_trains_and_ships_and_nano_reads_it(workplace: Path) -> None:
    """The whole recipe in a few steps: what it leaves is a nano that edits."""
    from bench.audio import Clip
    from bench.backbones.nano.backbone import Nano

    words, made = read_words(), workplace / stages.MADE
    parallel.train("vae", workplace, words, steps=2)
    stages.write("vae", workplace, made, words)
    stages.encode(workplace, folder=made, track=lambda items, what, total: items)
    parallel.train("clap", workplace, words, steps=2)
    parallel.train("text", workplace, words, steps=2)
    parallel.train("unet", workplace, words, steps=1, processes=2)
    parallel.train("unet", workplace, words, steps=2)
    for stage in ("clap", "unet"):
        stages.write(stage, workplace, made, words)
    nano = Nano.load(model=made)
    encoded = nano.encode(Clip.of(np.random.default_rng(0).standard_normal(8000).astype(np.float32), 16_000))
    noise = nano.predict(encoded.latent, timestep=500, conditioning=nano.condition(["a violin"]))
    assert torch.isfinite(noise).all()


@pytest.mark.slow  # two processes import torch anew
def test_two_processes_descend_the_mean_of_their_losses(tmp_path: Path) -> None:
    """Each with half of the rows, they take the step that one takes with all."""
    from torch import multiprocessing

    multiprocessing.spawn(_half, args=(str(tmp_path / "store"), tmp_path), nprocs=2)
    found = torch.load(tmp_path / CHECKPOINT, weights_only=True)["modules"]["line"]["weight"]
    whole = _Halves(None)
    Trainer(whole, Settings(steps=3, warmup=1, clip=1e9), tmp_path / "whole").run()
    torch.testing.assert_close(found, whole.line.weight.data, atol=1e-5, rtol=0)


class _Halves(_Line):
    def __init__(self, half: int | None):
        super().__init__()
        self._rows = slice(None) if half is None else slice(8 * half, 8 * half + 8)

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        x = torch.from_numpy(np.random.default_rng(step).standard_normal((16, 2), np.float32))[self._rows]
        return {"loss": (self.line(x) - x @ torch.tensor([[1.0], [-2.0]])).square().mean()}


def _half(rank: int, meeting: str, folder: Path) -> None:
    from torch import distributed

    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    Trainer(_Halves(rank), Settings(steps=3, warmup=1, clip=1e9), folder, rank=rank, processes=2).run()
    distributed.destroy_process_group()
