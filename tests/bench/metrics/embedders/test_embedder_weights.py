"""Weights out of files that may hold more, and of files that may do more."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import clap_samples
import pytest
import torch
from safetensors.torch import save_file

from bench.errors import ModelError
from bench.identity import sha256_file
from bench.metrics.embedders.weights import load_tensors
from bench.store.cache import Cache

WEIGHTS = {"a.weight": torch.arange(30_000.0).reshape(2, -1), "a.bias": torch.ones(2, dtype=torch.float16)}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))


class Trap:
    """A pickle that makes a folder when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def saved(path: Path, content: object, **options: object) -> tuple[Path, str]:
    torch.save(content, path, **options)
    return path, sha256_file(path)


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == WEIGHTS.keys() and all(torch.equal(found[n], t) for n, t in WEIGHTS.items())


@pytest.mark.parametrize(
    "wrapped", [WEIGHTS, {"model": WEIGHTS}, {"state_dict": {f"module.{n}": t for n, t in WEIGHTS.items()}}]
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_weights_are_found_in_what_training_code_writes(tmp_path: Path, wrapped: dict[str, Any], zipped: bool) -> None:
    path, sha256 = saved(tmp_path / "net.pt", wrapped, _use_new_zipfile_serialization=zipped)
    assert same(load_tensors(path, sha256))
    assert Cache().entries() == []  # nothing but weights: no copy is made


def test_safetensors_are_read_as_they_are(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "net.safetensors")
    assert same(load_tensors(tmp_path / "net.safetensors", sha256_file(tmp_path / "net.safetensors")))


def test_training_state_is_left_behind_once(tmp_path: Path) -> None:
    weights = {"a.weight": torch.rand(300, 300), "b.weight": torch.rand(9, dtype=torch.float64)}
    path = tmp_path / "clap.pt"
    clap_samples.write_published(path, weights)
    sha256 = sha256_file(path)
    for _ in range(2):
        found = load_tensors(path, sha256)
        assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
        path.write_bytes(b"never read again")
    (entry,) = Cache().entries()
    assert entry.kind == "folder" and entry.size < 1.1 * sum(tensor.nbytes for tensor in weights.values())


def test_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "clap.pt"
    clap_samples.write_published(path, WEIGHTS)
    load_tensors(path, sha256_file(path))
    copy = next(Cache().entries()[0].path.glob("*.safetensors"))
    damaged = bytearray(copy.read_bytes())
    damaged[-1] ^= 1
    copy.write_bytes(damaged)
    assert same(load_tensors(path, sha256_file(path)))


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    path, sha256 = saved(tmp_path / "evil.pt", {"state_dict": WEIGHTS, "extra": Trap(tmp_path / "trap")})
    with pytest.raises(ModelError, match=r"needs more than weights to be read \(it asks for posix.mkdir\)") as caught:
        load_tensors(path, sha256)
    assert caught.value.code == "model/pickle"
    assert f"TIMBREBENCH_TRUST_CHECKPOINT={sha256}" in caught.value.remedy
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_checkpoint_trusted_by_its_hash_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    path, sha256 = saved(tmp_path / "odd.pt", {"state_dict": WEIGHTS, "extra": Trap(tmp_path / "trap")})
    if by == "environment":
        monkeypatch.setenv("TIMBREBENCH_TRUST_CHECKPOINT", f"{'0' * 64}, {sha256.upper()}")
    assert same(load_tensors(path, sha256, trusted=[sha256] if by == "argument" else []))
    (tmp_path / "trap").rmdir()
    monkeypatch.delenv("TIMBREBENCH_TRUST_CHECKPOINT", raising=False)
    assert same(load_tensors(path, sha256))  # from the cache, as safetensors
    assert not (tmp_path / "trap").exists()


def test_trust_is_for_one_content_only(tmp_path: Path) -> None:
    path, sha256 = saved(tmp_path / "odd.pt", {"state_dict": WEIGHTS, "extra": Trap(tmp_path / "trap")})
    with pytest.raises(ModelError, match="could run any code"):
        load_tensors(path, sha256, trusted=["0" * 64])


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>404</html>", b"PK\x03\x04 cut off", pickle.dumps({"a": 1})],
    ids=["empty", "page", "cut", "pickle"],
)
def test_what_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_tensors(path, sha256_file(path))
    assert caught.value.where == str(path)
    assert caught.value.code in {"model/unreadable", "model/pickle"}


def test_a_file_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="it holds no weights by name"):
        load_tensors(*saved(tmp_path / "list.pt", [torch.ones(3)]))
