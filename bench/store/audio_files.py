"""Audio files named by the hash of their bytes: `audio/<aa>/<sha256>.flac`.

The name is the claim and the content the proof, so a file that was cut, flipped or swapped is found by reading it.
Damaged files are moved aside, never deleted: somebody may want to know what happened.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from bench.audio import Clip
from bench.errors import CorruptStoreError
from bench.identity import sha256_bytes, sha256_file
from bench.store.atomic import fsync_folder, make_folder, write_bytes, writing

_SHA256 = re.compile(r"[0-9a-f]{64}")


class AudioFiles:
    """The content-addressed audio of a run.

    Args:
        folder: where the files are.
        quarantine: where damaged ones go.
    """

    def __init__(self, folder: Path, quarantine: Path):
        self.folder = folder
        self.quarantine = quarantine

    def path(self, sha: str) -> Path:
        """Where the file of a hash is, or would be.

        Raises:
            CorruptStoreError: if it is not a hash. Journals may come from strangers: a hash never leads elsewhere.
        """
        if not _SHA256.fullmatch(sha):
            raise CorruptStoreError(
                f"{sha!r} is not the hash of an audio file",
                where=str(self.folder),
                remedy="Restore the journals from a copy.",
                code="corrupt/audio-name",
            )
        return self.folder / sha[:2] / f"{sha}.flac"

    def put(self, clip: Clip) -> str:
        """Store a clip as FLAC (24 bit) and return the sha256 of the file. An intact file is not written again.

        Raises:
            IncompleteError, UsageError: if it cannot be written.
        """
        data = clip.encode()
        sha = sha256_bytes(data)
        path = self.path(sha)
        if self.damage(sha) is None:
            return sha
        self.set_aside(sha)
        make_folder(path.parent)
        write_bytes(path, data)
        return sha

    def read(self, sha: str) -> Clip:
        """The clip of a hash, checked against it.

        Raises:
            CorruptStoreError: if the file is missing or is not what it was.
        """
        why = self.damage(sha)
        if why is not None:
            raise CorruptStoreError(
                f"an audio file of the run cannot be used: {why}",
                where=str(self.path(sha)),
                remedy="Give the `timbrebench run` command again: it moves the file aside and makes it anew.",
                code="corrupt/audio",
            )
        return Clip.read(self.path(sha))

    def damage(self, sha: str) -> str | None:
        """Why the file of a hash cannot be used, or None if it can.

        Raises:
            CorruptStoreError: if it is there and cannot be read. Whether it is damaged is then not known.
        """
        actual = self._actual(sha)
        if actual is None:
            return "the file is missing"
        return None if actual == sha else f"its hash is {actual}"

    def set_aside(self, sha: str) -> None:
        """Move the file of a hash, if it is there, to the quarantine as `<claimed hash>.<actual hash, cut>.flac`."""
        path = self.path(sha)
        actual = self._actual(sha)
        if actual is None:
            return
        make_folder(self.quarantine)
        with writing(self.quarantine):
            # Named by content, so a second copy of the same damage replaces the first and nothing else.
            with suppress(FileNotFoundError):  # another worker moved it
                path.replace(self.quarantine / f"{sha}.{actual[:16]}.flac")
            fsync_folder(path.parent)
            fsync_folder(self.quarantine)

    def _actual(self, sha: str) -> str | None:
        """The hash that the file of a hash really has; None if there is no file."""
        path = self.path(sha)
        try:
            return sha256_file(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CorruptStoreError(
                f"an audio file of the run cannot be read ({error.strerror or error})",
                where=str(path),
                remedy="Check the disk and the permissions. If you remove it, `timbrebench run` makes it anew.",
                code="corrupt/audio-unreadable",
            ) from error
