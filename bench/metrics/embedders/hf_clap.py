"""CLAP as transformers has it: a `ClapModel` in a folder, or from the local Hugging Face cache.

Not the same numbers as `laion_clap`: the published conversions are other checkpoints, samples are not rounded to 16
bit, and the log-mel is computed in NumPy. With equal weights and input both give the same vectors and stages (a test
holds it), so the inner layers here are those of LPAPS, too: transformers' hidden states after each stage, that is
*after* the merging of patches (its first hidden state, the patches, is left out).

The default is `laion/larger_clap_general`. `laion/larger_clap_music`, which would suit music better, was published with
a broken text side: all texts have the same vector (mteb issue 5069). Its audio vectors can be had; texts are refused.

A model that ships in a folder is a subclass: `name`, `folder`, and `rate` if it is not 48 kHz.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bench.audio import Clip
from bench.checkpoints import checkpoint_folders, file_hash
from bench.embedder import Embedder, Embedding, Policy, Vectors
from bench.errors import ModelError
from bench.identity import digest
from bench.metrics.embedders.batching import Samples, by_window, inference, torch_device
from bench.metrics.embedders.texts import check_told_apart
from bench.metrics.embedders.windows import SECONDS

CPU_BATCH, GPU_BATCH = 16, 64
TEXT_BATCH = 64
TEXT_TOKENS = 77
"""What LAION's training cut and filled texts to."""

_DESCRIPTIONS = ("*config.json", "tokenizer.json", "vocab.json", "merges.txt", "special_tokens_map.json")
_COUNTERS = ("position_ids", "token_type_ids")  # constants that not every version of transformers counts as weights


class HfClap(Embedder):
    """A `ClapModel` without fusion.

    Args:
        device: where it runs.
        model: a folder that `save_pretrained` wrote, or a hub id that is in the local cache; by default the class's.

    Attributes:
        folder: where the class's own model is; None if it is published.
        published: hub id of the class's model, if it has no folder.
    """

    name = "hf-clap"
    version = 1
    rate = 48_000
    reads_text = True
    inner = True
    licence = "Apache-2.0"
    folder: ClassVar[Path | None] = None
    published: ClassVar[str] = "laion/larger_clap_general"

    def __init__(self, device: str = "cpu", model: str | Path | None = None):
        super().__init__(device)
        self.model = model or self.folder or self.published

    @cached_property
    def identity(self) -> str:
        """Name, version, model and a hash over its weights, configuration and vocabulary."""
        shown = self.model.name if isinstance(self.model, Path) else self.model
        hashes = {path.name: file_hash(path) for path in _files(self._found)}
        return (
            f"{self.name}@{self.version}[{shown} sha256:{digest(hashes)[:16]}, {self.rate} Hz, "
            "windows of 10 s repeated to length]"
        )

    @cached_property
    def _found(self) -> Path:
        return _find(self.model)

    @cached_property
    def _network(self) -> Any:
        device = torch_device(self.device)
        return _load(self._found).to(device).eval()

    @cached_property
    def _processor(self) -> Any:
        from transformers import ClapProcessor

        with _reading(self._found):
            processor = ClapProcessor.from_pretrained(self._found, local_files_only=True)
        self._check(processor.feature_extractor)
        return processor

    @cached_property
    def _tokenizer(self) -> Any:
        check_told_apart(self._text_pass, str(self._found))
        return self._processor.tokenizer

    def _check(self, extractor: Any) -> None:
        expected = (self.rate, SECONDS * self.rate)
        if (extractor.sampling_rate, extractor.nb_max_samples) != expected or extractor.truncation == "fusion":
            raise ModelError(
                f"{self.name} takes {SECONDS} s at {self.rate} Hz without fusion; this model takes "
                f"{extractor.nb_max_samples} samples at {extractor.sampling_rate} Hz ({extractor.truncation})",
                where=str(self._found),
                remedy="Models with fusion look at random parts of the audio: use one without, such as "
                f"{HfClap.published}.",
                code="model/wrong-class",
            )

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the contract says; stages have the shapes of `laion_clap`'s for a network of HTSAT-base's size."""
        batch = CPU_BATCH if self.device == "cpu" else GPU_BATCH
        return by_window(clips, self.rate, policy, batch, lambda windows: self._pass(windows, stages=stages))

    def _pass(self, windows: Sequence[Samples], *, stages: bool) -> tuple[Vectors, tuple[Vectors, ...]]:
        network, extractor = self._network, self._processor.feature_extractor
        mel = extractor(list(windows), sampling_rate=self.rate, return_tensors="pt")["input_features"]
        with inference():
            made = network.get_audio_features(input_features=mel.to(network.device), output_hidden_states=stages)
        inner = made.hidden_states[1:] if stages else ()
        # (windows, channels, height, width) → (windows, tokens, channels)
        return made.pooler_output.cpu().numpy(), tuple(s.flatten(2).transpose(1, 2).cpu().numpy() for s in inner)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """As the contract says. Texts are cut after 77 tokens."""
        assert self._tokenizer is not None
        parts = [self._text_pass(texts[start : start + TEXT_BATCH]) for start in range(0, len(texts), TEXT_BATCH)]
        width = self._network.config.projection_dim
        return np.concatenate(parts) if parts else np.zeros((0, width), np.float32)

    def _text_pass(self, texts: Sequence[str]) -> Vectors:
        network, tokenizer = self._network, self._processor.tokenizer
        text = network.config.text_config
        length = min(TEXT_TOKENS, text.max_position_embeddings - text.pad_token_id - 1)
        tokens = tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        ).to(network.device)
        with inference():
            made = network.get_text_features(tokens["input_ids"], attention_mask=tokens["attention_mask"])
        return np.asarray(made.pooler_output.cpu().numpy(), np.float32)


def _find(model: str | Path) -> Path:
    """The folder of a model.

    Raises:
        ModelError: `model/missing`.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    places = [Path(model).expanduser(), *(folder / model for folder in checkpoint_folders())]
    found = next((place for place in places if (place / "config.json").is_file()), None)
    if found is not None:
        return found
    try:
        return Path(snapshot_download(str(model), local_files_only=True, cache_dir=constants.HF_HUB_CACHE))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"the CLAP model '{model}' is neither a folder with a config.json nor in the Hugging Face cache",
            where=str(model),
            remedy=f"Fetch it with `hf download {model}` (about 0.8 GB), or with `--local-dir` into "
            f"{checkpoint_folders()[0] / model}.",
            code="model/missing",
        ) from error


def _files(folder: Path) -> list[Path]:
    """All files of a model that move its vectors; of weights in two formats those that transformers reads."""
    described = {path for pattern in _DESCRIPTIONS for path in folder.glob(pattern)}
    weights = sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not weights:
        raise ModelError(
            "the folder has no weights (model.safetensors)",
            where=str(folder),
            remedy="Fetch the model again.",
            code="model/incomplete",
        )
    return sorted(described) + weights


def _load(folder: Path) -> Any:
    import torch
    from transformers import ClapModel

    with _reading(folder):
        network, info = ClapModel.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
    missing = sorted(name for name in info["missing_keys"] if not name.endswith(_COUNTERS))
    if missing:
        raise ModelError(
            f"{len(missing)} weights of this ClapModel are not in its files (first: {missing[0]})",
            where=str(folder),
            remedy="Fetch the model again; if it is complete, it is not a ClapModel.",
            code="model/incomplete",
        )
    return network


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Keep transformers' progress bars and warnings off the terminal, and turn its errors into ours."""
    import transformers.utils.logging as log
    from safetensors import SafetensorError

    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the CLAP model cannot be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=str(folder),
            remedy="Fetch it again, or name a folder that `ClapModel.save_pretrained` and `ClapProcessor."
            "save_pretrained` wrote.",
            code="model/unreadable",
        ) from error
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
