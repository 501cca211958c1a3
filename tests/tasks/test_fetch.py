from __future__ import annotations

import json
import shutil
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Page, WebServer, serving

from bench.errors import BenchError, DataError, IncompleteError
from bench.identity import sha256_bytes
from bench.store.cache import ENV, Cache
from tasks.polyevalprompts import MUSDB18_TEST, MUSICDELTA, PolyEvalPrompts
from tasks.polyevalprompts import fetch as module
from tasks.polyevalprompts.fetch import FileIdentity, Manifest, differences, fetch, fetched, manifest, manifest_of

FILES = {
    f"{track}/prompt_multi.json": json.dumps({"guitar2violin": track}).encode() * 40
    for track in ("musdb18_test/PR - Oh No", "musdb18_test/Mu - Too Bright", "musicdelta/MusicDelta_Rock")
}
ROCK = "musicdelta/MusicDelta_Rock/prompt_multi.json"
TOP = "polyphonia-3c25313"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest of the three files above."""
    files = {name: FileIdentity(size=len(data), sha256=sha256_bytes(data)) for name, data in FILES.items()}
    small = manifest().model_copy(update={"files": files})
    monkeypatch.setattr(module, "manifest", lambda: small)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def write(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def checkout(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    """As the repository has it, with a sample of its own and more."""
    write(folder / "PolyEvalPrompts", files)
    return write(
        folder, {"README.md": b"# Polyphonia", "sample/prompt_multi.json": b"{}", "sample/mixture.wav": b"RIFF"}
    )


def pack(kind: str, tmp_path: Path, top: str = TOP, files: dict[str, bytes] = FILES) -> Path:
    source = checkout(tmp_path / "packed", files)
    path = tmp_path / f"archive.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(source.rglob("*")):
                archive.write(each, Path(top) / each.relative_to(source))
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(source, top)
    shutil.rmtree(source)
    return path


def content(folder: Path | None) -> dict[str, bytes]:
    assert folder is not None
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json") if path.name[0] != "."
    }


def refused(code: str, origin: object) -> BenchError:
    with pytest.raises(BenchError) as caught:
        fetch(str(origin))
    assert caught.value.code == code
    assert fetched() is None
    assert not list(Cache().downloads.glob("*[!k]")), "nothing but locks is left"
    return caught.value


class TestManifest:
    def test_it_names_the_tracks_of_the_suite(self) -> None:
        tracks = [f"musdb18_test/{name}" for name in MUSDB18_TEST] + [f"musicdelta/{name}" for name in MUSICDELTA]
        assert sorted(manifest().files) == sorted(f"{track}/prompt_multi.json" for track in tracks)
        assert manifest().archive == (
            "https://github.com/Ltx-Leif/polyphonia/archive/3c2531399135a62251f926757c579886a4a8cefc.zip"
        )

    def test_it_is_that_of_the_published_files(self, shared_data: Path) -> None:
        folder = shared_data / "PolyEvalPrompts"
        assert manifest_of(folder) == dict(manifest().files)
        assert not differences(manifest_of(folder))
        licence = (folder / "LICENSE_upstream_MIT.txt").read_bytes()
        assert manifest().licence_text == FileIdentity(size=len(licence), sha256=sha256_bytes(licence))

    def test_it_reads_itself_only(self) -> None:
        with pytest.raises(ValueError, match="extra"):
            Manifest.model_validate({**manifest().model_dump(), "more": 1})

    def test_the_published_files_are_fetched_and_built(self, shared_data: Path) -> None:
        folder = PolyEvalPrompts.fetch(str(shared_data / "PolyEvalPrompts"))
        assert manifest_of(folder) == dict(manifest().files)
        assert len(PolyEvalPrompts(PolyEvalPrompts.Options()).build().tasks) == 1170


@pytest.mark.usefixtures("three")
class TestOrigins:
    @pytest.mark.parametrize("kind", ["zip", "tar.gz"])
    def test_an_archive(self, tmp_path: Path, kind: str) -> None:
        assert fetched() is None
        folder = fetch(str(pack(kind, tmp_path)))
        assert content(folder) == FILES
        assert fetched() == folder

    def test_an_archive_by_file_url(self, tmp_path: Path) -> None:
        assert content(fetch(pack("zip", tmp_path).as_uri())) == FILES

    @pytest.mark.parametrize("top", ["", "PolyEvalPrompts", "anything"])
    @pytest.mark.parametrize("kind", ["zip", "tar.gz"])
    def test_archives_packed_by_hand(self, tmp_path: Path, kind: str, top: str) -> None:
        path = tmp_path / f"a.{kind}"
        source = write(tmp_path / "source")
        with zipfile.ZipFile(path, "w") if kind == "zip" else tarfile.open(path, "w:gz") as archive:
            for name in FILES:
                (archive.write if isinstance(archive, zipfile.ZipFile) else archive.add)(source / name, f"{top}/{name}")
        assert content(fetch(str(path))) == FILES

    @pytest.mark.parametrize("below", [".", "PolyEvalPrompts"])
    def test_a_folder(self, tmp_path: Path, below: str) -> None:
        root = checkout(tmp_path / "polyphonia")
        folder = fetch(str(root / below))
        assert content(folder) == FILES
        assert folder.is_relative_to(tmp_path / "cache")
        assert fetch((root / below).as_uri()) == folder

    def test_a_web_server(self, tmp_path: Path, server: WebServer) -> None:
        data = pack("zip", tmp_path).read_bytes()
        url = server.put("/polyphonia.zip", Page(data, framing="chunks", etag='W/"1"', ranges=False))
        assert content(fetch(server.put("/archive", Page(redirect=url)))) == FILES
        assert not list(Cache().downloads.glob("*[!k]")), "the archive is not kept"

    def test_where_it_is_published(self, tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
        published = module.manifest().model_copy(update={"repository": server.url("/Ltx-Leif/polyphonia")})
        monkeypatch.setattr(module, "manifest", lambda: published)
        server.put(f"/Ltx-Leif/polyphonia/archive/{published.commit}.zip", Page(pack("zip", tmp_path).read_bytes()))
        assert content(fetch()) == FILES


@pytest.mark.usefixtures("three")
class TestAgain:
    def test_what_is_there_is_not_fetched(self, tmp_path: Path, server: WebServer) -> None:
        url = server.put("/a.zip", Page(pack("zip", tmp_path).read_bytes()))
        assert fetch(url) == fetch(url) == fetch() == fetch("/nowhere")
        assert len(server.seen) == 1

    def test_a_damaged_copy_is_fetched_anew(self, tmp_path: Path) -> None:
        root = checkout(tmp_path / "polyphonia")
        folder = fetch(str(root))
        (folder / ROCK).write_bytes(FILES[ROCK].replace(b"Rock", b"Pop!"))
        assert fetched() is None
        assert fetch(str(root)) == folder
        assert content(folder) == FILES

    def test_an_interrupted_download_is_continued(
        self, tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        data = pack("zip", tmp_path).read_bytes()
        page = Page(data, cut=len(data) // 2, statuses=[])
        url = server.put("/a.zip", page)
        page.ranges = False
        with pytest.raises(IncompleteError):
            fetch(url)
        assert fetched() is None
        page.cut, page.ranges = None, True
        assert content(fetch(url)) == FILES
        assert server.seen[-1].range == f"bytes={len(data) // 2}-"

    def test_a_wrong_archive_is_not_met_again(self, tmp_path: Path, server: WebServer) -> None:
        good = pack("zip", tmp_path).read_bytes()
        url = server.put("/a.zip", Page(b"<!DOCTYPE html>"))
        refused("archive/format", url)
        server.put("/a.zip", Page(good))
        assert content(fetch(url)) == FILES


@pytest.mark.usefixtures("three")
class TestRefused:
    @pytest.mark.parametrize("kind", ["zip", "tar.gz", "folder"])
    def test_all_that_differs_is_named_at_once(self, tmp_path: Path, kind: str) -> None:
        new = "musicdelta/MusicDelta_New/prompt_multi.json"
        files = {**FILES, ROCK: FILES[ROCK] + b" ", new: b"{}"}
        del files["musdb18_test/PR - Oh No/prompt_multi.json"]
        origin = checkout(tmp_path / "p", files) if kind == "folder" else pack(kind, tmp_path, files=files)
        error = refused("data/prompts-changed", origin)
        assert error.where == str(origin)
        for says in ("1 missing (musdb18_test/PR - Oh No/", f"1 changed ({ROCK})", f"1 extra ({new})"):
            assert says in error.cause

    def test_many_differences_fit_on_a_screen(self, tmp_path: Path) -> None:
        files = {**FILES, **{f"musicdelta/MusicDelta_{n:02d}/prompt_multi.json": b"{}" for n in range(70)}}
        assert "70 extra" in (cause := refused("data/prompts-changed", checkout(tmp_path / "p", files)).cause)
        assert "and 64 more" in cause

    @pytest.mark.parametrize("kind", ["zip", "tar.gz"])
    def test_names_in_another_case(self, tmp_path: Path, kind: str) -> None:
        other = ROCK.replace("musicdelta", "MusicDelta")
        refused("archive/unsafe", pack(kind, tmp_path, files={**FILES, other: FILES[ROCK]}))
        files = {other if name == ROCK else name: data for name, data in FILES.items()}
        refused("data/prompts-changed", pack(kind, tmp_path, files=files))

    def test_links_in_place_of_prompts(self, tmp_path: Path) -> None:
        link = tarfile.TarInfo(f"{TOP}/PolyEvalPrompts/{ROCK}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
            archive.addfile(link)
        refused("archive/unsafe", tmp_path / "a.tar.gz")

    def test_a_bomb_in_place_of_a_prompt(self, tmp_path: Path) -> None:
        files = {**FILES, ROCK: bytes(20_000_000)}
        refused("archive/too-large", pack("zip", tmp_path, files=files))

    def test_prompts_in_two_places(self, tmp_path: Path) -> None:
        path = pack("zip", tmp_path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"old/{ROCK}", b"{}")
        assert "2 times (old/, polyphonia-3c25313/PolyEvalPrompts/)" in refused("data/no-prompts", path).cause

    def test_no_prompts(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        refused("data/no-prompts", tmp_path / "empty")
        with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
            archive.writestr("README.md", "# Something else")
        refused("data/no-prompts", tmp_path / "empty.zip")

    def test_no_origin(self, tmp_path: Path) -> None:
        refused("data/no-origin", tmp_path / "nothing.zip")
        refused("data/no-origin", (tmp_path / "nothing.zip").as_uri())
        refused("download/url", "s3://bucket/polyphonia.zip")

    def test_a_cut_archive(self, tmp_path: Path) -> None:
        path = pack("tar.gz", tmp_path)
        path.write_bytes(path.read_bytes()[:-200])
        refused("archive/damaged", path)

    def test_an_unreadable_prompt(self, tmp_path: Path) -> None:
        root = checkout(tmp_path / "p")
        (root / "PolyEvalPrompts" / ROCK).unlink()
        (root / "PolyEvalPrompts" / ROCK).mkdir()
        with pytest.raises(DataError) as caught:
            fetch(str(root))
        assert caught.value.where == str(root / "PolyEvalPrompts" / ROCK)
