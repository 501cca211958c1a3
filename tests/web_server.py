"""A web server on this machine that can be told to misbehave, for tests of what is downloaded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is served under a path, and how.

    Attributes:
        data: the body.
        etag, modified: header fields; None: not sent.
        ranges: whether `Range` is heeded; and `If-Range`, where `conditions` is.
        early: bytes before the start of a range at which the answer to it starts, and says so.
        framing: how the end of the body is told: its length, chunks, or not at all.
        cut: bytes of body after which the connection is cut, in every answer.
        hold: bytes of body after which nothing comes until the server is released.
        statuses: answers to the next requests, before the page is served.
        headers: more header fields.
        redirect: where to send the client instead.
    """

    data: bytes = b""
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    conditions: bool = True
    early: int = 0
    framing: str = "length"
    cut: int | None = None
    hold: int | None = None
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None


@dataclass
class Seen:
    """A request: what it asked for, and the bytes of body that it was sent."""

    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")


class WebServer(ThreadingHTTPServer):
    """Serves `pages`, keeps what it `seen`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.seen: list[Seen] = []
        self.released = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def put(self, path: str, page: Page) -> str:
        self.pages[path] = page
        return self.url(path)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests hang up: nothing to print."""


@contextmanager
def serving() -> Iterator[WebServer]:
    with WebServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seen = Seen(self.path, dict(self.headers))
        self.server.seen.append(seen)
        page = self.server.pages.get(self.path, Page(statuses=[404]))
        self.close_connection = True
        if page.statuses:
            return self._head(seen, page.statuses.pop(0), {"Content-Length": "0", **page.headers})
        if page.redirect is not None:
            return self._head(seen, 302, {"Content-Length": "0", "Location": page.redirect})
        start, status = self._range(page)
        end = len(page.data)
        validators = {"ETag": page.etag, "Last-Modified": page.modified}
        headers = page.headers | {name: value for name, value in validators.items() if value is not None}
        if status == 416:
            return self._head(seen, status, {**headers, "Content-Range": f"bytes */{end}", "Content-Length": "0"})
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{end}"
        if page.framing == "length":
            headers["Content-Length"] = str(end - start)
        if page.framing == "chunks":
            headers["Transfer-Encoding"] = "chunked"
        self._head(seen, status, headers)
        self._send(seen, page, page.data[start:])

    def _range(self, page: Page) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        heeded = not page.conditions or condition in (None, page.etag, page.modified)
        if not (found and page.ranges and heeded):
            return 0, 200
        start = int(found[1]) - page.early
        return start, 206 if start < len(page.data) else 416

    def _head(self, seen: Seen, status: int, headers: dict[str, str]) -> None:
        seen.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, seen: Seen, page: Page, body: bytes) -> None:
        for block in self._blocks(page, body):
            chunked = page.framing == "chunks"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            seen.sent += len(block)
        if page.framing == "chunks" and seen.sent == len(body):
            self.wfile.write(b"0\r\n\r\n")

    def _blocks(self, page: Page, body: bytes) -> Iterator[bytes]:
        stops = sorted({min(stop, len(body)) for stop in (page.cut, page.hold, len(body)) if stop is not None})
        start = 0
        for stop in stops:
            for at in range(start, stop, 50_000):
                yield body[at : min(at + 50_000, stop)]
            if stop == page.cut:
                return
            if stop == page.hold:
                self.server.released.wait()
            start = stop

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""
