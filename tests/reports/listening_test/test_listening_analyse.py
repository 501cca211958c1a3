"""Simulated listeners: who is screened out, what is found, and what the tables say."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from listening_designs import answers, design, ours_csv
from rich.console import Console

from bench.errors import IncompleteError, UnknownNameError
from reports.listening_test.analyse import Analysis, analyse
from reports.listening_test.ingest import ingest
from reports.listening_test.render import TerminalAnalysis, notes, to_csv, to_json, to_markdown
from reports.listening_test.results import Answers, Rating, read
from reports.listening_test.screening import screen


def analysed(folder: Path, test, rows, baseline: str | None = None) -> Analysis:
    (folder / "r.csv").write_text(ours_csv(rows), "utf-8")
    return analyse(read([folder / "r.csv"], test), test, baseline)


def hidden(below: int, of: int) -> list[Rating]:
    values = [89.0] * below + [90.0] * (of - below)
    return [Rating("ann", f"t{n}", "timbre", "task", "song", "reference", value) for n, value in enumerate(values)]


@pytest.mark.parametrize(("below", "of", "out"), [(3, 20, False), (4, 20, True), (0, 5, False), (1, 6, True)])
def test_the_hidden_reference_rule_of_bs1534(below: int, of: int, out: bool) -> None:
    found = screen(Answers(tuple(hidden(below, of)), (), {}), "mushra")
    assert [each.listener for each in found.excluded] == (["ann"] if out else [])
    assert len(found.ratings) == (0 if out else of)
    if out:
        assert found.excluded[0].why == f"hidden reference below 90 in {below} of {of} trials"
    assert not screen(Answers(tuple(hidden(below, of)), (), {}), "mos").excluded


@pytest.mark.parametrize(
    ("right", "of", "out"), [(2, 3, False), (1, 3, True), (1, 1, False), (0, 1, True), (1, 2, True)]
)
def test_the_attention_rule(right: int, of: int, out: bool) -> None:
    checks = [Rating("ann", f"c{n}", "check", "t", "s", "s0", 3.0, n < right) for n in range(of)]
    found = screen(Answers((), tuple(checks), {}), "ratings")
    assert [each.rule for each in found.excluded] == (["attention"] if out else [])


def test_planted_effects_are_found_and_careless_listeners_are_named(tmp_path: Path) -> None:
    test = design("mushra", tasks=8, sets=3)
    effects = {"s0": 0.8, "s1": 0.0, "s2": 0.0, "anchor": -2.0}
    found = analysed(tmp_path, test, answers(test, 24, effects, careless=(3, 11)), "theirs")
    assert [each.listener for each in found.excluded] == ["listener03", "listener11"]
    assert {each.rule for each in found.excluded} == {"reference"}
    assert found.sets == {1: 7, 2: 8, 3: 7}
    assert any("not answered equally often (1: 7, 2: 8, 3: 7)" in note for note in notes(found))
    assert [block.name for block in found.blocks] == ["timbre", "content", "quality"]
    for block in found.blocks:
        ours, theirs, old, reference, anchor = block.rows
        assert (block.listeners, block.tasks, block.songs, block.n) == (22, 8, 8, 22 * 8 * 5)
        assert reference.rating.estimate > 90 > ours.rating.estimate > theirs.rating.estimate > anchor.rating.estimate
        assert ours.contrast.found and ours.contrast.listeners.estimate > 0
        assert not old.contrast.found
        assert (theirs.contrast, reference.contrast, anchor.contrast) == (None, None, None)
        assert ours.contrast.p_holm == pytest.approx(2 * ours.contrast.listeners.p, rel=1e-9)


def test_a_listener_without_attention_is_screened_in_ratings(tmp_path: Path) -> None:
    test = design("ratings", sets=1)
    rows = answers(test, 6, {})
    wrong = {trial.id: str(1 + trial.expected % 5) for trial in test.trials if trial.expected}
    rows = [(who, t, n, wrong.get(t, value) if who == "listener02" else value) for who, t, n, value in rows]
    found = analysed(tmp_path, test, rows)
    assert [(each.listener, each.why) for each in found.excluded] == [
        ("listener02", "as told in 0 of 3 attention checks")
    ]


def test_a_listener_who_says_one_thing_is_told_and_does_not_count(tmp_path: Path) -> None:
    test = design("mos", sets=1)
    checks = {trial.id for trial in test.trials if trial.expected}
    rows = [
        (who, t, n, "3" if who == "listener01" and t not in checks else value)
        for who, t, n, value in answers(test, 5, {"s0": 1.0})
    ]
    found = analysed(tmp_path, test, rows)
    assert found.blocks[0].flat == ("listener01",)
    assert found.blocks[0].listeners == 4
    assert any("listener01" in note for note in notes(found))


def test_one_song_leaves_the_test_over_songs_open(tmp_path: Path) -> None:
    test = design("mos", tasks=1, sets=1)
    found = analysed(tmp_path, test, answers(test, 9, {"s0": 1.0}))
    contrast = found.blocks[0].rows[1].contrast
    assert contrast.p_holm is not None
    assert (contrast.p_holm_songs, contrast.songs.p, contrast.found) == (None, None, False)


def test_baselines_and_tests_without_answers(tmp_path: Path) -> None:
    test = design("mos", sets=1)
    rows = answers(test, 4, {})
    with pytest.raises(UnknownNameError, match="theirs"):
        analysed(tmp_path, test, rows, "their")
    assert analysed(tmp_path, test, rows).baseline == "ours"
    checks = {trial.id for trial in test.trials if trial.expected}
    with pytest.raises(IncompleteError) as caught:
        analysed(tmp_path, test, [row for row in rows if row[1] in checks])
    assert caught.value.code == "listening/no-answers"


def test_the_tables_agree_and_hostile_names_do_nothing(tmp_path: Path) -> None:
    evil = "=cmd|'/c'!A1 \x1b[31m<script>@all **x**\n"
    test = design("ratings", labels=("ours", evil))
    (tmp_path / "design.json").write_text(json.dumps(test.model_dump(mode="json", by_alias=True)), "utf-8")
    (tmp_path / "r.csv").write_text(ours_csv(answers(test, 8, {"s1": -0.5}, careless=(1,))), "utf-8")
    found = ingest([tmp_path / "r.csv"], tmp_path, tmp_path / "out")
    record = json.loads((tmp_path / "out/results.json").read_text("utf-8"))
    assert record == json.loads(json.dumps(to_json(found)))
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out/results.csv").read_text("utf-8"))))
    assert len(lines) == 3 * 2
    assert float(lines[1]["contrast_p_holm"]) == record["questions"][0]["rows"][1]["contrast"]["p_holm"]
    assert lines[0]["contrast_p_holm"] == ""
    assert lines[1]["label"].startswith("'=cmd")
    text = to_markdown(found) + to_csv(found)
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(TerminalAnalysis(found))
    shown = console.export_text()
    assert "\x1b" not in text + shown
    assert "<script" not in to_markdown(found)
    assert "tta" in shown and "p Holm, songs" in shown
    assert "ratings from 1 to 5" in shown
