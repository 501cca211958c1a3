"""The prompt files, from the official repository at one commit, each checked against `manifest.json` beside this file.

The manifest has the size and sha256 of all 78 files. What they come in has no hash of its own (GitHub packs archives
anew and does not promise equal bytes), so any origin will do that holds the same files: the commit's archive, a copy of
it, a checkout, a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.errors import DataError
from bench.identity import digest, sha256_bytes, sha256_file
from bench.store import strict_json
from bench.store.archive import Limits, read_files
from bench.store.atomic import writing
from bench.store.cache import Cache
from bench.store.download import download, local_path, shown
from bench.suite import Track, untracked

_FOLDER = "PolyEvalPrompts"
_FILE = "prompt_multi.json"
_SETS = ("musdb18_test", "musicdelta")
# In an archive of the repository, of its folder, or of the two sets; in any case, so that `read_files` sees the same
# file spelt in two.
_IN_ARCHIVE = re.compile(rf"(?i)((?:[^/]+/)?(?:{_FOLDER}/)?)((?:{'|'.join(_SETS)})/(?:.+/)?{re.escape(_FILE)})")

_ARCHIVE_LIMIT = 256 << 20
_SHOWN = 6
_ROOM = 4  # times what the manifest has: edited files still fit, and are named as changed


class FileIdentity(BaseModel):
    """What a file must be."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    size: int
    sha256: str


class Manifest(BaseModel):
    """Which files the suite is made of: `files` by their paths below the repository's folder PolyEvalPrompts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    repository: str
    commit: str
    licence: str
    licence_text: FileIdentity
    files: Mapping[str, FileIdentity]

    @property
    def archive(self) -> str:
        """Where the repository's host gives the commit."""
        return f"{self.repository}/archive/{self.commit}.zip"


@cache
def manifest() -> Manifest:
    """The manifest of this project."""
    return Manifest.model_validate(strict_json.parse_object(Path(__file__).with_name("manifest.json").read_bytes()))


def manifest_of(folder: Path) -> dict[str, FileIdentity]:
    """What the manifest calls `files`, of the prompt files in a folder that holds musdb18_test/ and musicdelta/.

    Raises:
        DataError: `data/no-prompts`, if there are none.
    """
    return {
        name: FileIdentity(size=path.stat().st_size, sha256=sha256_file(path))
        for name, path in sorted(_paths(folder).items())
    }


@dataclass(frozen=True)
class Differences:
    """In what prompt files differ from the manifest's."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.extra)

    def __str__(self) -> str:
        kinds = {"missing": self.missing, "changed": self.changed, "extra": self.extra}
        return "; ".join(f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items() if names)


def differences(found: Mapping[str, FileIdentity]) -> Differences:
    """Compare files, as `manifest_of` gives them, with the manifest."""
    known = manifest().files
    return Differences(
        missing=tuple(sorted(known.keys() - found.keys())),
        changed=tuple(sorted(name for name in known.keys() & found.keys() if known[name] != found[name])),
        extra=tuple(sorted(found.keys() - known.keys())),
    )


# -- fetching -------------------------------------------------------------------------------------------------------


def fetch(origin: str | None = None, track: Track = untracked) -> Path:
    """The folder of the verified prompt files in the cache; if it is there, nothing is fetched.

    A download that was interrupted is continued. What does not fit the manifest leaves nothing in the cache.

    Args:
        origin: a URL (https, http, file) or path of an archive (.zip, .tar.gz) of the repository or its folder
            PolyEvalPrompts, or the path of such a folder. Default: the archive of the manifest's commit.
        track: told how far the download is.

    Returns:
        A folder that holds `musdb18_test/` and `musicdelta/`.

    Raises:
        DataError: `data/no-origin`, `data/no-prompts`; `data/prompts-changed`, which names all files that are missing,
            changed or too many; as of `download` and `read_files`.
        UsageError, IncompleteError: as of `download`.
    """
    store = Cache()
    return store.directory(_key(), partial(_fill, origin or manifest().archive, store.downloads, track), verify=True)


def fetched() -> Path | None:
    """The folder that `fetch` gave, if it is there and every file in it is right."""
    return Cache().find(_key(), verify=True)


def _key() -> dict[str, str]:
    return {"data": "polyevalprompts", "manifest": digest(manifest().model_dump(mode="json"))}


def _fill(origin: str, downloads: Path, track: Track, folder: Path) -> None:
    files = _read(origin, downloads, track)
    found = differences({name: FileIdentity(size=len(data), sha256=sha256_bytes(data)) for name, data in files.items()})
    if found:
        raise DataError(
            f"the prompt files are not those of commit {manifest().commit[:7]}: {found}",
            where=shown(origin),
            remedy="Give --from an unchanged copy of that commit; or build from other prompts with --prompts FOLDER.",
            code="data/prompts-changed",
        )
    for name, data in files.items():
        with writing(folder / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def _read(origin: str, downloads: Path, track: Track) -> dict[str, bytes]:
    """The prompt files of an origin, by their paths below PolyEvalPrompts."""
    if "://" in origin and not origin.lower().startswith("file:"):
        name = f"polyevalprompts-{digest(origin)[:16]}"
        archive = download(origin, downloads / name, limit=_ARCHIVE_LIMIT, track=track)
        try:
            return _in_archive(archive, origin)
        finally:
            # If it was right it is not needed any more; if it was not, it must not be met again.
            archive.unlink(missing_ok=True)
    path = local_path(origin) if "://" in origin else Path(origin).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if not path.is_file():
        raise DataError(
            "there is no such file or folder",
            where=str(path),
            remedy="Give --from an archive of the repository, or a folder that holds musdb18_test/ and musicdelta/.",
            code="data/no-origin",
        )
    return _in_archive(path, origin)


def _in_archive(path: Path, origin: str) -> dict[str, bytes]:
    known = [each.size for each in manifest().files.values()]
    limits = Limits(file=_ROOM * max(known), files=_ROOM * sum(known), unpacked=_ARCHIVE_LIMIT)
    try:
        found = read_files(path, lambda name: _IN_ARCHIVE.fullmatch(name) is not None, limits)
    except DataError as error:
        error.where = shown(origin)
        raise
    places: dict[str, dict[str, bytes]] = {}
    for name, data in found.items():
        match = _IN_ARCHIVE.fullmatch(name)
        assert match is not None
        places.setdefault(match[1], {})[match[2]] = data
    if len(places) > 1:
        raise _no_prompts(f"the prompt files are in it {len(places)} times ({_some(sorted(places))})", origin)
    if not places:
        raise _no_prompts("there are no prompt files in it", origin)
    return places.popitem()[1]


def _in_folder(folder: Path) -> dict[str, bytes]:
    most = _ROOM * max(each.size for each in manifest().files.values())
    files: dict[str, bytes] = {}
    for name, path in _paths(folder).items():
        try:
            with path.open("rb") as handle:
                files[name] = handle.read(most)
        except OSError as error:
            raise DataError(
                f"a prompt file cannot be read ({error.strerror})",
                where=str(path),
                remedy="Check the file and its permissions.",
                code="data/prompts-changed",
            ) from error
    return files


def _paths(folder: Path) -> dict[str, Path]:
    """The prompt files in a checkout of the repository, its folder PolyEvalPrompts, or one that holds the two sets."""
    base = folder / _FOLDER if (folder / _FOLDER).is_dir() else folder
    paths = {path.relative_to(base).as_posix(): path for name in _SETS for path in (base / name).rglob(_FILE)}
    if not paths:
        raise _no_prompts("there are no prompt files in it", str(folder))
    return paths


def _no_prompts(cause: str, origin: str) -> DataError:
    return DataError(
        cause,
        where=shown(origin),
        remedy=f"Give --from an archive of {manifest().repository}, or a folder that holds {' and '.join(_SETS)}.",
        code="data/no-prompts",
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
