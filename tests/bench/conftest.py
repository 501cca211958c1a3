"""Networks that tests of several folders share."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TINY_DEMUCS: dict[str, Any] = {
    "sources": ["drums", "bass", "other", "vocals"],
    "channels": 8,
    "t_layers": 1,
    "t_heads": 2,
    "segment": Fraction(39, 40),
}


@pytest.fixture(scope="session")
def tiny_demucs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tiny.th` and `tiny.safetensors`: a small random HT-Demucs in the forms that demucs publishes."""
    return save_demucs(tmp_path_factory.mktemp("demucs"), TINY_DEMUCS)


def save_demucs(folder: Path, kwargs: dict[str, Any]) -> Path:
    """Save a random HT-Demucs as `demucs.states.serialize_model` and demucs' `tools/export_hf.py` do."""
    import torch
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = HTDemucs(**kwargs)
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    package = {"klass": HTDemucs, "args": (), "kwargs": kwargs, "state": state, "training_args": {"lr": 3e-4}}
    package["metrics"] = {"nsdr": np.float64(9.0), "loss": np.float32(0.1)}
    torch.save(package, folder / "tiny.th")
    about = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": json.dumps(kwargs, default=_as_json),
    }
    save_file(state, folder / "tiny.safetensors", metadata=about)
    return folder


def _as_json(fraction: Fraction) -> dict[str, Any]:
    return {"_type": "fraction", "numerator": fraction.numerator, "denominator": fraction.denominator}
