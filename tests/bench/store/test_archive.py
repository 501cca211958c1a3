from __future__ import annotations

import gzip
import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.store.archive import Limits, read_files

FILES = {"top/a/one.txt": b"one" * 100, "top/b/two.txt": random.Random(0).randbytes(40_000), "top/skip.bin": b"x" * 999}
WANTED = {name: data for name, data in FILES.items() if name.endswith(".txt")}
LIMITS = Limits(file=50_000, files=80_000, members=50, unpacked=1 << 20)

Pack = Callable[..., Path]


def pack_zip(folder: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "files.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("top/")
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def pack_members(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = folder / "files.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


def pack_tar(folder: Path, files: dict[str, bytes]) -> Path:
    return pack_members(
        folder, member("top", kind=tarfile.DIRTYPE), *(member(name, data) for name, data in files.items())
    )


def wanted(name: str) -> bool:
    return name.endswith(".txt")


def refused(code: str, path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(DataError) as caught:
        read_files(path, wanted, limits)
    assert caught.value.code == code
    assert caught.value.where == str(path)
    return caught.value.cause


both = pytest.mark.parametrize("pack", [pack_zip, pack_tar])


class TestHonest:
    @both
    def test_only_the_wanted_files_are_read(self, tmp_path: Path, pack: Pack) -> None:
        asked: list[str] = []
        found = read_files(pack(tmp_path, FILES), lambda name: asked.append(name) or wanted(name), LIMITS)  # type: ignore[func-returns-value]
        assert found == WANTED
        assert asked == list(FILES)

    @both
    def test_what_it_is_is_told_by_content(self, tmp_path: Path, pack: Pack) -> None:
        path = pack(tmp_path, FILES).rename(tmp_path / "download")
        assert read_files(path, wanted, LIMITS) == WANTED

    def test_needless_dots_and_slashes(self, tmp_path: Path) -> None:
        assert set(read_files(pack_tar(tmp_path, {"./top//a.txt": b"a"}), wanted, LIMITS)) == {"top/a.txt"}

    def test_long_names_and_unicode(self, tmp_path: Path) -> None:
        name = "top/" + "long " * 60 + "ü – ♫.txt"
        assert read_files(pack_tar(tmp_path, {name: b"a"}), wanted, LIMITS) == {name: b"a"}
        assert read_files(pack_zip(tmp_path, {name: b"a"}), wanted, LIMITS) == {name: b"a"}

    @both
    def test_nothing_is_written(self, tmp_path: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
        path = pack(tmp_path, FILES)
        monkeypatch.chdir(tmp_path)
        read_files(path, wanted, LIMITS)
        assert list(tmp_path.rglob("*")) == [path]


class TestHostile:
    @both
    @pytest.mark.parametrize(
        "name", ["../up.txt", "top/../../up.bin", "/etc/passwd", "..\\up.txt", "C:/up.txt", "a\\b.bin"]
    )
    def test_names_that_lead_out(self, tmp_path: Path, pack: Pack, name: str) -> None:
        assert repr(name) in refused("archive/unsafe", pack(tmp_path, {**FILES, name: b"x"}))

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_links_and_devices(self, tmp_path: Path, kind: bytes) -> None:
        link = member("top/a.txt", kind=kind, link="/etc/passwd")
        assert "'top/a.txt' is a link" in refused("archive/unsafe", pack_members(tmp_path, link))
        elsewhere = member("top/a.bin", kind=kind, link="/etc/passwd")
        assert read_files(pack_members(tmp_path, elsewhere, member("b.txt", b"b")), wanted, LIMITS) == {"b.txt": b"b"}

    def test_links_in_a_zip(self, tmp_path: Path) -> None:
        info = zipfile.ZipInfo("top/a.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
            archive.writestr(info, "/etc/passwd")
        refused("archive/unsafe", tmp_path / "files.zip")

    @both
    @pytest.mark.parametrize("name", ["top/A/One.txt", "./top/a/one.txt"])
    def test_one_file_twice(self, tmp_path: Path, pack: Pack, name: str) -> None:
        assert "is there twice" in refused("archive/unsafe", pack(tmp_path, {**FILES, name: b"another"}))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_one_name_twice(self, tmp_path: Path) -> None:
        path = pack_zip(tmp_path, FILES)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("top/a/one.txt", b"another")
        refused("archive/unsafe", path)
        refused("archive/unsafe", pack_members(tmp_path, member("a.txt", b"1"), member("a.txt", b"2")))

    @both
    def test_files_that_are_too_large(self, tmp_path: Path, pack: Pack) -> None:
        assert "'big.txt'" in refused("archive/too-large", pack(tmp_path, {"big.txt": bytes(50_001)}))
        two = {"a.txt": bytes(45_000), "b.txt": bytes(45_000)}
        assert "'b.txt'" in refused("archive/too-large", pack(tmp_path, two))

    @both
    def test_too_many_members(self, tmp_path: Path, pack: Pack) -> None:
        refused("archive/too-large", pack(tmp_path, {f"{number}.bin": b"" for number in range(50)}))

    def test_a_zip_that_lies_about_sizes(self, tmp_path: Path) -> None:
        path = pack_zip(tmp_path, {"bomb.txt": bytes(30_000_000)})
        honest = (30_000_000).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(honest, (300).to_bytes(4, "little")))
        refused("archive/damaged", path)  # zipfile itself stops at the declared size, and finds the sum wrong

    def test_a_zip_with_an_endless_list_of_files(self, tmp_path: Path) -> None:
        path = pack_zip(tmp_path, {f"{number:05d}{'x' * 60_000}.bin": b"" for number in range(80)})
        assert "list of files" in refused("archive/too-large", path)

    def test_a_gzip_bomb(self, tmp_path: Path) -> None:
        bomb = member("zeros.bin", bytes(2 << 20))
        assert "unpacked" in refused("archive/too-large", pack_members(tmp_path, bomb, member("a.txt", b"a")))

    def test_a_tar_that_declares_more_than_it_may_is_not_unpacked_to_see(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("zeros.bin")
        info.size = 1 << 40
        path = tmp_path / "files.tar.gz"
        path.write_bytes(gzip.compress(info.tobuf() + bytes(1024)))
        refused("archive/too-large", path)

    def test_a_tar_with_a_name_of_megabytes(self, tmp_path: Path) -> None:
        refused("archive/too-large", pack_members(tmp_path, member("x" * 1_000_000 + ".bin")))

    def test_endless_nesting_of_headers(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4
        header = info.tobuf(tarfile.GNU_FORMAT) + b"abc\0".ljust(512, b"\0")
        path = tmp_path / "files.tar.gz"
        path.write_bytes(gzip.compress(header * 900 + bytes(1024)))
        refused("archive/damaged", path)

    def test_a_method_that_may_take_any_amount_of_memory(self, tmp_path: Path) -> None:
        assert "method 14" in refused("archive/damaged", pack_zip(tmp_path, FILES, zipfile.ZIP_LZMA))


class TestDamaged:
    @pytest.mark.parametrize("data", [b"", b"PK", b"<!DOCTYPE html>", b"\x1f\x8b", b"PK\x03\x04" + bytes(100)])
    def test_what_is_no_archive(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "files").write_bytes(data)
        known = data[:2] in (b"PK", b"\x1f\x8b")
        refused("archive/damaged" if known else "archive/format", tmp_path / "files")

    @both
    def test_cut_anywhere(self, tmp_path: Path, pack: Pack) -> None:
        path = pack(tmp_path, FILES)
        data = path.read_bytes()
        # The very end of a .tar.gz is padding and a checksum of what was read anyway.
        for length in range(10, len(data) - 100, 997):
            path.write_bytes(data[:length])
            refused("archive/damaged", path)

    @both
    def test_flipped_bits_anywhere(self, tmp_path: Path, pack: Pack) -> None:
        """Either a clear error, or files that are then compared with a manifest: never another exception."""
        files = {name: data[:300] for name, data in FILES.items()}
        path = pack(tmp_path, files)
        data = path.read_bytes()
        random_bits = random.Random(1)
        for position in range(0, len(data), 3):
            flipped = data[position] ^ (1 << random_bits.randrange(8))
            path.write_bytes(data[:position] + bytes([flipped]) + data[position + 1 :])
            try:
                read_files(path, wanted, LIMITS)
            except DataError as error:
                assert error.code.startswith("archive/"), position

    def test_a_file_with_a_password(self, tmp_path: Path) -> None:
        path = pack_zip(tmp_path, FILES)
        data = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(signature)
            while at >= 0:
                data[at + offset] |= 1
                at = data.find(signature, at + 1)
        path.write_bytes(data)
        assert "encrypted" in refused("archive/damaged", path)
