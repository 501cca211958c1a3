"""LAION-CLAP: the network of the field's CLAP score and LPAPS, run by its own package.

HTSAT-base (a Swin transformer on log-mels, 48 kHz, windows of 10 s) and RoBERTa, each projected to 512 dimensions and
made a unit vector. Samples are rounded to 16 bit as the package does with arrays; shorter windows are repeated as often
as they fit and padded with zeros, by the package too. It never sees more than 10 s, of which it would take a random
part. Texts are cut after 77 tokens.

The inner layers are the outputs of the four Swin stages, merging of patches included, as LPAPS takes them: (1024, 256),
(256, 512), (64, 1024), (64, 1024) for HTSAT-base, caught by hooks in the pass that makes the vectors.

Source: Wu et al., ICASSP 2023; code and checkpoints: LAION-AI/CLAP (package laion-clap), CC0-1.0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.checkpoints import Checkpoint, locate
from bench.embedder import Embedding, Policy, Vectors
from bench.errors import ModelError
from bench.metrics.embedders.batching import Samples, by_window, inference
from bench.metrics.embedders.checkpointed import Checkpointed
from bench.metrics.embedders.laion_package import build_clap
from bench.metrics.embedders.texts import check_told_apart

MUSIC_AUDIOSET = Checkpoint(
    "music_audioset_epoch_15_esc_90.14.pt",
    "https://huggingface.co/lukewys/laion_clap/resolve/main/music_audioset_epoch_15_esc_90.14.pt",
    2_352_471_003,
    "fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd",
    "CC0-1.0",
)
"""The one that editing papers use; hash and size as the hub states them."""

_ROBERTA = "https://huggingface.co/FacebookAI/roberta-base/resolve/main"
VOCABULARY = Checkpoint("roberta-base/vocab.json", f"{_ROBERTA}/vocab.json", None, None, "MIT")
MERGES = Checkpoint("roberta-base/merges.txt", f"{_ROBERTA}/merges.txt", None, None, "MIT")

CPU_BATCH, GPU_BATCH = 16, 64
"""Windows in one pass: about 40 MB each in HTSAT-base, its attention maps included."""

TEXT_BATCH = 64

_POSITIONS = "text_branch.embeddings.position_ids"  # a constant that transformers no longer counts as a weight


class LaionClap(Checkpointed):
    """The package's own `CLAP_Module`.

    Args:
        device: where it runs.
        checkpoint: published, or a file of one's own.
        amodel: audio encoder, by the package's name.
        trusted: hashes of checkpoints whose pickles may be run: see `bench.metrics.embedders.weights`.
    """

    name = "laion-clap"
    version = 1
    rate = 48_000
    reads_text = True
    inner = True
    licence = "CC0-1.0"
    published = MUSIC_AUDIOSET

    def __init__(
        self,
        device: str = "cpu",
        checkpoint: Checkpoint | Path | None = None,
        *,
        amodel: str = "HTSAT-base",
        trusted: Collection[str] = (),
    ):
        super().__init__(device, checkpoint, trusted=trusted)
        self.amodel = amodel
        self.treatment = f"{amodel}, 16 bit, windows of 10 s repeated to length"

    @cached_property
    def _module(self) -> Any:
        tensors = self.tensors()
        module = build_clap(self.amodel, tensors)
        if _POSITIONS not in module.model.state_dict():
            tensors.pop(_POSITIONS, None)
        module.model = self.ready(module.model, tensors)
        return module.eval()

    @cached_property
    def _reader(self) -> Any:
        """The module, with a tokenizer."""
        module = self._module
        module.tokenize = _tokenizer(module.model.text_branch.config.vocab_size)
        check_told_apart(partial(_text_pass, module), str(self.file))
        return module

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the contract says: (windows, 512), and the four Swin stages if asked for."""
        batch = CPU_BATCH if self.device == "cpu" else GPU_BATCH
        return by_window(clips, self.rate, policy, batch, partial(self._pass, stages=stages))

    def _pass(self, windows: Sequence[Samples], *, stages: bool) -> tuple[Vectors, tuple[Vectors, ...]]:
        layers = self._module.model.audio_branch.layers if stages else ()
        with inference(), _outputs(layers) as kept:
            vectors = self._module.get_audio_embedding_from_data(list(windows))
        return np.asarray(vectors, np.float32), tuple(kept)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """As the contract says: (texts, 512).

        Raises:
            ModelError: also if RoBERTa's vocabulary is not here and cannot be fetched.
        """
        reader = self._reader
        parts = [_text_pass(reader, texts[start : start + TEXT_BATCH]) for start in range(0, len(texts), TEXT_BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, reader.model.joint_embed_shape), np.float32)


def _text_pass(module: Any, texts: Sequence[str]) -> Vectors:
    with inference():
        return np.asarray(module.get_text_embedding(list(texts)), np.float32)


@contextmanager
def _outputs(layers: Sequence[Any]) -> Iterator[list[Vectors]]:
    """The first output of each layer in the pass that is made within it."""
    kept: list[Vectors] = []

    def keep(_layer: Any, _given: Any, out: Any) -> None:
        kept.append(out[0].cpu().numpy())

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def _tokenizer(words: int) -> Any:
    """RoBERTa's, made from its two files."""
    from tokenizers.models import BPE
    from transformers import RobertaTokenizer

    vocabulary, merges = locate(VOCABULARY), locate(MERGES)
    try:
        pieces, joins = BPE.read_file(str(vocabulary), str(merges))
    except Exception as error:  # the library, written in Rust, raises nothing narrower
        raise _not_robertas(vocabulary, str(error)) from error
    if len(pieces) != words:
        raise _not_robertas(vocabulary, f"{len(pieces)} pieces, where the checkpoint has {words}")
    return RobertaTokenizer(vocab=pieces, merges=joins)


def _not_robertas(vocabulary: Path, why: str) -> ModelError:
    return ModelError(
        f"these are not the vocabulary and merges of roberta-base: {why}",
        where=str(vocabulary.parent),
        remedy=f"Fetch {VOCABULARY.url} and merges.txt beside it again.",
        code="model/tokenizer",
    )
