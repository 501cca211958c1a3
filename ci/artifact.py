"""The comparison in a workflow's artifact: made by code that nobody has reviewed, and read as if it meant harm.

What is taken from it is one JSON object of a known schema, below a known size. Its Markdown is not looked at.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from github import GitHub, fetch
from pydantic import ValidationError

from bench.errors import DataError
from bench.store import strict_json
from bench.store.archive import Limits, read_files
from reports.compare.model import Comparison

FILE = "comparison.json"
LIMITS = Limits(file=8 << 20, files=8 << 20, members=100)
PACKED = 4 << 20
"""Most bytes of the zip."""


def find(github: GitHub, run: int, name: str) -> dict[str, Any] | None:
    """The newest artifact of a name that a workflow run has uploaded; None if it has none.

    Raises:
        BenchError: as `GitHub` does.
    """
    path = f"actions/runs/{run:d}/artifacts"
    found = [each for each in github.list(path, key="artifacts", name=name) if not each["expired"]]
    return max((each for each in found if each["name"] == name), key=lambda each: each["id"], default=None)


def download(github: GitHub, artifact: dict[str, Any]) -> Comparison:
    """The comparison in an artifact.

    Raises:
        DataError: `ci/artifact` and what `bench.store.archive` raises, if it is not what our comparison writes.
        BenchError: as `GitHub` does.
    """
    if artifact["size_in_bytes"] > PACKED:
        raise _unusable(f"it has {artifact['size_in_bytes']:,} bytes, more than {PACKED:,}")
    packed = fetch(github.location(f"actions/artifacts/{artifact['id']:d}/zip"), PACKED)
    return read(packed)


def read(packed: bytes) -> Comparison:
    """The comparison in the bytes of a zip.

    Raises:
        DataError: as `download`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "artifact.zip"
        path.write_bytes(packed)
        files = read_files(path, lambda name: name == FILE, LIMITS)
    if FILE not in files:
        raise _unusable(f"it has no {FILE}")
    try:
        # Through JSON once more, for pydantic's strict mode takes lists for tuples only there.
        return Comparison.model_validate_json(strict_json.dump(strict_json.parse_object(files[FILE])), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _unusable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ValueError as error:
        raise _unusable(f"{FILE} is not JSON as we write it ({error})") from error


def _unusable(cause: str) -> DataError:
    return DataError(
        f"the artifact cannot be used: {cause}",
        where=FILE,
        remedy="Use the same version of timbrebench in both workflows; nothing of this artifact was posted.",
        code="ci/artifact",
    )
