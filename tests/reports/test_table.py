from __future__ import annotations

import pytest

from bench.store.rundir import RunDirectory
from reports.load import load
from reports.model import Section
from reports.table import build

GATED = {
    "name": "cqt1-pcc",
    "identity": "cqt1-pcc@1[16 kHz mono, hop 512, gate -40 dB]",
    "direction": "higher",
    "unit": "",
    "summary": "gated",
}
BOTH = {"cqt1-pcc": 0.5, "dpd-pesto-cents": 50.0}


def values(cqt, dpd=50.0):
    return {"cqt1-pcc": cqt, "dpd-pesto-cents": dpd}


def section(*paths) -> Section:
    (only,) = build([load(path) for path in paths]).sections
    return only


def texts(section: Section) -> str:
    return "\n".join(f"{note.mark} {note.text}" for note in section.notes)


def test_methods_come_first_and_controls_last(rack) -> None:
    suite = rack.shelf()
    given = [
        ("copy", "control"),
        ("sdedit", "baseline"),
        ("ours", "method"),
        ("silence", "control"),
        ("theirs", "method"),
    ]
    rows = section(*[rack.run(suite, label, BOTH, role=role) for label, role in given]).rows
    assert [row.label for row in rows] == ["ours", "theirs", "sdedit", "copy", "silence"]


def test_cells_hold_what_the_summary_says(rack) -> None:
    found = section(rack.run(rack.shelf(), "a", values(0.5, lambda item: 10.0 if item.song == "North" else 30.0)))
    assert [column.heading for column in found.columns] == ["cqt1-pcc", "dpd-pesto-cents"]
    assert [column.arrow for column in found.columns] == ["↑", "↓"]
    estimate = found.rows[0].cells[1].estimate
    assert (estimate.mean, estimate.n, estimate.songs) == (20.0, 4, 2)
    assert found.subtitle.startswith("4 edits of 2 songs · seed 0 · suite ")


class TestBold:
    """A cell is bold only where its interval is apart from every rival's."""

    def bold(self, rack, rivals, **kwargs):
        suite = rack.shelf()
        paths = [rack.run(suite, name, found, **{**kwargs, **extra}) for name, found, extra in rivals]
        return {(row.label, place) for row in section(*paths).rows for place, cell in enumerate(row.cells) if cell.best}

    def test_separated_in_the_better_direction(self, rack) -> None:
        rivals = [("a", values(0.9, 10), {}), ("b", values(0.5, 90), {}), ("c", values(0.4, 95), {})]
        assert self.bold(rack, rivals) == {("a", 0), ("a", 1)}

    def test_an_overlap_with_one_rival_is_enough_to_stay_plain(self, rack) -> None:
        rivals = [("a", values(0.9), {}), ("b", values(0.5), {}), ("c", values(0.85), {})]
        assert self.bold(rack, rivals) == set()

    def test_controls_neither_win_nor_stand_in_the_way(self, rack) -> None:
        rivals = [("copy", values(1.0, 0), {"role": "control"}), ("a", values(0.9, 10), {}), ("b", values(0.5, 90), {})]
        assert self.bold(rack, rivals) == {("a", 0), ("a", 1)}

    def test_a_run_alone_has_beaten_nobody(self, rack) -> None:
        rivals = [("a", values(0.9, 10), {}), ("copy", values(0.1, 90), {"role": "control"})]
        assert self.bold(rack, rivals) == set()

    def test_skipping_edits_does_not_pay(self, rack) -> None:
        rivals = [("a", values(0.9, 10), {"failed": ("shelf/0/edit0",)}), ("b", values(0.5, 90), {})]
        assert self.bold(rack, rivals) == set()

    def test_without_an_interval_nothing_is_separated(self, rack) -> None:
        suite = rack.shelf(songs=("Only",))
        rows = section(rack.run(suite, "a", values(0.9, 10)), rack.run(suite, "b", values(0.1, 90))).rows
        assert not any(cell.best for row in rows for cell in row.cells)

    def test_a_rival_without_a_value_is_no_rival(self, rack) -> None:
        gone = ("silent", "nothing there")
        assert self.bold(rack, [("a", values(0.9, 10), {}), ("b", values(0.5, gone), {})]) == {("a", 0)}


def test_two_identities_of_a_metric_are_two_columns_and_a_note(rack) -> None:
    suite = rack.shelf()
    new = rack.run(suite, "new", {"cqt1-pcc": 0.9}, metrics=(GATED,))
    found = section(rack.run(suite, "old", BOTH), new)
    assert [column.heading for column in found.columns] == ["cqt1-pcc (1)", "cqt1-pcc (2)", "dpd-pesto-cents"]
    assert [[cell.estimate is None for cell in row.cells] for row in found.rows] == [
        [False, True, False],
        [True, False, True],
    ]
    assert not any(cell.best for row in found.rows for cell in row.cells)
    assert "cqt1-pcc (1) has as published; cqt1-pcc (2) has gate -40 dB" in texts(found)


@pytest.mark.parametrize("what", ["suite", "seeds", "plan"])
def test_runs_that_cannot_be_compared_stand_in_sections_of_their_own(rack, what) -> None:
    suite = rack.shelf()
    other = rack.shelf(name="other") if what == "suite" else suite
    extra = {"seeds": {"seeds": (1,)}, "plan": {"plan": lambda task: task.id.endswith("0")}, "suite": {}}[what]
    paths = [rack.run(suite, "a", BOTH), rack.run(other, "b", BOTH, **extra), rack.run(suite, "c", BOTH)]
    sections = build([load(path) for path in paths]).sections
    assert [[row.label for row in section.rows] for section in sections] == [["a", "c"], ["b"]]


def test_missing_values_are_counted_and_explained_not_filled_in(rack) -> None:
    def dpd(item):
        return ("not-monophonic", "the stem is polyphonic") if item.song == "North" else 12.0

    found = section(rack.run(rack.shelf(), "a", values(("silent", "the edit is silent"), dpd)))
    empty, partial = found.rows[0].cells
    marks = {note.mark: note.text for note in found.notes if note.mark}
    assert empty.estimate.mean is None and [n for _, n in empty.missing] == [4]
    assert (partial.estimate.mean, partial.estimate.n, partial.estimate.songs) == (12.0, 2, 1)
    assert marks[empty.missing[0][0]] == "Missing, silent: the edit is silent"
    assert marks[partial.missing[0][0]] == "Missing, not-monophonic: the stem is polyphonic"


def test_edits_that_were_not_made_are_said_once_a_row(rack) -> None:
    path = rack.run(rack.shelf(), "a", BOTH, failed=("shelf/0/edit0",), pending=("shelf/1/edit0", "shelf/1/edit1"))
    found = section(path)
    (row,) = found.rows
    assert [(n, code) for n, code, _ in row.shortfall] == [(1, "failed"), (2, "pending")]
    assert all(cell.missing == () for cell in row.cells)
    assert (row.coverage.generated, row.coverage.expected) == (1, 4)
    marks = {note.mark: note.text for note in found.notes if note.mark}
    assert marks[row.shortfall[0][2]] == "Missing, failed: out of <b>memory</b>"


def test_untrained_weights_are_marked_wherever_they_appear(rack) -> None:
    suite = rack.shelf()
    found = section(rack.run(suite, "a", BOTH, untrained=True), rack.run(suite, "b", BOTH))
    assert [row.mark for row in found.rows] == ["†", ""]
    (note,) = [note for note in found.notes if note.mark == "†"]
    assert (
        note.warns and note.text.startswith("Untrained weights in backbone nano: all of it") and " a show" in note.text
    )


def test_few_songs_and_absent_tasks_are_said(rack) -> None:
    absences = {"not found: Reggae": 195, "no audio of MUSDB18": 750, "not found: Rock": 195}
    found = section(rack.run(rack.shelf(), "a", BOTH, absences=absences))
    assert "Only 2 songs: intervals are rough" in texts(found)
    expected = "Not run: 1,140 tasks of the suite have no audio: no audio of MUSDB18 (750); not found (390)."
    assert expected in texts(found)


def test_what_each_system_was_given_is_said(rack) -> None:
    suite = rack.shelf()
    paths = [rack.run(suite, "ours", BOTH, needs=["stems", "backbone"]), rack.run(suite, "copy", BOTH, role="control")]
    assert "Given beside the mixture: stems to ours; nothing to copy." in texts(section(*paths))


def test_scores_older_than_the_run_are_said_to_be(rack) -> None:
    path = rack.run(rack.shelf(), "a", BOTH, pending=("shelf/0/edit0",))
    assert "Out of date" not in texts(section(path))
    run = RunDirectory.open(path)
    sha = next(outcome.audio for outcome in run.outcomes().values() if outcome.audio)
    with run.journal("w1") as journal:
        journal.append({"event": "generated", "task": "shelf/0/edit0", "seed": 0, "audio": sha})
    assert "Out of date: a was scored with 3 edits and has 4 now." in texts(section(path))


class TestLabels:
    def labels(self, *paths):
        return [row.label for row in section(*paths).rows]

    def test_the_fields_that_differ_tell_runs_of_one_label_apart(self, rack) -> None:
        suite = rack.shelf()
        paths = [rack.run(suite, "p", BOTH, config={"lam": lam, "steps": 50}, folder=f"p{lam}") for lam in (0.25, 0.5)]
        assert self.labels(*paths) == ["p (lam=0.25)", "p (lam=0.5)"]

    def test_equal_runs_are_told_apart_by_folder(self, rack) -> None:
        suite = rack.shelf()
        assert self.labels(*[rack.run(suite, "p", BOTH, folder=name) for name in ("x", "y")]) == ["p (x)", "p (y)"]

    def test_even_then_no_two_are_alike(self, rack) -> None:
        path = rack.run(rack.shelf(), "p", BOTH)
        assert self.labels(path, path) == ["p (p)", "p (p) #2"]

    def test_one_label_is_left_as_it_is(self, rack) -> None:
        suite = rack.shelf()
        assert self.labels(rack.run(suite, "p", BOTH), rack.run(suite, "q", BOTH)) == ["p", "q"]
