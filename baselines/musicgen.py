"""MusicGen-melody (Copet et al., NeurIPS 2023): generate music to the target prompt that follows the source's melody.

Not an editor: a language model over EnCodec's tokens, trained to follow a chromagram, makes a whole new recording. What
it takes from the source is which pitch class is strongest in each frame of 128 ms:

    c = one-hot argmax_p chroma(mixture)[p, t]              12 bins, 32 kHz, STFT 16384 / 4096
    x_n ~ top-k softmax( l_∅ + w (l_{c, target} − l_∅) )    50 frames a second, 4 codebooks, codebook k delayed by k

transformers does both. It tiles the chromagram to 235 frames (30 s, what the network was trained on), as the authors'
own code does: of a 10 s source it sees the 79 frames three times over, cut at 235, and writes the first 10 s.

Published settings: guidance w = 3, top-k 250, temperature 1 (the paper; the authors' code). The converted checkpoint
names only the first; transformers alone would take its own top-k of 50.

Chosen: the melody is the mixture's, where the authors first drop drums and bass with HT-Demucs. Tasks are generated one
by one: transformers draws from torch's global generator, and the padding of a batch of prompts is part of what this
network reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field

from bench.audio import Clip
from bench.backbones.checkpoint import quiet
from bench.checkpoints import file_hash
from bench.errors import AudioError, ModelError, UsageError
from bench.identity import digest
from bench.method import Cost, Method, Need, Prepared, Presets
from bench.store import strict_json
from bench.task import EditTask, Source

PUBLISHED = "facebook/musicgen-melody"


@dataclass(frozen=True, eq=False)
class _Melody(Prepared):
    """`chroma`: one-hot, (1, frames, 12). `samples`: the source's length at the model's rate."""

    chroma: torch.Tensor
    samples: int


class MusicGenMelody(Method):
    """A new recording to the target prompt, along the source's melody.

    It sends no rows through a backbone (`cost` is 0): a task takes one step of the language model for each 20 ms.
    """

    name = "musicgen-melody"
    version = 1
    role = "baseline"
    needs = frozenset({Need.TARGET_PROMPT})
    status = "another model, trained to follow melodies; keeps no stem"
    presets: ClassVar[Presets] = {"published": {"guidance": 3.0, "top_k": 250, "temperature": 1.0}}

    class Config(Method.Config):
        """Published values: Copet et al. 2023. The weights' hash is in the run's identity, not where they are."""

        model: str = Field(PUBLISHED, description="folder, or hub id in the Hugging Face cache", exclude=True)
        revision: str | None = Field(None, description="commit, branch or tag of a hub id", exclude=True)
        guidance: float = Field(3.0, ge=1, description="classifier-free guidance, on melody and text at once")
        top_k: int = Field(250, ge=1, description="tokens that may be drawn in a step: the most probable ones")
        temperature: float = Field(1.0, gt=0, description="by which logits are divided; below 1 draws safer tokens")

    config: Config

    def cost(self) -> Cost:
        """No U-Net rows: there is no U-Net."""
        return Cost()

    def networks(self) -> Mapping[str, str]:
        """Hash of the weights, whatever folder they lie in, and the version of the code that samples.

        Raises:
            ModelError: `model/missing`, `model/incomplete`.
        """
        files = _weights(self._folder)
        weights = digest({path.name: file_hash(path) for path in files})
        return {"musicgen": f"weights sha256:{weights}, transformers {version('transformers')}"}

    def prepare(self, source: Source) -> Prepared:
        """The melody of the mixture.

        Raises:
            AudioError: `audio/too-long` beyond the 30 s that the model knows, `audio/empty`.
            ModelError: as `load`.
        """
        extractor = self._processor.feature_extractor
        mixture = source.mixture.to_mono().resample(extractor.sampling_rate)
        _check_length(mixture, extractor.chunk_length)
        with quiet():
            chroma = extractor(mixture.mono, sampling_rate=mixture.rate, return_tensors="pt")["input_features"]
        return _Melody(source, chroma, mixture.length)

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """The tasks one after the other, each as long as the source at the model's rate (32 kHz)."""
        assert isinstance(prepared, _Melody)
        edits = []
        for task, seed in zip(tasks, seeds, strict=True):
            edits.append(self._generate(prepared, task.target_prompt, seed))
            self.context.progress("editing", len(edits), len(tasks))
        return edits

    def _generate(self, melody: _Melody, prompt: str, seed: int) -> Clip:
        model, device, rate = self._model, self.context.device, self._model.config.sampling_rate
        text = self._processor.tokenizer([prompt], return_tensors="pt").to(device)
        with quiet(), torch.inference_mode(), _seeded(seed, device):
            waveforms = model.generate(
                **text,
                input_features=melody.chroma.to(device),
                do_sample=True,
                guidance_scale=self.config.guidance,
                top_k=self.config.top_k,
                temperature=self.config.temperature,
                max_length=_steps(model.config, melody.samples),
            )
        return Clip.of(waveforms[0].cpu().numpy().T, rate).fit(melody.samples)

    @cached_property
    def _folder(self) -> Path:
        return _find(self.config.model, self.config.revision)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load(self._folder, self.context.device)

    @property
    def _model(self) -> Any:
        return self._loaded[0]

    @property
    def _processor(self) -> Any:
        return self._loaded[1]


def load(folder: Path, device: str) -> tuple[Any, Any]:
    """The `MusicgenMelodyForConditionalGeneration` (float32) and the `MusicgenMelodyProcessor` of a folder.

    Raises:
        ModelError: `model/wrong-class`, `model/incomplete` if the files leave a weight to chance, `model/unreadable`.
    """
    from safetensors import SafetensorError
    from transformers import MusicgenMelodyForConditionalGeneration, MusicgenMelodyProcessor

    _check_class(folder)
    _weights(folder)
    try:
        with quiet():
            processor = MusicgenMelodyProcessor.from_pretrained(folder, local_files_only=True)
            model, info = MusicgenMelodyForConditionalGeneration.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise _unusable(folder, "unreadable", f"the checkpoint cannot be loaded: {first}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise _unusable(folder, "incomplete", f"{len(missing)} weights are not in its files, first {missing[0]}")
    return model.to(device).eval().requires_grad_(False), processor


def _find(model: str, revision: str | None) -> Path:
    """The folder of a checkpoint: as named, or of a hub id in the Hugging Face cache. Nothing is downloaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(
                f"revision {revision!r} was asked of a folder, which has none",
                where=str(folder),
                remedy="Leave the revision out, or give a hub id.",
                code="revision-of-directory",
            )
        return folder
    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        what = PUBLISHED if isinstance(error, HFValidationError) else model
        what += f" --revision {revision}" if revision else ""
        raise ModelError(
            f"the MusicGen-melody checkpoint {model!r} is neither a folder nor in the Hugging Face cache",
            where=f"{model}@{revision}" if revision else model,
            remedy=f"Fetch it with `hf download {what}` (into the cache; HF_HOME moves it), or with "
            f"`hf download {what} --local-dir DIR` and --set model=DIR. Downloads never start by themselves.",
            code="model/missing",
        ) from error


def _weights(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise _unusable(folder, "incomplete", "there are no weights (*.safetensors) here")
    return found


def _check_class(folder: Path) -> None:
    # transformers would first make a network of default size (seconds), and then find that no weight fits.
    try:
        kind = strict_json.parse_object((folder / "config.json").read_bytes()).get("model_type")
    except (OSError, ValueError) as error:
        raise _unusable(folder, "unreadable", "config.json is absent or unreadable") from error
    if kind != "musicgen_melody":
        raise _unusable(folder, "wrong-class", f"this is a {kind}, not a musicgen_melody")


def _unusable(folder: Path, code: str, cause: str) -> ModelError:
    return ModelError(
        cause,
        where=str(folder),
        remedy=f"Fetch {PUBLISHED} again, with all its files; other checkpoints have to be MusicGen-melody too, as "
        "`save_pretrained` of its model and its processor writes them.",
        code=f"model/{code}",
    )


def _check_length(mixture: Clip, limit_s: float) -> None:
    if not 0 < mixture.duration_s <= limit_s:
        raise AudioError(
            f"the source is {mixture.duration_s:g} s long; MusicGen-melody follows up to {limit_s:g} s",
            remedy=f"Choose excerpts of at most {limit_s:g} s.",
            code="audio/too-long" if mixture.length else "audio/empty",
        )


def _steps(config: Any, samples: int) -> int:
    """Length of the token sequence for some samples: a start token, the frames, and one step for each delay.

    The last codebook is K − 1 steps behind the first, so F frames of K codebooks take 1 + F + (K − 1).
    """
    frames = -(-samples // config.audio_encoder.hop_length)
    return int(frames + config.decoder.num_codebooks)


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Within it, torch's global generator starts from a seed; afterwards it is as it was."""
    devices = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
