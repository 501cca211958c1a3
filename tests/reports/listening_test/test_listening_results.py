"""Results are strangers' files: every row is checked, and what is wrong is told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from listening_designs import answers, design, ours_csv, webmushra_csv

from bench.errors import DataError, UsageError
from reports.listening_test import results
from reports.listening_test.results import read

TEST = design("mushra", sets=3)
ROWS = answers(TEST, 3, {})


def written(folder: Path, *texts: str | bytes) -> list[Path]:
    paths = [folder / f"r{number}.csv" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def test_webmushras_files_and_ours_say_the_same(tmp_path: Path) -> None:
    mushra, single = written(tmp_path, *webmushra_csv(TEST, ROWS))
    (ours,) = written(tmp_path / "..", ours_csv(ROWS))
    theirs, mine = read([mushra, single], TEST), read([ours], TEST)
    assert set(theirs.ratings) == set(mine.ratings)
    assert set(theirs.checks) == set(mine.checks)
    assert len(theirs.checks) == 3 * 3
    assert all(check.correct for check in theirs.checks)
    assert {rating.condition for rating in theirs.ratings} == {"s0", "s1", "s2", "reference", "anchor"}


def test_a_listener_is_the_code_or_the_session(tmp_path: Path) -> None:
    files = written(tmp_path, *webmushra_csv(TEST, ROWS))
    assert read(files, TEST).listeners == ("listener00", "listener01", "listener02")
    assert read(files, TEST, "session_uuid").listeners == tuple(f"uuid-listener0{n}" for n in range(3))


def test_what_was_not_answered_is_counted(tmp_path: Path) -> None:
    rows = [(who, trial, name, "NA" if number < 4 else value) for number, (who, trial, name, value) in enumerate(ROWS)]
    found = read(written(tmp_path, ours_csv(rows)), TEST)
    assert found.unanswered == {"listener00": 4}


def test_a_spreadsheets_mark_is_no_name(tmp_path: Path) -> None:
    assert read(written(tmp_path, b"\xef\xbb\xbf" + ours_csv(ROWS).encode()), TEST).listeners


WHO, TRIAL, SOUND, _ = ROWS[0]
CHECK = next(trial for trial in TEST.trials if trial.expected)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{WHO},s99-timbre-01,{SOUND},50", "no trial 's99-timbre-01'"),
        (f"{WHO},{TRIAL},x0,50", "no stimulus 'x0'"),
        (f"{WHO},{TRIAL},{SOUND},101", "not from 0 to 100"),
        (f"{WHO},{TRIAL},{SOUND},-1", "not from 0 to 100"),
        (f"{WHO},{TRIAL},{SOUND},nan", "'nan' is no rating"),
        (f"{WHO},{TRIAL},{SOUND},1e400", "'1e400' is no rating"),
        (f"{WHO},{TRIAL},{SOUND},1_0", "'1_0' is no rating"),
        (f"{WHO},{CHECK.id},{CHECK.heard[0][0]},2.5", "not a whole number from 1 to 5"),
        (f"{WHO},{TRIAL},{SOUND},50\n{WHO},{TRIAL},{SOUND},50", "has answered this already (r0.csv line 2)"),
        ("\x1b[31m" + "x" * 100 + f",{TRIAL},x0,50", "no stimulus"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, f"listener,trial,stimulus,rating\n{line}\n"), TEST)
    assert caught.value.code == "listening/rows"
    assert told in caught.value.cause
    assert "r0.csv line" in caught.value.cause


def test_the_same_file_twice_is_noticed(tmp_path: Path) -> None:
    (file,) = written(tmp_path, ours_csv(ROWS))
    with pytest.raises(DataError, match="has answered this already") as caught:
        read([file, file], TEST)
    assert f"{len(ROWS):,} rows" in caught.value.cause


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"trial,stimulus,rating\nt,s,1\n",
        b"listener,trial,stimulus,rating,rating\na,t,s,1,2\n",
        b"listener,trial,stimulus,rating\na,t,s\n",
        b"listener,trial,stimulus,rating\n,t,s,1\n",
        b'listener,trial,stimulus,rating\na,t,"s"x,1\n',
        b"listener,trial,stimulus,rating\na,t," + b"s" * 200_000 + b",1\n",
        b"\xff\xfe\x00",
    ],
)
def test_files_that_are_no_results(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, data), TEST)
    assert caught.value.code == "listening/results"
    assert "r0.csv" in str(caught.value.where)


def test_a_file_too_large_and_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_BYTES", 100)
    with pytest.raises(DataError, match="more than 100 bytes"):
        read(written(tmp_path, ours_csv(ROWS)), TEST)
    with pytest.raises(UsageError) as caught:
        read([tmp_path / "nowhere.csv"], TEST)
    assert caught.value.code == "listening/no-results"
