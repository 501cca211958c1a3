from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from bench.errors import UsageError
from reports.load import load
from reports.write import write

BOTH = {"cqt1-pcc": 0.5, "dpd-pesto-cents": 50.0}


@pytest.fixture
def run(rack) -> Path:
    return rack.run(rack.shelf(), "ours", BOTH)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_report_is_a_function_of_its_runs(run, tmp_path) -> None:
    out = tmp_path / "site"
    table = write([load(run)], out, examples=1)
    first = contents(out)
    assert {"index.html", "table.md", "table.csv"} < set(first)
    assert write([load(run)], out, examples=1) == table
    write([load(run)], tmp_path / "again", examples=1)
    assert contents(out) == first == contents(tmp_path / "again")


def test_a_second_report_replaces_the_first_and_leaves_strangers_alone(rack, run, tmp_path) -> None:
    out = tmp_path / "site"
    write([load(run)], out, examples=1)
    before = set(contents(out))
    strangers = [out / "notes.txt", out / "assets" / "mine.png", out / "assets" / f"{'0' * 63}.flac"]
    for stranger in strangers:
        stranger.write_text("mine")
    write([load(rack.run(rack.shelf(name="other", songs=("Solo",)), "theirs", BOTH))], out)
    after = set(contents(out))
    page = (out / "index.html").read_text("utf-8")
    assert all(stranger.read_text() == "mine" for stranger in strangers)
    ours = {name for name in after if name.startswith("assets/")} - {str(s.relative_to(out)) for s in strangers}
    assert ours and all(name in page for name in ours)
    assert before - after


def test_audio_is_16_bit_flac_at_the_rate_of_the_edit(run, tmp_path) -> None:
    write([load(run)], tmp_path / "site", examples=1)
    infos = [soundfile.info(path) for path in sorted((tmp_path / "site" / "assets").glob("*.flac"))]
    assert infos
    assert {(info.format, info.subtype, info.samplerate) for info in infos} == {("FLAC", "PCM_16", 16_000)}


def test_no_run_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError) as caught:
        write([], tmp_path / "site")
    assert caught.value.code == "no-runs"
    assert not (tmp_path / "site").exists()


def test_a_file_in_the_way_is_named(run, tmp_path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(UsageError) as caught:
        write([load(run)], tmp_path / "site")
    assert "site" in str(caught.value.where)


def test_a_whole_report_never_imports_torch(run, tmp_path) -> None:
    code = """
import sys
from pathlib import Path
from rich.console import Console
from reports import load, render, write
Console(file=open(sys.argv[2] + ".txt", "w")).print(
    render.terminal(write.write([load.load(Path(sys.argv[1]))], Path(sys.argv[2])))
)
print(*(name for name in ("torch", "transformers", "diffusers", "librosa") if name in sys.modules))
"""
    command = [sys.executable, "-c", code, str(run), str(tmp_path / "site")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []
    assert (tmp_path / "site" / "index.html").is_file()
