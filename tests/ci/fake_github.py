"""As much of GitHub's API as the comment needs, on this machine, with a conversation that tests can look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
REPOSITORY = "owner/repo"
TOKEN = "t0ken"
PREFIX = f"/repos/{REPOSITORY}/"


@dataclass
class Refusal:
    """An answer in the place of the right one."""

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class FakeGitHub(ThreadingHTTPServer):
    """One repository.

    Attributes:
        pulls: open pull requests, as the API gives them. comments: of number 7, oldest first.
        artifacts: of run 99. zip: what each of them is.
        refusals: by (method, path below the repository).
        page_size: most entries of a list that one answer has, whatever was asked for.
        log: method and path of every request, in order. tokens: of the requests for the zip itself.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.artifacts: list[dict[str, Any]] = []
        self.zip = b""
        self.refusals: dict[tuple[str, str], Refusal] = {}
        self.page_size = 100
        self.next_host = ""
        self.log: list[str] = []
        self.tokens: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, body: str, login: str = BOT) -> None:
        self.comments.append({"id": 1000 + len(self.comments), "user": {"login": login}, "body": body})


@contextmanager
def serving() -> Iterator[FakeGitHub]:
    with FakeGitHub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeGitHub

    def do_GET(self) -> None:
        path = self._logged()
        if path == "/blob":
            self.server.tokens.append(self.headers.get("Authorization"))
            return self._send(200, self.server.zip)
        if self._refused("GET", path):
            return None
        lists = {
            "pulls": self.server.pulls,
            "issues/7/comments": self.server.comments,
            "actions/runs/99/artifacts": self.server.artifacts,
        }
        if path in lists:
            return self._list(path, lists[path])
        if path.startswith("actions/artifacts/"):
            return self._send(302, b"", {"Location": f"{self.server.url}/blob?sig=secret"})
        return self._send(404, b'{"message": "Not Found"}')

    def do_POST(self) -> None:
        path = self._logged()
        body = self._body()
        if not self._refused("POST", path):
            assert path == "issues/7/comments"
            self.server.say(body["body"])
            self._send(201, json.dumps(self.server.comments[-1]).encode())

    def do_PATCH(self) -> None:
        path = self._logged()
        body = self._body()
        if not self._refused("PATCH", path):
            number = int(path.removeprefix("issues/comments/"))
            (comment,) = [each for each in self.server.comments if each["id"] == number]
            comment["body"] = body["body"]
            self._send(200, json.dumps(comment).encode())

    def _logged(self) -> str:
        path = urlsplit(self.path).path.removeprefix(PREFIX)
        self.server.log.append(f"{self.command} {path}")
        return path

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _refused(self, method: str, path: str) -> bool:
        refusal = self.server.refusals.get((method, path))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            refusal = Refusal(401, "Bad credentials")
        if refusal is None:
            return False
        self._send(refusal.status, json.dumps({"message": refusal.message}).encode(), refusal.headers)
        return True

    def _list(self, path: str, entries: list[dict[str, Any]]) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        if path == "pulls":
            entries = [each for each in entries if query["head"] == each["head"]["label"]]
        if "name" in query:
            entries = [each for each in entries if each["name"] == query["name"]]
        page, size = int(query.get("page", 1)), min(int(query["per_page"]), self.server.page_size)
        shown: Any = entries[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(entries):
            host = self.server.next_host or self.server.url
            following = f"{host}{PREFIX}{path}?per_page={size}&page={page + 1}"
            headers = {"Link": f'<{following}>; rel="next", <{following}>; rel="last"'}
        if path.endswith("artifacts"):
            shown = {"total_count": len(entries), "artifacts": shown}
        self._send(200, json.dumps(shown).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""
