"""Where checkpoints are looked for, and what is said when they are not there or not what they should be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hub_cache import publish_in_hub

from bench import checkpoints
from bench.checkpoints import Checkpoint, file_hash, locate, progress
from bench.errors import ModelError, UsageError
from bench.identity import sha256_bytes
from bench.store.cache import Cache
from bench.suite import T

CONTENT = b"weights" * 1_000


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without checkpoints: cache, hub and torch folders that are empty."""
    import huggingface_hub.constants as hub

    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("TIMBREBENCH_CHECKPOINTS", raising=False)
    return tmp_path


@pytest.fixture
def checkpoint() -> Checkpoint:
    url = "https://huggingface.co/someone/nets/resolve/main/some%3Dnet.pt"
    return Checkpoint("some=net.pt", url, len(CONTENT), sha256_bytes(CONTENT), "MIT")


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "place", ["cache/v1/checkpoints/some=net.pt", "torch/hub/checkpoints/some=net.pt", "torch/hub/some%3Dnet.pt"]
)
def test_places_where_it_may_be(own: Path, checkpoint: Checkpoint, place: str) -> None:
    path = put(own / place)
    assert locate(checkpoint) == path


def test_the_named_folder_comes_first(own: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own / "cache/v1/checkpoints/some=net.pt")
    named = put(own / "mine" / "some=net.pt")
    monkeypatch.setenv("TIMBREBENCH_CHECKPOINTS", str(own / "mine"))
    assert locate(checkpoint) == named


@pytest.mark.parametrize("repository", ["someone/nets", "nets"])
def test_the_hubs_cache_is_searched_also_by_the_bare_name(own: Path, repository: str) -> None:
    source = put(own / "net.pt")
    snapshot = publish_in_hub(own / "hub", repository, source)
    url = "https://huggingface.co/someone/nets/resolve/main/net.pt"
    assert locate(Checkpoint("net.pt", url, None, None, "MIT")) == snapshot / "net.pt"


def test_a_file_of_the_wrong_size_or_content_is_refused(own: Path, checkpoint: Checkpoint) -> None:
    path = put(own / "cache/v1/checkpoints/some=net.pt", CONTENT[:-1])
    with pytest.raises(ModelError, match="it has 6,999 bytes, not 7,000") as caught:
        locate(checkpoint)
    assert caught.value.code == "model/wrong-file" and caught.value.where == str(path)
    path.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(ModelError, match=r"its sha256 is .*, not "):
        locate(checkpoint)


def test_the_first_digits_of_a_hash_are_enough_to_refuse(own: Path) -> None:
    url = "https://example.org/net-0badc0de.th"
    path = put(own / "cache/v1/checkpoints/net-0badc0de.th")
    with pytest.raises(ModelError, match="not 0badc0de"):
        locate(Checkpoint("net-0badc0de.th", url, None, "0badc0de", "MIT"))
    start = sha256_bytes(CONTENT)[:8]
    assert locate(Checkpoint("net-0badc0de.th", url, None, start, "MIT")) == path


def test_a_hash_is_computed_once_until_the_file_changes(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = put(own / "net.pt"), []
    hashed = checkpoints.sha256_file
    monkeypatch.setattr(checkpoints, "sha256_file", lambda path: read.append(path) or hashed(path))
    assert file_hash(path) == file_hash(path) == sha256_bytes(CONTENT)
    assert len(read) == 1
    put(path, b"other")
    assert file_hash(path) == sha256_bytes(b"other")


def test_offline_one_error_names_file_size_address_and_place(own: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(ModelError) as caught:
        locate(checkpoint)
    error = caught.value
    assert error.code == "model/missing" and error.exit_code == 2
    assert error.cause == (
        "the checkpoint some=net.pt (0.0 MB) is not on this machine, and was not downloaded: HF_HUB_OFFLINE is set"
    )
    assert error.where == checkpoint.url
    assert error.remedy == (
        f"Fetch it where you can, and put it at {own}/cache/v1/checkpoints/some=net.pt or into a folder that "
        "TIMBREBENCH_CHECKPOINTS names."
    )


def test_it_is_downloaded_verified_and_progress_is_told(own: Path) -> None:
    content = bytes(3 << 20)
    source = put(own / "server" / "net.pt", content)
    wanted = Checkpoint("nets/net.pt", source.as_uri(), len(content), sha256_bytes(content), "MIT")
    told: list[tuple[str, int]] = []

    def track(items: Iterable[T], what: str, total: int) -> Iterable[T]:
        told.append((what, total))
        return items

    with progress(track):
        found = locate(wanted)
    assert found == Cache().folder / "checkpoints" / "nets" / "net.pt" and found.read_bytes() == content
    assert told == [("MiB", 3)]
    source.unlink()
    assert locate(wanted) == found


def test_a_download_that_fails_says_why_and_what_else_to_do(own: Path) -> None:
    gone = Checkpoint("net.pt", (own / "gone.pt").as_uri(), 5, None, "MIT")
    with pytest.raises(ModelError, match=r"net.pt .* was not downloaded: there is no such file"):
        locate(gone)
    other = Checkpoint("net.pt", put(own / "other.pt").as_uri(), None, "ab" * 32, "MIT")
    with pytest.raises(ModelError, match="was not downloaded: the file is not the one expected"):
        locate(other)


def test_a_folder_that_is_not_there_is_named(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBREBENCH_CHECKPOINTS", "/no/such/folder")
    with pytest.raises(UsageError, match="TIMBREBENCH_CHECKPOINTS names a folder that is not there"):
        locate(checkpoint)


def test_a_file_of_ones_own_is_taken_as_it_is(own: Path) -> None:
    assert locate(put(own / "mine.pt")) == own / "mine.pt"
    with pytest.raises(ModelError, match="no such checkpoint"):
        locate(own / "other.pt")
