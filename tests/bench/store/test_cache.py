from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from bench.errors import IncompleteError
from bench.store.atomic import TEMP_PREFIX
from bench.store.cache import ENV, MANIFEST, Cache

KEY = {"stage": "invert", "config": {"steps": 50}, "input": "ab" * 32}
ARRAYS = {"latent": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "steps": np.array([1, 2], np.int64)}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def entry_files(cache: Cache) -> list[Path]:
    return [entry.path for entry in cache.entries() if entry.kind != "leftover"]


def assert_equal(found: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    assert found is not None
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype.newbyteorder("="), name
        assert found[name].shape == array.shape, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


class TestArrays:
    def test_they_come_back_by_an_equal_key_only(self, cache: Cache) -> None:
        assert cache.get(KEY) is None
        cache.put(KEY, ARRAYS)
        assert_equal(cache.get({"config": {"steps": 50}, "input": "ab" * 32, "stage": "invert"}), ARRAYS)
        assert cache.get({**KEY, "config": {"steps": 51}}) is None

    def test_every_layout_and_type(self, cache: Cache) -> None:
        arrays = {
            "transposed": np.arange(12, dtype=np.float32).reshape(3, 4).T,
            "strided": np.arange(12, dtype=np.float64)[::3],
            "big endian": np.arange(4, dtype=">f4"),
            "empty": np.zeros((0, 3), np.float16),
            "scalar": np.array(3, np.uint8),
            "bool": np.array([True, False]),
            "complex": np.array([1 + 2j], np.complex64),
            "not a number": np.array([np.nan, np.inf], np.float32),
        }
        cache.put(KEY, arrays)
        assert_equal(cache.get(KEY), arrays)
        cache.put(KEY, {})
        assert cache.get(KEY) == {}

    def test_what_comes_back_may_be_written_to(self, cache: Cache) -> None:
        cache.put(KEY, ARRAYS)
        found = cache.get(KEY)
        assert found is not None
        found["latent"] *= 0
        assert_equal(cache.get(KEY), ARRAYS)

    @pytest.mark.parametrize("array", [np.array(["text"]), np.array([object()]), np.array([1j])])
    def test_types_that_safetensors_lacks(self, cache: Cache, array: np.ndarray[Any, Any]) -> None:
        with pytest.raises(TypeError):
            cache.put(KEY, {"a": array})
        assert cache.entries() == []

    def test_damage_anywhere_in_the_file_is_a_miss_and_moved_aside(self, cache: Cache) -> None:
        cache.put(KEY, ARRAYS)
        [path] = entry_files(cache)
        good = path.read_bytes()
        header = int.from_bytes(good[:8], "little") + 8
        for position in [*range(0, header, 7), *range(header, len(good), 11)]:
            path.write_bytes(good[:position] + bytes([good[position] ^ 4]) + good[position + 1 :])
            assert cache.get(KEY) is None, position
            assert not path.exists(), position
            assert path.with_name(path.name + ".corrupt").exists(), position
        cache.put(KEY, ARRAYS)
        assert_equal(cache.get(KEY), ARRAYS)

    @pytest.mark.parametrize("length", [0, 4, 8, 40, -1])
    def test_a_cut_file_is_a_miss(self, cache: Cache, length: int) -> None:
        cache.put(KEY, ARRAYS)
        [path] = entry_files(cache)
        path.write_bytes(path.read_bytes()[:length])
        assert cache.get(KEY) is None

    def test_an_entry_under_another_name_is_not_believed(self, cache: Cache) -> None:
        cache.put(KEY, ARRAYS)
        [mine] = entry_files(cache)
        cache.put({"stage": "other"}, {"latent": np.zeros(3)})
        [other] = [path for path in entry_files(cache) if path != mine]
        mine.write_bytes(other.read_bytes())
        assert cache.get(KEY) is None
        assert mine.with_name(mine.name + ".corrupt").exists()

    def test_a_full_disk_keeps_the_previous_entry(self, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.put(KEY, ARRAYS)

        def full(*args: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(IncompleteError):
                cache.put(KEY, {"latent": np.zeros(3)})
        assert_equal(cache.get(KEY), ARRAYS)


def build(folder: Path) -> None:
    (folder / "unet").mkdir()
    (folder / "unet" / "weights.bin").write_bytes(b"w" * 100)
    (folder / "config.json").write_text("{}")


def refuse(folder: Path) -> None:
    raise AssertionError("built again")


class TestDirectory:
    def test_it_is_built_once(self, cache: Cache) -> None:
        folder = cache.directory(KEY, build)
        assert (folder / "unet" / "weights.bin").read_bytes() == b"w" * 100
        assert cache.directory(KEY, refuse) == folder
        assert cache.directory(KEY, refuse, verify=True) == folder
        assert json.loads((folder / MANIFEST).read_text())["key"] == KEY
        with pytest.raises(AssertionError, match="built again"):
            cache.directory({"stage": "other"}, refuse)

    @pytest.mark.parametrize("damage", ["missing", "cut", "no manifest", "bad manifest", "other key"])
    def test_a_damaged_one_is_moved_aside_and_built_again(self, cache: Cache, damage: str) -> None:
        folder = cache.directory(KEY, build)
        weights, manifest = folder / "unet" / "weights.bin", folder / MANIFEST
        if damage == "missing":
            weights.unlink()
        elif damage == "cut":
            weights.write_bytes(b"w" * 99)
        elif damage == "no manifest":
            manifest.unlink()
        elif damage == "bad manifest":
            manifest.write_text('{"key": ')
        else:
            manifest.write_text(manifest.read_text().replace("50", "51"))
        for _ in range(2):
            assert cache.directory(KEY, build) == folder
            assert weights.read_bytes() == b"w" * 100
        assert folder.with_name(folder.name + ".corrupt").is_dir()
        weights.unlink()
        cache.directory(KEY, build)  # over the earlier .corrupt
        cache.directory(KEY, refuse)

    def test_a_flipped_bit_is_found_when_hashes_are_asked_for(self, cache: Cache) -> None:
        folder = cache.directory(KEY, build)
        (folder / "unet" / "weights.bin").write_bytes(b"x" * 100)
        cache.directory(KEY, refuse)
        cache.directory(KEY, build, verify=True)
        assert (folder / "unet" / "weights.bin").read_bytes() == b"w" * 100

    def test_files_that_others_add_are_no_damage(self, cache: Cache) -> None:
        (cache.directory(KEY, build) / ".DS_Store").write_text("x")
        cache.directory(KEY, refuse, verify=True)

    def test_a_builder_that_fails_leaves_nothing(self, cache: Cache) -> None:
        def fails(folder: Path) -> None:
            build(folder)
            raise RuntimeError("no network")

        with pytest.raises(RuntimeError, match="no network"):
            cache.directory(KEY, fails)
        assert cache.entries() == []
        cache.directory(KEY, build)

    def test_what_a_killed_builder_left_is_not_used(self, cache: Cache) -> None:
        folder = cache.directory(KEY, build)
        folder.rename(folder.with_name(f"{TEMP_PREFIX}{folder.name}"))
        (folder.with_name(f"{TEMP_PREFIX}{folder.name}") / "stale").write_text("x")
        assert [entry.kind for entry in cache.entries()] == ["leftover"]
        cache.directory(KEY, build)
        assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, "config.json", "unet"]
        assert [entry.kind for entry in cache.entries()] == ["folder"]


CONCURRENT = """
import sys, time
from pathlib import Path
import numpy as np
from bench.store.cache import Cache
cache = Cache(Path(sys.argv[1]))
def build(folder):
    with (Path(sys.argv[1]) / "builds").open("a") as log:
        log.write("x")
    for index in range(5):
        (folder / str(index)).write_text("part")
        time.sleep(0.05)
print("ready", flush=True)
sys.stdin.readline()
folder = cache.directory({"stage": "model"}, build)
assert sorted(path.name for path in folder.glob("[0-9]")) == list("01234"), list(folder.iterdir())
for index in range(20):
    cache.put({"stage": "array"}, {"a": np.full(1000, index)})
    found = cache.get({"stage": "array"})
    assert found is not None and len(set(found["a"])) == 1, "half of each"
"""


def test_processes_that_build_one_entry_at_once_all_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONCURRENT, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert (tmp_path / "builds").read_text() == "x", "the others wait for the first"
    assert sorted(entry.kind for entry in Cache(tmp_path).entries()) == ["arrays", "folder"]


class TestHousekeeping:
    def test_where_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENV, str(tmp_path / "env"))
        assert Cache().folder.parent == tmp_path / "env"
        assert Cache(tmp_path / "given").folder.parent == tmp_path / "given"
        monkeypatch.delenv(ENV)
        assert Cache().folder.parent == platformdirs.user_cache_path("timbrebench")

    def test_looking_makes_nothing(self, cache: Cache, tmp_path: Path) -> None:
        assert cache.entries() == []
        assert cache.size() == cache.clear() == 0
        assert cache.get(KEY) is None
        assert list(tmp_path.iterdir()) == []

    def test_size_and_clear(self, cache: Cache, tmp_path: Path) -> None:
        cache.put(KEY, ARRAYS)
        folder = cache.directory(KEY, build)
        (folder / "unet" / "weights.bin").unlink()
        cache.directory(KEY, build)  # leaves a .corrupt
        mine = tmp_path / "cache" / "holiday.jpg"
        mine.write_text("not the cache's")
        [arrays] = [entry for entry in cache.entries() if entry.kind == "arrays"]
        assert arrays.size == arrays.path.stat().st_size
        assert cache.size() > arrays.size + 200
        size = cache.size()
        assert cache.clear() == size
        assert cache.entries() == []
        assert cache.get(KEY) is None
        assert mine.exists()

    def test_clear_leaves_what_is_being_built(self, cache: Cache) -> None:
        freed: list[int] = []

        def build_while_clearing(folder: Path) -> None:
            build(folder)
            freed.append(cache.clear())

        folder = cache.directory(KEY, build_while_clearing)
        assert freed == [0]
        assert (folder / "unet" / "weights.bin").exists()
        assert cache.clear() > 0
        assert not folder.exists()


def test_a_folder_is_found_only_when_it_is_whole(cache: Cache) -> None:
    assert cache.find(KEY) is None
    assert cache.entries() == []
    folder = cache.directory(KEY, build)
    assert cache.find(KEY) == cache.find(KEY, verify=True) == folder
    victim = next(path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    victim.write_bytes(bytes(victim.stat().st_size))
    assert cache.find(KEY) == folder
    assert cache.find(KEY, verify=True) is None


def test_what_is_left_of_downloads_counts_and_is_cleared(cache: Cache) -> None:
    cache.downloads.mkdir(parents=True)
    for name, size in (("a.part", 100), ("a.part.json", 20), ("a.lock", 0)):
        (cache.downloads / name).write_bytes(bytes(size))
    assert [(entry.kind, entry.path.name) for entry in cache.entries()] == [
        ("leftover", "a.part"),
        ("leftover", "a.part.json"),
    ]
    assert cache.clear() == 120
    assert [path.name for path in cache.downloads.iterdir()] == ["a.lock"]


def test_checkpoints_count_and_stay_unless_they_are_asked_for(cache: Cache) -> None:
    weights = cache.checkpoints / "roberta-base" / "vocab.json"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(bytes(50))
    (cache.checkpoints / "a.lock").touch()
    cache.put(KEY, {"a": np.zeros(3)})
    assert [(entry.kind, entry.size) for entry in cache.entries() if entry.kind == "checkpoint"] == [("checkpoint", 50)]
    assert cache.size() == 50 + cache.clear()
    assert [entry.path for entry in cache.entries()] == [weights]
    assert cache.clear(checkpoints=True) == 50
    assert cache.entries() == []
