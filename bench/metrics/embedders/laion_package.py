"""The package `laion_clap`, imported and built without what it would fetch and never use.

Importing it (also by way of `frechet_audio_distance`) makes three tokenizers from the hub, for training code. Building
a model makes RoBERTa with its published weights (0.5 GB), which the checkpoint then replaces, and a fourth tokenizer.
Worse, transformers 5 makes a tokenizer *of five tokens* without a word where the hub cannot be reached: every text
would be the same. Therefore, while the package is imported or built, and only then, `from_pretrained` of these classes
is replaced: the tokenizers of training by nothing, RoBERTa by one of the checkpoint's own size without weights. The
embedder loads every weight afterwards, strictly, and brings the tokenizer when it has texts to read.

Also undone: the package puts itself on `sys.path`, prints, warns, and draws from torch's global random numbers.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError

if TYPE_CHECKING:
    import torch

_ALONE = RLock()  # classes of transformers are changed for all threads

_HEAD = 64
"""Width of RoBERTa's attention heads; all else about its size can be read from its weights."""


def import_module_of(name: str) -> ModuleType:
    """`laion_clap`, or a module of another package that imports it, such as `frechet_audio_distance.models.pann`."""
    with _contained():
        return import_module(name)


def build_clap(amodel: str, tensors: Mapping[str, torch.Tensor]) -> Any:
    """The package's `CLAP_Module` without fusion, on the CPU, of random weights and without a tokenizer.

    Args:
        amodel: audio encoder, by the package's name: "HTSAT-base".
        tensors: the checkpoint that will be loaded into it; its text encoder's size is taken from there.

    Raises:
        ModelError: if the checkpoint has no RoBERTa.
    """
    import torch
    from transformers import RobertaModel

    config = roberta_config({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    package = import_module_of("laion_clap")
    with _contained(lambda: RobertaModel(config)), torch.random.fork_rng(devices=[]):
        return package.CLAP_Module(enable_fusion=False, amodel=amodel, device="cpu")


def roberta_config(shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """The configuration of the RoBERTa whose weights have these shapes; for the published ones, that of roberta-base.

    Raises:
        ModelError: `model/wrong-class` if there is none among them.
    """
    from transformers import RobertaConfig

    branch = "text_branch."
    try:
        words, hidden = shapes[f"{branch}embeddings.word_embeddings.weight"]
        return RobertaConfig(
            vocab_size=words,
            hidden_size=hidden,
            num_hidden_layers=len(
                {name.split(".")[3] for name in shapes if name.startswith(f"{branch}encoder.layer.")}
            ),
            num_attention_heads=hidden // _HEAD,
            intermediate_size=shapes[f"{branch}encoder.layer.0.intermediate.dense.weight"][0],
            max_position_embeddings=shapes[f"{branch}embeddings.position_embeddings.weight"][0],
            type_vocab_size=shapes[f"{branch}embeddings.token_type_embeddings.weight"][0],
            layer_norm_eps=1e-5,
        )
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"the checkpoint is not a LAION-CLAP with RoBERTa: it has no {error}",
            remedy="Give a checkpoint of the package laion_clap, such as music_audioset_epoch_15_esc_90.14.pt.",
            code="model/wrong-class",
        ) from error


@contextmanager
def _contained(roberta: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """Within it, nothing is fetched or printed; what the package changes is put back."""
    import transformers

    made: dict[Any, Callable[[], Any]] = {
        transformers.BertTokenizer: lambda: None,
        transformers.BartTokenizer: lambda: None,
        transformers.RobertaTokenizer: lambda: None,
        transformers.RobertaModel: roberta,
    }
    with _ALONE, ExitStack() as restore, redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = list(sys.path)
        restore.callback(lambda: sys.path.__setitem__(slice(None), path))
        for kind, make in made.items():
            restore.enter_context(_making(kind, make))
        yield


@contextmanager
def _making(kind: Any, make: Callable[[], Any]) -> Iterator[None]:
    """Within it, `kind.from_pretrained`, which is inherited, is hidden by what `make` makes."""
    hidden = vars(kind).get("from_pretrained")
    kind.from_pretrained = staticmethod(lambda *_args, **_options: make())
    try:
        yield
    finally:
        if hidden is None:
            del kind.from_pretrained
        else:
            kind.from_pretrained = hidden
