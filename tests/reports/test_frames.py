from __future__ import annotations

import subprocess
import sys

import pytest

import reports
from bench.errors import IncompleteError
from reports import frames

VALUES = {"cqt1-pcc": 0.5, "dpd-pesto-cents": lambda item: ("silent-edit", "no sound") if item.seed else 50.0}


@pytest.fixture
def run(rack):
    suite = rack.shelf(
        describe=lambda song, edit: {"target_instrument": "cello", "flags": ("loud", "dense")} if edit else {}
    )
    return rack.run(suite, "ours", VALUES, seeds=(0, 1), failed=("shelf/0/edit1",))


def test_one_row_a_task_seed_and_metric(run) -> None:
    frame = reports.load(run)
    assert tuple(frame.columns) == frames.COLUMNS
    assert len(frame) == 4 * 2 * 2
    assert not frame.duplicated(["run", "task", "seed", "identity"]).any()
    assert (frame["value"].isna() == frame["missing"].notna()).all()
    assert frame["value"].dtype == "float64" and frame["monophonic"].dtype == "boolean"
    row = frame[(frame["task"] == "shelf/1/edit1") & (frame["seed"] == 1)].set_index("metric").loc["dpd-pesto-cents"]
    assert (row["missing"], row["why"], row["flags"], row["song"]) == ("silent-edit", "no sound", "dense loud", "South")
    assert (row["method"], row["suite"], row["role"], row["unit"]) == ("ours@1", "shelf@1", "method", "cents")
    means = frame.groupby("target_instrument", dropna=False)["value"].count()
    assert means["cello"] == 3 and means.sum() == 9


def test_runs_of_one_label_are_told_apart(rack, run) -> None:
    suite = rack.shelf()
    other = rack.run(suite, "ours", VALUES, folder="other", config={"lam": 1})
    frame = reports.load(run, str(other))
    assert frame["run"].nunique() == frame["run_digest"].nunique() == 2


def test_the_summary_is_the_table_of_a_report(run) -> None:
    frame = frames.summary(run, splits=["target-instrument"])
    whole = frame[frame["split"] == ""].set_index("metric")
    assert whole.loc["cqt1-pcc", "mean"] == pytest.approx(0.5)
    assert set(frame["group"]) == {"", "cello", "unknown"}


def test_a_run_without_scores_says_what_to_do(rack) -> None:
    path = rack.run(rack.shelf(), "ours", VALUES, scored=False)
    with pytest.raises(IncompleteError) as caught:
        reports.load(path)
    assert "timbrebench score" in caught.value.remedy


def test_importing_reports_imports_no_pandas_and_load_works_in_any_order(run) -> None:
    code = """
import sys
import reports
assert "pandas" not in sys.modules
first = reports.load(sys.argv[1])
from reports.load import load
assert load(__import__("pathlib").Path(sys.argv[1])).label == "ours"
assert reports.load(sys.argv[1]).equals(first)
"""
    subprocess.run([sys.executable, "-c", code, str(run)], check=True)


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="leaderbord"):
        _ = reports.leaderbord
