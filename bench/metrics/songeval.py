"""SongEval: how would musicians rate the edit as a song? Five axes, from 1 to 5.

Coherence, musicality, memorability, clarity of structure, naturalness of vocal breathing and phrasing: MuQ's features
of the mono mean at 24 kHz (the input of its seventh layer) go through a small attention network. It was trained on
whole songs with vocals. Excerpts of ten seconds are outside of what it knows, and where nobody sings "naturalness"
means nothing: these values are for comparison with tables that have them, and with the copy-source control's, which
are the source's own.

A clip goes through in one piece, as published; memory grows with the square of its length. Ratings are not rounded.

Its weights (github.com/ASLP-lab/SongEval) are under CC BY-NC-SA 4.0, MuQ's under CC BY-NC 4.0. Every weight of the
attention network must fit; the published script loads what fits and leaves the rest random.

Source: Yao et al., 2025 (arXiv 2505.10793); MuQ: Zhu et al., 2025 (arXiv 2501.01108), package `muq`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.audio import Clip
from bench.checkpoints import Checkpoint, file_hash, locate
from bench.errors import ModelError
from bench.metric import Case, Missing, NetworkMetric
from bench.metrics.optional import Package
from bench.store import strict_json

if TYPE_CHECKING:
    import torch

PACKAGE = Package("muq", ("muq",), "uv pip install muq==0.1.0")
RATE = 24_000
LAYER = 6
MIN_S = 0.5
AXES = ("coherence", "musicality", "memorability", "clarity", "naturalness")

MUQ = "https://huggingface.co/OpenMuQ/MuQ-large-msd-iter/resolve/main"


class SongEval:
    """The network.

    Args:
        device: where it runs.
        folder: with `songeval/model.safetensors`, `muq/model.safetensors` and `muq/config.json`; by default the
            published ones.
    """

    published: ClassVar[tuple[Checkpoint, ...]] = (
        Checkpoint(
            "songeval/model.safetensors",
            "https://github.com/ASLP-lab/SongEval/raw/main/ckpt/model.safetensors",
            None,
            None,
            "CC-BY-NC-SA-4.0",
        ),
        Checkpoint("muq/model.safetensors", f"{MUQ}/model.safetensors", None, None, "CC-BY-NC-4.0"),
        Checkpoint("muq/config.json", f"{MUQ}/config.json", None, None, "CC-BY-NC-4.0"),
    )

    def __init__(self, device: str = "cpu", folder: Path | None = None):
        self.device = device
        self._folder = folder

    @cached_property
    def identity(self) -> str:
        """The package and the files by their hashes.

        Raises:
            ModelError: `model/missing` if the package is installed and the weights cannot be had.
        """
        if not PACKAGE.installed:
            return PACKAGE.described
        head, encoder, config = (file_hash(path)[:16] for path in self._files)
        return (
            f"{PACKAGE.described} weights sha256:{encoder} config sha256:{config} layer {LAYER}, "
            f"SongEval head sha256:{head}, {RATE} Hz mono soxr HQ, in one piece"
        )

    def rate(self, clips: Sequence[Clip]) -> list[dict[str, float]]:
        """Ratings by axis, of mono clips at 24 kHz, each alone."""
        import torch

        encoder, head = self._muq, self._head
        rated = []
        with torch.inference_mode():
            for clip in clips:
                features = features_of(encoder, torch.from_numpy(clip.samples.T.copy()).to(self.device))
                rated.append(dict(zip(AXES, ratings(head, features)[0].tolist(), strict=True)))
        return rated

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        if self._folder is not None:
            return tuple(locate(self._folder / checkpoint.file) for checkpoint in self.published)
        return tuple(locate(checkpoint) for checkpoint in self.published)

    @cached_property
    def _head(self) -> torch.nn.ModuleDict:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            head = head_of(load_file(self._files[0]))
        except (SafetensorError, OSError, RuntimeError, KeyError, ValueError) as error:
            raise _unfit(self._files[0], error) from error
        return head.eval().to(self.device)

    @cached_property
    def _muq(self) -> Any:
        from safetensors import SafetensorError
        from safetensors.torch import load_model

        weights, config = self._files[1:]
        try:
            about = strict_json.parse_object(config.read_bytes())
            about.get("w2v2_config", {}).setdefault("_attn_implementation", "eager")  # transformers 5 asks for it
            encoder = import_module("muq").MuQ(about)
            load_model(encoder, weights)
        except (SafetensorError, OSError, RuntimeError, TypeError, ValueError) as error:
            raise _unfit(weights, error) from error
        return encoder.eval().to(self.device)


def features_of(encoder: Any, signal: torch.Tensor) -> torch.Tensor:
    """What goes into the seventh layer of a MuQ, (clips, frames, width), for signals (clips, samples) at 24 kHz.

    That is `hidden_states[6]`, as published; the package reads it from a field that transformers 5 no longer fills.
    """
    seen: list[torch.Tensor] = []
    muq = encoder.model
    watch = muq.conformer.layers[LAYER].register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(args[0] if args else kwargs["hidden_states"]), with_kwargs=True
    )
    try:
        mel = muq.normalize(muq.preprocessing(signal, features=["melspec_2048"]))["melspec_2048"]
        muq.conformer(muq.conv(mel))
    finally:
        watch.remove()
    return seen[0]


def head_of(state: Mapping[str, torch.Tensor]) -> torch.nn.ModuleDict:
    """The network that rates MuQ's features, with these weights: attention layers, a feed-forward net, a linear layer.

    Raises:
        KeyError, RuntimeError, ValueError: if the weights are of another network.
    """
    from torch import nn

    (classes, double), hidden = state["fc.weight"].shape, state["ffd.0.weight"].shape[0]
    layers = len({name.split(".")[1] for name in state if name.startswith("attn.")})
    width = double // 2
    head = nn.ModuleDict(
        {
            "ffd": nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)),
            "attn": nn.ModuleList(nn.MultiheadAttention(width, num_heads=8, batch_first=True) for _ in range(layers)),
            "fc": nn.Linear(double, classes),
        }
    )
    head.load_state_dict(dict(state))
    if classes != len(AXES):
        raise ValueError(f"it rates {classes} axes, not {len(AXES)}")
    return head


def ratings(head: Any, features: torch.Tensor) -> torch.Tensor:
    """Features (clips, frames, width) → ratings (clips, 5) between 1 and 5."""
    import torch

    wide = head["ffd"](features)
    attended = wide
    for layer in head["attn"]:
        attended, _ = layer(attended, attended, attended, need_weights=False)
    pooled = torch.cat([attended.mean(dim=1), wide.amax(dim=1)], dim=1)
    return 3.0 + 2.0 * torch.tanh(head["fc"](pooled))


def _unfit(path: Path, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(
        f"SongEval cannot be loaded: {reason.rstrip('.:')}",
        where=str(path),
        remedy="Fetch the file again, whole: a clone of the repository may hold a Git LFS pointer in its place.",
        code="model/unreadable",
    )


class _SongEval(NetworkMetric):
    """One axis of the ratings of the edit."""

    version = 1
    direction = "higher"
    range = (1.0, 5.0)
    source = "Yao et al., 2025 (arXiv 2505.10793)"
    networks = ("bench.metrics.songeval:SongEval",)
    package = PACKAGE
    axis: ClassVar[str]

    def __init__(self, network: SongEval):
        self.network = network

    @property
    def parameters(self) -> str:
        """The network."""
        return self.network.identity

    def prepare(self, cases: Sequence[Case]) -> None:
        """Nothing: clips go through one by one, when they are asked for."""

    def score(self, case: Case) -> float | Missing:
        """The rating."""
        if (lost := PACKAGE.missing()) is not None:
            return lost
        if case.edit.duration_s < MIN_S:
            return Missing("too-short", f"the edit lasts {case.edit.duration_s:.2f} s, {MIN_S:g} s are needed")
        mono = case.features.mono(case.edit, RATE)
        [rated] = case.features.get_all([mono], self.network.identity, self.network.rate)
        return rated[self.axis]


class Coherence(_SongEval):
    """Overall coherence."""

    name = "songeval-coherence"
    axis = "coherence"
    summary = "coherence, rated 1 to 5 by SongEval"


class Musicality(_SongEval):
    """Overall musicality."""

    name = "songeval-musicality"
    axis = "musicality"
    summary = "musicality, rated 1 to 5 by SongEval"


class Memorability(_SongEval):
    """Memorability."""

    name = "songeval-memorability"
    axis = "memorability"
    summary = "memorability, rated 1 to 5 by SongEval"


class Clarity(_SongEval):
    """Clarity of the song's structure."""

    name = "songeval-clarity"
    axis = "clarity"
    summary = "clarity of structure, rated 1 to 5 by SongEval"


class Naturalness(_SongEval):
    """Naturalness of vocal breathing and phrasing."""

    name = "songeval-naturalness"
    axis = "naturalness"
    summary = "naturalness of breathing and phrasing, rated 1 to 5 by SongEval; only where somebody sings"
