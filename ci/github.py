"""The little of GitHub's API that a comment needs: https://docs.github.com/en/rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from bench.errors import BenchError, DataError, IncompleteError
from reports.escape import clean

VERSION = "2022-11-28"
PAGES = 100
"""Most pages of a list: 10,000 comments."""

_BLOCK = 64 << 10


class GitHub:
    """One repository, seen with one token.

    Args:
        api: address of the API, as GITHUB_API_URL has it.
        token: sent to that address and to no other.
        repository: `owner/name`.
        transport: of httpx2, for the connection.
    """

    def __init__(self, api: str, token: str, repository: str, transport: httpx2.BaseTransport | None = None):
        self._api = httpx2.URL(api.rstrip("/"))
        self._repository = repository
        # Connections that fail are tried again; requests that may have arrived are not, for comments would double.
        self._client = httpx2.Client(
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "User-Agent": "timbrebench",
                "X-GitHub-Api-Version": VERSION,
            },
            timeout=httpx2.Timeout(30.0, connect=10.0),
            transport=transport or httpx2.HTTPTransport(retries=2),
            follow_redirects=False,
        )

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *caught: object) -> None:
        self._client.close()

    def list(self, path: str, key: str | None = None, **parameters: str) -> Iterator[dict[str, Any]]:
        """All entries of a list, page by page.

        Args:
            path: below the repository.
            key: where an answer holds its entries, if it is not a list itself.
            parameters: of the query.

        Raises:
            BenchError: as `_checked` says.
        """
        url: httpx2.URL | None = self._url(path).copy_merge_params({**parameters, "per_page": "100"})
        for _ in range(PAGES):
            if url is None:
                return
            response = self._send("GET", url)
            yield from _json(response)[key] if key else _json(response)
            url = self._next(response)

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST` or `PATCH` an object; the answer.

        Raises:
            BenchError: as `_checked` says.
        """
        answer: dict[str, Any] = _json(self._send(method, self._url(path), body))
        return answer

    def location(self, path: str) -> str:
        """Where a path redirects to.

        Raises:
            BenchError: as `_checked` says; DataError if it does not redirect.
        """
        response = self._send("GET", self._url(path))
        if response.next_request is None:
            raise _failed(response, "the server does not say where it is", code="ci/github")
        return str(response.next_request.url)

    def _url(self, path: str) -> httpx2.URL:
        return self._api.copy_with(path=f"{self._api.path.rstrip('/')}/repos/{self._repository}/{path}")

    def _next(self, response: httpx2.Response) -> httpx2.URL | None:
        """The next page, by the header `Link`; only of the same server, for the token goes with the request."""
        link = response.links.get("next", {}).get("url")
        if link is None:
            return None
        url = response.url.join(link)
        same = (url.scheme, url.host, url.port) == (self._api.scheme, self._api.host, self._api.port)
        if not same:
            raise _failed(response, f"the next page is said to be on {url.host}", code="ci/github")
        return url

    def _send(self, method: str, url: httpx2.URL, body: Mapping[str, Any] | None = None) -> httpx2.Response:
        try:
            response = self._client.request(method, url, json=body)
        except httpx2.TransportError as error:
            raise IncompleteError(
                f"GitHub cannot be reached ({error or type(error).__name__})",
                where=f"{method} {url.path}",
                remedy="Run the job again.",
                code="ci/unreachable",
            ) from error
        return _checked(response)


def fetch(url: str, limit: int) -> bytes:
    """A file by an address that needs no token.

    Args:
        url: as GitHub gives it.
        limit: bytes; a longer file is refused before it is in memory.

    Raises:
        DataError: `ci/artifact` if it is too large, or not there.
        IncompleteError: `ci/unreachable`.
    """
    where = httpx2.URL(url)
    try:
        plain = {"User-Agent": "timbrebench", "Accept-Encoding": "identity"}
        with httpx2.Client(headers=plain, timeout=60.0) as client, client.stream("GET", where) as response:
            if response.status_code != 200:
                raise _no_artifact(where, f"the server answers {response.status_code}")
            data = bytearray()
            for block in response.iter_raw(_BLOCK):
                data += block
                if len(data) > limit:
                    raise _no_artifact(where, f"it has more than {limit:,} bytes")
    except httpx2.TransportError as error:
        raise IncompleteError(
            f"the artifact cannot be fetched ({error or type(error).__name__})",
            where=where.host,
            remedy="Run the job again.",
            code="ci/unreachable",
        ) from error
    return bytes(data)


def _no_artifact(url: httpx2.URL, cause: str) -> DataError:
    # The path and query of such an address are a secret for some minutes: the host must do.
    return DataError(
        f"the artifact cannot be used: {cause}", where=url.host, remedy="Nothing was posted.", code="ci/artifact"
    )


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise _failed(response, "the answer is not JSON", code="ci/github") from error


def _checked(response: httpx2.Response) -> httpx2.Response:
    """The response, if it is not an error.

    Raises:
        IncompleteError: `ci/rate-limit`, `ci/unreachable`: later it may work.
        DataError: `ci/forbidden` if the token may not do this, `ci/github` for all else.
    """
    status = response.status_code
    if status < 400:
        return response
    headers = response.headers
    limited = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    if status in (403, 429) and limited:
        raise _failed(response, "GitHub's rate limit is used up", "Run the job again later.", "ci/rate-limit")
    if status in (401, 403):
        raise _failed(
            response,
            "the token may not do this",
            "Give the job `permissions: pull-requests: write` and `actions: read`, in a workflow on workflow_run: a "
            "token of a pull request from a fork cannot write, whatever it is given. A locked conversation takes no "
            "comment either.",
            "ci/forbidden",
        )
    if status >= 500:
        raise _failed(response, "GitHub has a fault", "Run the job again.", "ci/unreachable")
    raise _failed(response, "GitHub refuses this", "See GitHub's message.", "ci/github")


def _failed(
    response: httpx2.Response, cause: str, remedy: str = "Run the job again.", code: str = "ci/github"
) -> BenchError:
    later = code in ("ci/rate-limit", "ci/unreachable")
    return (IncompleteError if later else DataError)(
        f"{cause} ({response.status_code}{_message(response)})",
        where=f"{response.request.method} {response.request.url.path}",
        remedy=remedy,
        code=code,
    )


def _message(response: httpx2.Response) -> str:
    """GitHub's own words, if there are any."""
    try:
        value = response.json()
    except ValueError:
        return ""
    text = value.get("message") if isinstance(value, dict) else None
    return f": {clean(text)[:200]}" if isinstance(text, str) else ""
