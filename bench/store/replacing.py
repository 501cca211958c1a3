"""A file too large for memory, replaced as `bench.store.atomic` replaces small ones: whole, or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bench.store.atomic import TEMP_PREFIX, fsync_folder, writing


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A handle whose content is the file's once the block ends; on an error the file stays what it was.

    Args:
        path: of the file; its folder must exist.

    Raises:
        IncompleteError, UsageError: as `bench.store.atomic.write_bytes`.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{uuid.uuid4().hex}")
    with writing(path):
        handle = temp.open("xb")
        try:
            with handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            temp.replace(path)
        except BaseException:
            with suppress(OSError):
                temp.unlink()
            raise
        fsync_folder(path.parent)
