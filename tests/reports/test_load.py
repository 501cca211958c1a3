from __future__ import annotations

import json
import shutil

import pytest

from bench.errors import CorruptStoreError, DataError, IncompleteError
from reports.load import load, load_scores


@pytest.fixture
def run(rack):
    return rack.run(rack.shelf(), "sdedit", {"cqt1-pcc": 0.5, "dpd-pesto-cents": ("silent", "nothing to hear")})


def test_what_was_scored_comes_back(run) -> None:
    report = load(run)
    first, second = report.estimates
    assert (first.name, first.mean, first.low, first.n, first.songs) == ("cqt1-pcc", 0.5, 0.45, 4, 2)
    assert (second.mean, second.n, dict(second.missing)) == (None, 0, {"silent": 4})
    assert (report.label, report.about.role, report.untrained, report.coverage.generated) == (
        "sdedit",
        "method",
        False,
        4,
    )
    assert len(report.scores) == 8
    assert report.scores["value"].notna().sum() == 4


def test_an_unscored_run_says_how_to_score_it(rack) -> None:
    path = rack.run(rack.shelf(), "sdedit", {}, scored=False)
    for read in (load, load_scores):
        with pytest.raises(IncompleteError) as caught:
            read(path)
        assert f"timbrebench score {path}" in caught.value.remedy
        assert caught.value.exit_code == 3


def test_scores_of_another_run_are_refused(rack, run) -> None:
    other = rack.run(rack.shelf(), "other", {"cqt1-pcc": 0.9, "dpd-pesto-cents": 1.0})
    shutil.copy(other / "summary.json", run / "summary.json")
    with pytest.raises(IncompleteError, match="another run"):
        load(run)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("0.5", "NaN"),
        lambda text: text.replace('"higher"', '"sideways"'),
        lambda text: text.replace("timbrebench-summary@1", "timbrebench-summary@9"),
        lambda text: json.dumps({**json.loads(text), "metrics": 3}),
    ],
)
def test_a_damaged_summary_is_named(run, spoil) -> None:
    file = run / "summary.json"
    file.write_text(spoil(file.read_text()))
    with pytest.raises(CorruptStoreError) as caught:
        load(run)
    assert caught.value.where == str(file)
    assert caught.value.code == "corrupt/scores"


def test_a_damaged_score_table_is_named(run) -> None:
    (run / "scores.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(CorruptStoreError) as caught:
        load_scores(run)
    assert caught.value.code == "corrupt/scores"


def test_corpus_values_stand_beside_means(run) -> None:
    described = {"name": "fad", "identity": "fad@1[clap]", "direction": "lower", "unit": "", "summary": "distance"}
    values = [
        {**described, "value": 0.71, "n": 4, "missing": None},
        {**described, "identity": "fad@1[vggish]", "value": None, "n": 4, "missing": {"code": "few", "why": "too few"}},
    ]
    (run / "corpus.json").write_text(json.dumps({"schema": "timbrebench-corpus@1", "metrics": values}))
    known, unknown = load(run).estimates[2:]
    assert (known.mean, known.low, known.n) == (0.71, None, 4)
    assert unknown.mean is None and unknown.missing == {"few": 4}


def test_a_role_that_nobody_knows_is_refused(rack) -> None:
    path = rack.run(rack.shelf(), "x", {"cqt1-pcc": 0.5, "dpd-pesto-cents": 1.0}, role="winner")
    with pytest.raises(CorruptStoreError, match="role"):
        load(path)


def test_a_folder_that_is_no_run(tmp_path) -> None:
    with pytest.raises(DataError):
        load(tmp_path)
