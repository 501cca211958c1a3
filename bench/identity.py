"""What makes two things the same: canonical JSON, content hashes, derived seeds.

Run identity, cache keys, task manifests and per-task seeds all rest on the functions here, so that "the
same" means one thing in the whole project.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN.

    Raises:
        TypeError: for a value that JSON does not know. Nothing is turned into a string silently.
        ValueError: for NaN or infinity.

    >>> canonical_json({"b": 1, "a": [1.5, None]})
    '{"a":[1.5,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """sha256 (hex) of a value's canonical JSON."""
    return sha256_bytes(canonical_json(value).encode())


def sha256_bytes(data: bytes) -> str:
    """sha256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """sha256 (hex) of a file's content, read in chunks."""
    sha = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()


def derive_seed(seed: int, *parts: str) -> int:
    """A seed in [0, 2**63) that depends on the run seed and on names, and on nothing else.

    A task's randomness is `derive_seed(run_seed, task.id)`: it is the same whatever else is in the batch, in
    the suite, or on the machine.

    >>> derive_seed(0, "a") == derive_seed(0, "a") != derive_seed(0, "b")
    True
    """
    sha = hashlib.sha256(canonical_json([seed, *parts]).encode()).digest()
    return int.from_bytes(sha[:8], "big") >> 1
