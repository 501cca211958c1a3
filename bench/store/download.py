"""Downloads that are whole or not there: resumed where they stopped, verified, and only then given their name.

1. Bytes go to `<path>.part`, as they come; `<path>.part.json` notes what they are a part of (URL, ETag, date, size).
2. A part that is there is continued, by `Range` and `If-Range` (RFC 9110, 13.1.5 and 14.2), if the server still has the
   same file; if the server has another one, or sends the whole anyway, the part is begun anew.
3. The part is whole when it has the length that the server and the caller say, and the hash that the caller says. A
   body of no stated length counts only if it ends as a chunked body must end.
4. fsync, replace, fsync the folder: as in `bench.store.atomic`.

A kill at any point leaves a part that the same call goes on with. A wrong hash or size removes it, so that the next
call starts anew. Two processes that want one path take turns, and the second finds the file there.

httpx2 does the HTTP (proxies, the system's certificates, timeouts). What other packages have above that falls short:
pooch and fsspec begin anew each time, and huggingface_hub resumes without asking whether the file has changed.

Accepted: a power cut (not a kill) may spoil the end of a part, which only a hash finds. Give `sha256` where known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from bench.errors import UsageError
from bench.store.atomic import make_folder, writing
from bench.store.part import Part, Wanted, shown
from bench.store.transfer import PATIENT, Patience, copy_file, fetch, local_path
from bench.suite import Track, untracked

__all__ = ["LIMIT", "Patience", "download", "local_path", "shown"]

LIMIT = 32 << 30
"""What no single file of ours comes near: a server that sends more is at fault, or means harm."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    limit: int = LIMIT,
    patience: Patience = PATIENT,
    track: Track = untracked,
) -> Path:
    """Get a file, whole and verified; call again to go on with a download that stopped.

    A file that is at `path` already, with that size and hash as far as they are given, is left alone and not asked for.

    Args:
        url: `https://`, `http://` or `file://`.
        path: where it goes; its folder is made.
        sha256: of the file, in hex.
        size: of the file, in bytes.
        limit: the most bytes to take when `size` is not given.
        patience: how often and how long to try.
        track: told of every MiB, for each attempt anew, if the server says how many there are.

    Returns:
        `path`.

    Raises:
        UsageError: `download/url` for another kind of URL; `download/environment` for proxies or certificates that
            cannot be used; `store/not-writable`.
        DataError: `download/unreachable`, `download/certificate`, `download/redirect`, `download/not-found`,
            `download/refused`; `download/no-length` if nothing would tell a part from the whole; `download/too-large`,
            `download/wrong-size`, `download/wrong-hash` if it is not what it should be.
        IncompleteError: `download/interrupted`, `store/disk-full`; the same call goes on.
    """
    scheme = _scheme(url)
    wanted = Wanted(url, sha256.lower() if sha256 else None, size, limit if size is None else size)
    make_folder(path.parent)
    with _alone(path):
        if not wanted.is_at(path):
            part = Part(path, wanted)
            if scheme == "file":
                copy_file(wanted, part, track)
            else:
                fetch(wanted, part, patience, track)
            part.publish()
    return path


def _scheme(url: str) -> str:
    """`https`, `http` or `file`.

    Raises:
        UsageError: `download/url`, for anything else.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme == "file" or (parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0)
    except ValueError:  # also a port that is none
        known = None
    if not known:
        raise UsageError(
            f"{url!r} is not a URL to download from",
            remedy="Give a URL that begins with https://, http:// or file://.",
            code="download/url",
        )
    return parts.scheme


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the path's lock. The lock file stays: see `bench.store.lock`."""
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    with writing(path):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
