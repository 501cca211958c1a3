"""Small networks of random weights, published as the real ones are; made once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import clap_converted
import clap_samples
import numpy as np
import pytest
import torch
from clap_samples import MakeClip

from bench.audio import Clip
from bench.embedder import Embedder
from bench.metrics.embedders import encodec as encodec_file
from bench.metrics.embedders.encodec import Encodec
from bench.metrics.embedders.hf_clap import HfClap
from bench.metrics.embedders.laion_clap import LaionClap


@pytest.fixture(scope="session", autouse=True)
def _no_bars() -> None:
    """transformers prints while it saves."""
    import transformers.utils.logging as log

    log.disable_progress_bar()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of checkpoints, `clap.pt` and `roberta-base/`, that `TIMBREBENCH_CHECKPOINTS` names."""
    folder = tmp_path_factory.mktemp("checkpoints")
    words = clap_samples.write_tokenizer(folder / "roberta-base")
    with clap_samples.mini_registered(folder), pytest.MonkeyPatch.context() as patch:
        clap_samples.write_published(folder / "clap.pt", clap_samples.random_weights(words))
        patch.setenv("TIMBREBENCH_CHECKPOINTS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def laion(published: Path) -> LaionClap:
    """`LaionClap` on the small checkpoint. Shared: nobody changes it."""
    return LaionClap(checkpoint=published / "clap.pt", amodel=clap_samples.MINI)


@pytest.fixture(scope="session")
def hf_folder(published: Path, laion: LaionClap) -> Path:
    """The same weights as a folder of transformers' `ClapModel`."""
    return clap_converted.write_converted(published / "hf", laion.tensors(), published / "roberta-base")


@pytest.fixture(scope="session")
def hf(hf_folder: Path) -> HfClap:
    """`HfClap` on that folder. Shared: nobody changes it."""
    return HfClap(model=hf_folder)


@pytest.fixture(scope="session")
def encodec(tmp_path_factory: pytest.TempPathFactory) -> Encodec:
    """EnCodec at 24 kHz with random weights. Shared: nobody changes it."""
    path = tmp_path_factory.mktemp("encodec") / "encodec.th"
    torch.save(encodec_file.build(Encodec.network).state_dict(), path)
    return Encodec(checkpoint=path)


@pytest.fixture(params=["laion", "hf", "encodec"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each embedder that can be made in a moment."""
    made: Embedder = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def make_clip() -> MakeClip:
    """Noise that differs by `seed`."""

    def make(rate: int, seconds: float, seed: int = 0) -> Clip:
        rng = np.random.default_rng(seed)
        return Clip.of(0.1 * rng.normal(size=round(seconds * rate)), rate)

    return make
