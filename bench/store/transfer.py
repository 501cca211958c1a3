"""Bytes from a URL into a part: by HTTP in as many attempts as patience allows, or from a file.

Redirects are followed here and not by httpx2, which would read their bodies, however long, into memory.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bench.errors import BenchError, DataError, IncompleteError, UsageError
from bench.store.part import MIB, Origin, Part, Wanted
from bench.suite import Track

if TYPE_CHECKING:
    import httpx2

_BLOCK = 64 << 10
_REDIRECTS = 10
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 30.0
_NUMBER = re.compile(r"[0-9]{1,18}")
_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]+)-[0-9]+|\*)/([0-9]{1,18})")


@dataclass(frozen=True)
class Patience:
    """How long a download waits.

    Attributes:
        waits: seconds before each further attempt. An attempt that got a MiB further earns them all anew.
        connect_s: for a connection.
        silence_s: for the next bytes.
    """

    waits: tuple[float, ...] = (1.0, 2.0, 4.0)
    connect_s: float = 10.0
    silence_s: float = 30.0


PATIENT = Patience()


def _take(part: Part, blocks: Iterable[bytes], total: int | None, track: Track) -> None:
    """Append what comes of a file of `total` bytes; progress is told where that number is known."""
    numbers: Iterable[int] = part.append(blocks)
    if total is not None:
        part.check_room(total)
        numbers = track(numbers, "MiB", total // MIB - part.length // MIB)
    for _ in numbers:
        pass


# -- file:// --------------------------------------------------------------------------------------------------------


def local_path(url: str) -> Path:
    """The path that a `file://` URL names.

    Raises:
        UsageError: `download/url`, if it is on another host.

    >>> str(local_path("file:///data/with%20space.zip"))
    '/data/with space.zip'
    """
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        raise UsageError(
            f"a file:// URL cannot name a file on another host ('{parts.netloc}')",
            where=url,
            remedy="Write file:///path/to/file, with three slashes.",
            code="download/url",
        )
    return Path(url2pathname(parts.path))


def copy_file(wanted: Wanted, part: Part, track: Track) -> None:
    """Copy the file of a `file://` URL, from its first byte.

    Raises:
        DataError: if it is not there, cannot be read, or changes meanwhile; and as of `Part`.
    """
    source = local_path(wanted.url)
    if not source.is_file():
        cause = "this is not a file" if source.exists() else "there is no such file"
        raise DataError(cause, where=str(source), remedy="Check the path.", code="download/not-found")
    try:
        with source.open("rb") as handle:
            total = source.stat().st_size
            part.begin(Origin(url=wanted.shown, size=total))
            _take(part, iter(lambda: handle.read(_BLOCK), b""), total, track)
    except OSError as error:
        raise DataError(
            f"the file cannot be read ({error.strerror})",
            where=str(source),
            remedy="Check the file and its permissions.",
            code="download/refused",
        ) from error
    if part.length != total:
        part.discard()
        raise DataError(
            "the file changed while it was read",
            where=str(source),
            remedy="Wait until it is written, then give the same command again.",
            code="download/wrong-size",
        )


# -- http:// and https:// -------------------------------------------------------------------------------------------


class _BrokenError(Exception):
    """An attempt failed in a way that the next one may not. `answered`: whether there was a server."""

    def __init__(self, reason: object, *, answered: bool = True, wait_s: float = 0.0):
        super().__init__(str(reason).rstrip(".") or type(reason).__name__)
        self.answered = answered
        self.wait_s = wait_s


def fetch(wanted: Wanted, part: Part, patience: Patience, track: Track) -> None:
    """Attempts, until one reaches the end of the file or they are used up.

    Raises:
        DataError: if the server cannot be reached, does not give the file, or gives another; and as of `Part`.
        IncompleteError: if the attempts are used up with something in hand; `store/disk-full`.
        UsageError: if the machine's own settings of proxies or certificates cannot be used.
    """
    with _client(patience) as client:
        waits, furthest = list(patience.waits), part.length
        while True:
            try:
                return _attempt(client, wanted, part, track)
            except _BrokenError as error:
                if part.length >= furthest + MIB:
                    waits, furthest = list(patience.waits), part.length
                if not waits:
                    raise _gave_up(wanted, part, error) from error
                time.sleep(max(waits.pop(0), error.wait_s))


def _client(patience: Patience) -> httpx2.Client:
    import httpx2

    headers = {"User-Agent": "timbrebench", "Accept-Encoding": "identity"}
    timeout = httpx2.Timeout(patience.silence_s, connect=patience.connect_s)
    try:
        return httpx2.Client(headers=headers, timeout=timeout)
    except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        raise UsageError(
            f"the proxy or certificates that the environment names cannot be used ({error})",
            remedy="Check the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
            code="download/environment",
        ) from error


def _attempt(client: httpx2.Client, wanted: Wanted, part: Part, track: Track) -> None:
    """Get the rest of the file, or all of it. Ends normally only if the part then has every byte."""
    origin = part.origin()
    if origin is not None and part.length == origin.size:
        return
    with _answer(client, wanted, _range(part, origin)) as response:
        _check_status(response, wanted, ranged=origin is not None)
        if origin is None or response.status_code == 200:
            total = _begin(response, wanted, part)
        else:
            total = _continue(response, part, origin)
        if response.status_code != 416:
            _take(part, _body(response), total, track)
    if total not in (None, part.length):
        raise _BrokenError("the connection was cut")


def _range(part: Part, origin: Origin | None) -> dict[str, str]:
    """The header fields that ask for what is missing."""
    if origin is None:
        return {}
    condition = {} if origin.validator is None else {"If-Range": origin.validator}
    return {"Range": f"bytes={part.length}-", **condition}


@contextmanager
def _answer(client: httpx2.Client, wanted: Wanted, headers: dict[str, str]) -> Iterator[httpx2.Response]:
    """The answer at the end of all redirects, its body not read yet."""
    import httpx2

    try:
        request = client.build_request("GET", wanted.url, headers=headers)
        for _ in range(_REDIRECTS + 1):
            response = client.send(request, stream=True)
            if response.next_request is None:
                break
            response.close()
            request = response.next_request
            _check_redirect(request.url, wanted)
        else:
            raise _failed(wanted, f"the server redirects more than {_REDIRECTS} times", "redirect")
    except httpx2.InvalidURL as error:
        raise _failed(wanted, f"the address cannot be used ({error})", "url") from error
    except httpx2.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise _failed(wanted, f"the server's certificate cannot be trusted ({error})", "certificate") from error
        raise _BrokenError(error, answered=False) from error
    try:
        yield response
    finally:
        response.close()


def _check_redirect(url: httpx2.URL, wanted: Wanted) -> None:
    # What is hashed may come by any way; what is not must not go where anyone on the way could change it.
    schemes = {"https"} if wanted.sha256 is None and urlsplit(wanted.url).scheme == "https" else {"https", "http"}
    if url.scheme not in schemes:
        cause = f"the server redirects to {url.scheme}://{url.host}, and only {' and '.join(sorted(schemes))} will do"
        raise _failed(wanted, cause, "redirect")


def _check_status(response: httpx2.Response, wanted: Wanted, *, ranged: bool) -> None:
    status, cause = response.status_code, f"the server answers {response.status_code} {response.reason_phrase}"
    if status in _TRY_AGAIN:
        raise _BrokenError(cause, wait_s=min(_number(response, "Retry-After") or 0.0, _LONGEST_WAIT_S))
    if status in {404, 410}:
        raise DataError(cause, where=wanted.shown, remedy="Check the address.", code="download/not-found")
    if status != 200 and not (ranged and status in {206, 416}):
        raise _failed(wanted, cause, "refused")


def _begin(response: httpx2.Response, wanted: Wanted, part: Part) -> int | None:
    """Note the origin of a new part; the size of the whole file, or None if only a chunked body's end will tell."""
    chunked = "Transfer-Encoding" in response.headers
    size = None if chunked else _number(response, "Content-Length")
    if size is None and not chunked:
        # Such a body ends where the connection does, for whatever reason.
        size = wanted.size
    if size is None and not chunked and wanted.sha256 is None:
        raise _failed(wanted, "the server does not say how long the file is, so a part could pass for it", "no-length")
    etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    part.begin(Origin(url=wanted.shown, etag=etag, last_modified=last_modified, size=size))
    return size


def _number(response: httpx2.Response, field: str) -> int | None:
    text = response.headers.get(field, "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _continue(response: httpx2.Response, part: Part, origin: Origin) -> int:
    """Size of the whole file, from the answer to a range.

    Raises:
        _BrokenError: if the answer does not follow the part, which is then removed: the next attempt begins anew.
    """
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    start, total = (found[1], int(found[2])) if found else (None, -1)
    # 416 is right if the part is whole already, as one of unknown size may be: nothing follows its last byte.
    follows = start == str(part.length) if response.status_code == 206 else total == part.length
    same = origin.size in (None, total) and response.headers.get("ETag", origin.etag) == origin.etag
    if not (follows and same):
        part.discard()
        raise _BrokenError("the server has another file now, or cannot continue this one")
    return total


def _body(response: httpx2.Response) -> Iterator[bytes]:
    """The bytes as they are sent: lengths, ranges and hashes are theirs, even where a server calls .gz an encoding."""
    import httpx2

    try:
        yield from response.iter_raw()
    except httpx2.TransportError as error:
        raise _BrokenError(error) from error


# -- errors ---------------------------------------------------------------------------------------------------------


def _gave_up(wanted: Wanted, part: Part, error: _BrokenError) -> BenchError:
    if not error.answered and not part.length:
        return _failed(wanted, f"this machine cannot reach {wanted.host} ({error})", "unreachable")
    return IncompleteError(
        f"the download stopped after {part.length:,} bytes ({error})",
        where=wanted.shown,
        remedy="Give the same command again: it goes on where it stopped. Or fetch it elsewhere and give --from FILE.",
        code="download/interrupted",
    )


def _failed(wanted: Wanted, cause: str, code: str) -> DataError:
    remedy = "Fetch it elsewhere and give --from FILE."
    return DataError(cause, where=wanted.shown, remedy=remedy, code=f"download/{code}")
