"""A small LAION-CLAP of random weights, published as the real one is: `laion_clap`'s own classes, nothing imitated.

The audio encoder is HTS-AT with fewer channels and blocks, registered with the package as "HTSAT-mini"; the text
encoder is RoBERTa with one layer and a vocabulary learned from a few sentences.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import RobertaConfig, RobertaModel

from bench.audio import Clip
from bench.backbones.nano.weights import seeded
from bench.metrics.embedders.laion_package import build_clap, import_module_of

MakeClip = Callable[..., Clip]

MINI = "HTSAT-mini"
CHANNELS, DEPTHS, HEADS = 16, [2, 1, 1, 1], [2, 2, 4, 4]
STAGES = ((1024, 32), (256, 64), (64, 128), (64, 128))
SENTENCES = ("a solo violin plays a slow melody", "loud drums and distorted electric guitars", "a jazz piano trio")
POSITIONS = 80

_NOT_LEARNED = ("spectrogram_extractor", "logmel_extractor", "relative_position_index", "attn_mask")


def write_tokenizer(folder: Path) -> int:
    """`vocab.json` and `merges.txt` as roberta-base has them; returns the number of pieces."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.model.save(str(folder))
    return int(tokenizer.get_vocab_size())


@contextmanager
def mini_registered(folder: Path) -> Iterator[None]:
    """Within it, `CLAP_Module(amodel="HTSAT-mini")` builds the package's HTS-AT with 16 channels."""
    import_module_of("laion_clap")
    factory, model, htsat = (sys.modules[f"clap_module.{name}"] for name in ("factory", "model", "htsat"))
    config = json.loads(json.dumps(factory._MODEL_CONFIGS["HTSAT-base"]))
    config["embed_dim"] = 8 * CHANNELS
    config["audio_cfg"]["model_name"] = "mini"
    (folder / f"{MINI}.json").write_text(json.dumps(config))
    factory.add_model_config(folder / f"{MINI}.json")
    published = model.create_htsat_model

    def create(audio_cfg: Any, *fusion: Any) -> Any:
        if audio_cfg.model_name != "mini":
            return published(audio_cfg, *fusion)
        return htsat.HTSAT_Swin_Transformer(
            num_classes=audio_cfg.class_num, embed_dim=CHANNELS, depths=DEPTHS, num_heads=HEADS, config=audio_cfg
        )

    model.create_htsat_model = create
    try:
        yield
    finally:
        model.create_htsat_model = published
        factory._MODEL_CONFIG_PATHS.remove(folder / f"{MINI}.json")
        del factory._MODEL_CONFIGS[MINI]


def small_roberta(words: int) -> RobertaConfig:
    """One layer; as wide as the package asks."""
    return RobertaConfig(
        vocab_size=words, hidden_size=768, num_hidden_layers=1, num_attention_heads=12, intermediate_size=64,
        max_position_embeddings=POSITIONS, type_vocab_size=1, layer_norm_eps=1e-5,
    )  # fmt: skip


def random_weights(words: int, *, amodel: str = MINI, seed: int = 0) -> dict[str, torch.Tensor]:
    """A state of `CLAP_Module.model`, with the constant that checkpoints of transformers' older days have."""
    text = RobertaModel(small_roberta(words)).state_dict()
    fresh = build_clap(amodel, {f"text_branch.{name}": tensor for name, tensor in text.items()}).model
    kept = {name: tensor.clone() for name, tensor in fresh.state_dict().items() if any(n in name for n in _NOT_LEARNED)}
    drawn = seeded(lambda: fresh, seed).state_dict()
    return {**drawn, **kept, "text_branch.embeddings.position_ids": torch.arange(POSITIONS)[None]}


def write_published(path: Path, state: dict[str, torch.Tensor]) -> None:
    """A checkpoint as LAION's training writes it: `module.` names, two moments for each weight, scores from NumPy."""
    moments = {name: {"exp_avg": tensor, "exp_avg_sq": tensor.clone()} for name, tensor in state.items()}
    content = {
        "epoch": 15,
        "name": "training",
        "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
        "optimizer": {"state": moments},
        "best": np.float64(0.9014),
        "counts": np.arange(3),
    }
    torch.save(content, path)
