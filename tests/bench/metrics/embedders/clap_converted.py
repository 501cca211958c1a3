"""The weights of a LAION-CLAP as transformers' `ClapModel` names them, and as a folder that it reads.

Names as in transformers' own conversion script (`convert_clap_original_pytorch_to_hf.py`, Apache-2.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import clap_samples
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizer

_RENAMED = {
    "text_branch": "text_model", "audio_branch": "audio_model.audio_encoder", "attn": "attention.self",
    "self.proj": "output.dense", "attention.self_mask": "attn_mask", "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense", "norm1": "layernorm_before", "norm2": "layernorm_after", "bn0": "batch_norm",
    "_projection.0": "_projection.linear1", "_projection.2": "_projection.linear2",
}  # fmt: skip


def converted(state: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """Name and tensor of all that both have."""
    for name, tensor in state.items():
        for old, new in _RENAMED.items():
            name = name.replace(old, new)  # noqa: PLW2901
        if "audio" in name and "qkv" in name:
            for part, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                yield name.replace("qkv", part), third
        else:
            yield name, tensor


def small_model(words: int) -> ClapModel:
    """A `ClapModel` of the size of `clap_samples`."""
    audio = {
        "patch_embeds_hidden_size": clap_samples.CHANNELS, "depths": clap_samples.DEPTHS,
        "num_attention_heads": clap_samples.HEADS, "hidden_size": 8 * clap_samples.CHANNELS, "num_classes": 527,
        "projection_dim": 512,
    }  # fmt: skip
    text = {**clap_samples.small_roberta(words).to_dict(), "projection_dim": 512}
    kept = {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "projection_dim"}  # fmt: skip
    text = {name: value for name, value in text.items() if name in kept}
    return ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=512))


def write_folder(folder: Path, model: ClapModel, tokenizer: Path, **extractor: object) -> Path:
    """What `save_pretrained` writes for model and processor."""
    settings = {"truncation": "rand_trunc", "padding": "repeatpad", "frequency_min": 50, **extractor}
    processor = ClapProcessor(ClapFeatureExtractor(**settings), RobertaTokenizer.from_pretrained(tokenizer))
    processor.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def write_converted(folder: Path, state: Mapping[str, torch.Tensor], tokenizer: Path) -> Path:
    """A folder with the weights of a LAION-CLAP; fails if the model has one that they lack."""
    words = state["text_branch.embeddings.word_embeddings.weight"].shape[0]
    model = small_model(words)
    result = model.load_state_dict(dict(converted(state)), strict=False)
    lacking = [name for name in result.missing_keys if not re.search(r"position_ids|token_type_ids|_index$", name)]
    assert not lacking, lacking
    return write_folder(folder, model, tokenizer)
