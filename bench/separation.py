"""Where stems come from when no data set has them: a network that takes a mixture apart.

A suite's own ("true") stems come with its sources (`Source.stems`). What an *edit* is made of nobody knows; a separator
guesses. `HtDemucs` is Hybrid Transformer Demucs as published: model `htdemucs`, signature 955717e8, trained on the
training set of MUSDB18 and 800 other songs. It is run without random shifts, so that one clip has one set of stems.

Nothing makes the four stems add up to the mixture.

Source: Rouard, Massa and Défossez, ICASSP 2023 (HT-Demucs); the package `demucs` (MIT), which also shows how mixtures
are normalised and overlapped (`demucs.api.Separator.separate_tensor`, `demucs.apply`).
"""

from __future__ import annotations

import hashlib
import inspect
import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.checkpoints import Checkpoint, find, locate
from bench.errors import AudioError, ModelError
from bench.store.cache import Arrays, Cache
from bench.task import STEMS, StemName

if TYPE_CHECKING:
    import torch
    from demucs.htdemucs import HTDemucs

Stems = dict[StemName, Clip]


class Separator(ABC):
    """A network that takes mixtures apart into the four stems.

    Made cheaply; weights are loaded by the first call that needs them.

    Attributes:
        name: as others name it. version: raised when the same weights give other stems.
        rate: Hz of the stems.
        licence: of the weights.
        device: where it runs.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    rate: ClassVar[int]
    licence: ClassVar[str] = "unknown"

    def __init__(self, device: str = "cpu"):
        self.device = device

    @property
    @abstractmethod
    def identity(self) -> str:
        """All that moves its stems: name, version, weights and their hash, and how they are run.

        Raises:
            ModelError: if the weights are not on this machine and cannot be fetched; says what to put where.
        """

    @abstractmethod
    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        """Clips of any rate, mono or stereo, as four stems each: stereo, at `rate`, as long as the clip at that rate.

        A clip's stems do not depend on what else is in the batch (tolerance 1e-5 on one device).

        Raises:
            AudioError: for a clip of fewer than two samples, or with NaN or infinite ones. ModelError: as `identity`.
        """


class HtDemucs(Separator):
    """Hybrid Transformer Demucs.

    Args:
        device: where it runs.
        weights: another file than the published ones, safetensors or `.th` as the package writes them.

    Attributes:
        batch: how many clips go through together.
    """

    name = "htdemucs"
    version = 1
    rate = 44_100
    licence = "MIT"
    overlap: ClassVar[float] = 0.25
    published: ClassVar[tuple[Checkpoint, ...]] = (
        Checkpoint(
            file="955717e8.safetensors",
            url="https://huggingface.co/adefossez/HTDemucs/resolve/"
            "bf35a81b663819a8255c8fefee17f9d812b786b5/955717e8.safetensors",
            size=None,
            sha256="d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd",
            licence="MIT",
        ),
        Checkpoint(
            file="955717e8-8726e21a.th",
            url="https://dl.fbaipublicfiles.com/demucs/hybrid_transformer/955717e8-8726e21a.th",
            size=84_141_911,
            sha256="8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4",
            licence="MIT",
        ),
    )
    """The same weights in the two forms that the package knows; the first is downloaded if neither is here."""

    def __init__(self, device: str = "cpu", weights: Path | None = None):
        super().__init__(device)
        self.batch = 1 if device == "cpu" else 8  # together they are no faster on a CPU, and take 0.5 GB more each
        self._weights = weights

    @property
    def identity(self) -> str:
        """Name, version and weights' hash, the same for both published forms; package, shifts and overlap."""
        return (
            f"{self.name}@{self.version}[weights sha256:{self._package.sha256[:16]}, demucs {version('demucs')}, "
            f"no shifts, overlap {self.overlap:g}, {self.rate} Hz stereo soxr HQ]"
        )

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        """As `Separator.separate`; clips of one length go through the network together."""
        mixtures = [_stereo(clip, self.rate) for clip in clips]
        by_length: dict[int, list[int]] = {}
        for index, mixture in enumerate(mixtures):
            by_length.setdefault(mixture.shape[1], []).append(index)
        separated: dict[int, Stems] = {}
        for indices in by_length.values():
            for start in range(0, len(indices), self.batch):
                together = indices[start : start + self.batch]
                found = self._run(np.stack([mixtures[index] for index in together]))
                for index, stems in zip(together, found, strict=True):
                    named = {name: Clip.of(s.T, self.rate) for name, s in zip(self._model.sources, stems, strict=True)}
                    separated[index] = {stem: named[stem] for stem in STEMS}
        return [separated[index] for index in range(len(clips))]

    def _run(self, mixtures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Mixtures (batch, 2, samples) → stems (batch, 4, 2, samples), normalised on the way as the package does."""
        import torch
        from demucs.apply import apply_model

        model = self._model
        with torch.inference_mode(), torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False):
            mix = torch.from_numpy(mixtures).to(self.device)
            reference = mix.mean(dim=1, keepdim=True)
            mean, scale = reference.mean(dim=2, keepdim=True), reference.std(dim=2, keepdim=True) + 1e-8
            stems = apply_model(model, (mix - mean) / scale, shifts=0, overlap=self.overlap, device=self.device)
            found: npt.NDArray[np.float32] = (stems * scale[:, None] + mean[:, None]).cpu().numpy()
        found[~mixtures.any(axis=(1, 2))] = 0.0  # the network hears something in silence, at -160 dB
        return found

    @cached_property
    def _package(self) -> Package:
        here = self._weights or next((path for form in self.published if (path := find(form)) is not None), None)
        return read_package(locate(here or self.published[0]))

    @cached_property
    def _model(self) -> HTDemucs:
        return build(self._package).eval().to(self.device)


class CachedSeparator(Separator):
    """Another separator whose stems are kept, under the hash of the mixture and of all that moves them.

    For sources, which every method and run asks for again. Ten seconds take 14 MB, in float32, so that what comes from
    the cache is what was computed, to the bit; edits, of which there are many and each is asked for once, are better
    separated without it.
    """

    name = "cached"
    version = 1
    rate = 0

    def __init__(self, inner: Separator, cache: Cache | None = None):
        super().__init__(inner.device)
        self.wrapped = inner
        self.cache = cache or Cache()
        # What a class declares of itself, this one has from what it wraps.
        self.__dict__.update(name=inner.name, version=inner.version, rate=inner.rate, licence=inner.licence)

    @property
    def identity(self) -> str:
        """The inner separator's."""
        return self.wrapped.identity

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        """As the inner separator; only clips that the cache does not have, or has damaged, are separated."""
        found = {clip.sha256: self._known(clip) for clip in clips}
        todo = list({clip.sha256: clip for clip in clips if found[clip.sha256] is None}.values())
        fresh = zip(todo, self.wrapped.separate(todo) if todo else [], strict=True)
        made = {clip.sha256: self._kept(clip, stems) for clip, stems in fresh}
        return [found[clip.sha256] or made[clip.sha256] for clip in clips]

    def _known(self, clip: Clip) -> Stems | None:
        arrays = self.cache.get(self._key(clip))
        return None if arrays is None else {stem: Clip.of(arrays[stem], self.rate) for stem in STEMS}

    def _kept(self, clip: Clip, stems: Stems) -> Stems:
        arrays: Arrays = {stem: found.samples for stem, found in stems.items()}
        self.cache.put(self._key(clip), arrays)
        return stems

    def _key(self, clip: Clip) -> dict[str, Any]:
        return {"stage": "separation", "version": 1, "separator": self.identity, "content": clip.sha256}


@dataclass(frozen=True, eq=False)
class Package:
    """What a published file holds: the arguments that the network was made with, and its weights.

    Attributes:
        path: of the file.
        args, kwargs: of `demucs.htdemucs.HTDemucs`.
        state: weights by name.
    """

    path: Path
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    state: Mapping[str, torch.Tensor]

    @cached_property
    def sha256(self) -> str:
        """Hash (hex) of arguments and weights: the same whichever form of file they came from."""
        import torch

        sha = hashlib.sha256(json.dumps([self.args, self.kwargs], sort_keys=True, default=str).encode())
        for name, tensor in sorted(self.state.items()):
            sha.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            sha.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
        return sha.hexdigest()


KLASS = "demucs.htdemucs.HTDemucs"


def read_package(path: Path) -> Package:
    """Read safetensors (arguments as JSON in the metadata), or a pickle without running what may be in it.

    Raises:
        ModelError: `model/pickle` if a pickle asks for more, `model/unsupported` if it is of another network,
            `model/unreadable`.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if content["klass"] != KLASS:
        raise ModelError(
            f"these are the weights of {content['klass']}, not of {KLASS}",
            where=str(path),
            remedy="Use the four-stem model htdemucs.",
            code="model/unsupported",
        )
    return Package(path, content["args"], content["kwargs"], content["state"])


def build(package: Package) -> HTDemucs:
    """The network of a package, on the CPU.

    Arguments that this version of demucs does not know are dropped, as its own loader does; every weight must fit.

    Raises:
        ModelError: `model/unreadable` if arguments or weights do not fit, `model/unsupported` if it does not separate
            44.1 kHz stereo into the four stems.
    """
    from demucs.htdemucs import HTDemucs

    known = inspect.signature(HTDemucs).parameters
    kwargs = {key: value for key, value in package.kwargs.items() if key in known}
    try:
        model: HTDemucs = HTDemucs(*package.args, **kwargs)
        model.load_state_dict(dict(package.state))
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise _unreadable(package.path, error) from error
    if set(model.sources) != set(STEMS) or (model.samplerate, model.audio_channels) != (HtDemucs.rate, 2):
        raise ModelError(
            f"this network separates {', '.join(model.sources)} at {model.samplerate} Hz, "
            f"{model.audio_channels} channels",
            where=str(package.path),
            remedy="Use the four-stem model htdemucs.",
            code="model/unsupported",
        )
    return model


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in sorted(file.keys())}
        args, kwargs = (json.loads(about[key], object_hook=_fraction) for key in ("args", "kwargs"))
        return {"klass": about["klass"], "args": [*args], "kwargs": {**kwargs}, "state": state}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error


def _read_pickle(path: Path) -> dict[str, Any]:
    """A package as `demucs.states.serialize_model` pickles it.

    Nothing is let through but the network's class, which is named and not called, fractions, and NumPy's numbers, as
    which training code leaves its scores.
    """
    import torch
    from demucs.htdemucs import HTDemucs

    numbers: list[Any] = [np.float64(0).__reduce__()[0], np.dtype, type(np.dtype("f8")), type(np.dtype("f4"))]
    try:
        with torch.serialization.safe_globals([HTDemucs, Fraction, *numbers]):
            content = torch.load(path, map_location="cpu", weights_only=True)
        klass = f"{content['klass'].__module__}.{content['klass'].__qualname__}"
        return {"klass": klass, "args": [*content["args"]], "kwargs": {**content["kwargs"]}, "state": content["state"]}
    except pickle.UnpicklingError as error:
        raise ModelError(
            "this file is a pickle that needs more than the weights of HT-Demucs, so reading it could run any code",
            where=str(path),
            remedy=f"Get the weights as safetensors: {HtDemucs.published[0].url}.",
            code="model/pickle",
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise _unreadable(path, error) from error


def _fraction(found: dict[str, Any]) -> Any:
    """Fractions, as demucs writes them into JSON (the length of a segment is 39/5 s)."""
    return Fraction(found["numerator"], found["denominator"]) if found.get("_type") == "fraction" else found


def _unreadable(path: Path, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(
        f"the weights of HT-Demucs cannot be read: {reason.rstrip('.')}",
        where=str(path),
        remedy=f"Fetch them again: {HtDemucs.published[0].url}.",
        code="model/unreadable",
    )


def _stereo(clip: Clip, rate: int) -> npt.NDArray[np.float32]:
    """A clip as (2, samples) at a rate; mono on both channels."""
    if clip.length < 2 or not np.isfinite(clip.samples).all():
        short = clip.length < 2
        raise AudioError(
            f"a clip {f'of {clip.length} samples' if short else 'with NaN or infinite samples'} cannot be separated",
            remedy="Look for the fault in what produced it.",
            code="audio/too-short" if short else "audio/non-finite",
        )
    samples = clip.resample(rate).samples
    return np.ascontiguousarray(np.broadcast_to(samples, (len(samples), 2)).T)
