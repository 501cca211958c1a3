"""Splits of a table: which tasks are in which group, and what stands in the groups' cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.errors import CorruptStoreError, UsageError
from bench.stats.bootstrap import cluster_mean
from bench.store.rundir import PlanItem, RunDirectory
from reports.groups import SPLITS, group
from reports.load import RunReport, load
from reports.model import Group, Split
from reports.parts import NOT_SPLIT, matching, part
from reports.table import build, split

SONGS = ("North", "South", "West")
STEMS = ("bass", "vocals", "vocals", "other")
TARGETS = ("cello", "flute", "cello", None)
FAD = {"name": "fad", "identity": "fad@1[x]", "direction": "lower", "unit": "", "summary": "distance of two sets"}


def described(song: int, edit: int) -> dict[str, Any]:
    """Four edits a song; North is `seen`, edit 1 of every song has a second flag."""
    flags = ("seen",) * (song == 0) + ("odd",) * (edit == 1)
    return {
        "stem": STEMS[edit],
        "target_instrument": TARGETS[edit],
        "monophonic": (True, True, False, None)[edit],
        "flags": flags,
    }


def number(item: PlanItem) -> int:
    """10 times the song's number and the edit's."""
    _, song, edit = item.task.split("/")
    return 10 * int(song) + int(edit[-1])


def dpd(item: PlanItem) -> float | tuple[str, str]:
    return 50.0 + number(item) if item.task[-1] != "3" else ("not-monophonic", "the stem is polyphonic")


VALUES: dict[str, Any] = {"cqt1-pcc": number, "dpd-pesto-cents": dpd}


@pytest.fixture
def shelf(rack) -> Any:
    return rack.shelf(songs=SONGS, edits=4, describe=described)


@pytest.fixture
def run(rack, shelf) -> RunReport:
    return load(rack.run(shelf, "ours", VALUES))


def with_corpus(path: Path, value: float) -> RunReport:
    metric = {**FAD, "value": value, "low": value - 0.1, "high": value + 0.1, "n": 12, "missing": None}
    (path / "corpus.json").write_text(json.dumps({"schema": "timbrebench-corpus@1", "metrics": [metric]}))
    return load(path)


def of(split: Split, name: str) -> Group:
    (found,) = [group for group in split.groups if group.name == name]
    return found


class TestGroups:
    """Names and sizes: what a user sees of `--split`."""

    @pytest.mark.parametrize(
        ("by", "expected"),
        [
            ("stem", [("vocals", 6), ("bass", 3), ("other", 3)]),
            ("song", [("North", 4), ("South", 4), ("West", 4)]),
            ("target-instrument", [("cello", 6), ("flute", 3), ("unknown", 3)]),
            ("source-instrument", [("unknown", 12)]),
            ("monophonic", [("single line", 6), ("polyphonic", 3), ("unknown", 3)]),
            ("flag", [("seen", 4), ("odd", 3), ("no flag", 6)]),
            ("flag:seen", [("with seen", 4), ("without seen", 8)]),
            ("flag:odd", [("with odd", 3), ("without odd", 9)]),
        ],
    )
    def test_largest_first_and_those_without_a_name_last(self, run, by, expected) -> None:
        found = split([run], by)
        assert [(group.name, group.tasks) for group in found.groups] == expected
        assert all(row.coverage.expected == group.tasks for group in found.groups for row in group.rows)

    def test_only_flags_overlap_and_it_is_said(self, run) -> None:
        for by in ("stem", "song", "target-instrument", "flag:seen", "flag"):
            said = any("may be in several groups" in note.text for note in split([run], by).notes)
            assert said == group(run.tasks.values(), by).overlapping == (by == "flag")

    def test_tasks_and_edits_are_told_apart(self, rack, shelf) -> None:
        found = of(split([load(rack.run(shelf, "ours", VALUES, seeds=(0, 1)))], "stem"), "vocals")
        assert (found.size, found.rows[0].coverage.expected) == ("6 tasks, 3 songs", 12)

    def test_a_name_like_ours_is_not_put_together_with_it(self, rack) -> None:
        shelf = rack.shelf(describe=lambda song, edit: {"flags": ("no flag",) * (edit == 0)})
        found = split([load(rack.run(shelf, "ours", VALUES))], "flag")
        assert [(group.name, group.tasks) for group in found.groups] == [("no flag", 2), ("no flag", 2)]


class TestValues:
    def test_means_worked_out_by_hand(self, run) -> None:
        found = split([run], "target-instrument")
        cello, flute, unknown = (group.rows[0].cells for group in found.groups)
        assert [cell.estimate.mean for cell in cello] == [11.0, 61.0]  # edits 0 and 2: 0 2 10 12 20 22
        assert [cell.estimate.mean for cell in flute] == [11.0, 61.0]  # edit 1: 1 11 21
        assert [(cell.estimate.mean, cell.estimate.n) for cell in unknown] == [(13.0, 3), (None, 0)]
        assert unknown[1].missing[0][1] == 3

    def test_intervals_are_those_that_scoring_gives(self, run) -> None:
        estimate = of(split([run], "stem"), "vocals").rows[0].cells[0].estimate
        rows = run.scores[(run.scores["stem"] == "vocals") & (run.scores["metric"] == "cqt1-pcc")]
        expected = cluster_mean(rows["value"].to_numpy(), list(rows["song"]))
        assert (estimate.mean, estimate.low, estimate.high) == (expected.mean, expected.low, expected.high)
        assert (estimate.n, estimate.songs) == (6, 3)

    @pytest.mark.parametrize("by", ["stem", "song", "source-instrument", "target-instrument", "monophonic", "flag:odd"])
    def test_a_partition_adds_up_to_the_whole(self, rack, shelf, by) -> None:
        path = rack.run(shelf, "ours", VALUES, failed=("shelf/0/edit1",), pending=("shelf/2/edit2",), seeds=(0, 7))
        run = load(path)
        rows = [group.rows[0] for group in split([run], by).groups]
        for what in ("expected", "generated", "failed", "pending"):
            assert sum(getattr(row.coverage, what) for row in rows) == getattr(run.coverage, what)
        for place, whole in enumerate(run.estimates):
            parts = [row.cells[place].estimate for row in rows]
            assert sum(estimate.n for estimate in parts) == whole.n
            weighted = sum(estimate.mean * estimate.n for estimate in parts if estimate.n)
            assert weighted / whole.n == pytest.approx(whole.mean)
            for code, edits in whole.missing.items():
                assert sum(estimate.missing.get(code, 0) for estimate in parts) == edits

    def test_the_same_twice(self, run) -> None:
        assert [build([run], SPLITS[:-1])] * 2 == [build([load(run.path)], [*SPLITS[:-1], "stem"]) for _ in range(2)]

    def test_columns_and_labels_are_those_of_the_section(self, rack, shelf) -> None:
        runs = [load(rack.run(shelf, "p", VALUES, config={"lam": lam}, folder=f"p{lam}")) for lam in (1, 2)]
        (section,) = build(runs, ["stem"]).sections
        (found,) = section.splits
        assert found.columns == section.columns
        assert {row.label for row in found.rows} == {row.label for row in section.rows} == {"p (lam=1)", "p (lam=2)"}

    def test_a_value_for_all_edits_is_not_taken_apart(self, rack, shelf) -> None:
        run = with_corpus(rack.run(shelf, "ours", VALUES, failed=("shelf/0/edit0",)), 0.7)
        found = split([run], "stem")
        cell = of(found, "bass").rows[0].cells[2]
        assert (cell.filled, [n for _, n in cell.missing], cell.estimate.missing) == (False, [2], {NOT_SPLIT: 2})
        (note,) = [note for note in found.notes if note.mark == cell.missing[0][0]]
        assert note.text.startswith("Missing, not-split: one value for all edits")
        assert [cell.estimate.mean for cell in split([run], "source-instrument").rows[0].cells][2] == 0.7

    def test_two_rows_and_a_mark_explained_for_each(self, rack, shelf) -> None:
        runs = [with_corpus(rack.run(shelf, name, VALUES), 0.5) for name in ("a", "b")]
        (section,) = build(runs, ["stem", "flag"]).sections
        for found in section.splits:
            explained = {note.mark for note in (*section.notes, *found.notes)}
            assert {mark for row in found.rows for cell in row.cells for mark, _ in cell.missing} <= explained
            assert {group.mark for group in found.groups} <= explained | {""}


def test_bold_is_decided_within_a_group(rack, shelf) -> None:
    def on_bass(good: float) -> dict[str, Any]:
        return {"cqt1-pcc": lambda item: good if item.task.endswith("0") else 0.5, "dpd-pesto-cents": 50.0}

    runs = [load(rack.run(shelf, name, on_bass(good))) for name, good in (("a", 0.9), ("b", 0.1))]
    runs.append(load(rack.run(shelf, "copy", on_bass(1.0), role="control")))
    best = {
        (group.name, row.label, place)
        for group in split(runs, "stem").groups
        for row in group.rows
        for place, cell in enumerate(row.cells)
        if cell.best
    }
    assert best == {("bass", "a", 0)}


class TestFewSongs:
    def test_groups_of_one_song_and_of_few_are_marked(self, run) -> None:
        found = split([run], "flag:seen")
        one, few = found.groups
        marks = {note.mark: note.text for note in found.notes if note.warns}
        assert marks[one.mark].startswith("Only 1 song: there is no interval")
        assert marks[few.mark].startswith("Fewer than 10 songs: intervals are rough")
        assert one.rows[0].cells[0].estimate.low is None

    def test_a_large_group_is_not(self, rack) -> None:
        shelf = rack.shelf(songs=tuple(map(str, range(10))), edits=1)
        found = split([load(rack.run(shelf, "ours", VALUES))], "stem")
        assert [group.mark for group in found.groups] == [""]
        assert not [note for note in found.notes if note.warns]


class TestRefused:
    @pytest.mark.parametrize(
        ("by", "code", "remedy"),
        [
            ("stems", "unknown-split", "Did you mean stem?"),
            ("target_instrument", "unknown-split", "target-instrument"),
            ("stem:bass", "unknown-split", "stem"),
            ("flag:", "unknown-split", "flag:NAME"),
            ("flag:sen", "unknown-flag", "Did you mean seen?"),
            ("flag:zzz", "unknown-flag", "Known: odd, seen."),
        ],
    )
    def test_what_is_not_there_is_answered_with_what_is(self, run, by, code, remedy) -> None:
        with pytest.raises(UsageError) as caught:
            build([run], ["stem", by])
        assert (caught.value.code, caught.value.where) == (code, f"--split {by}")
        assert remedy in caught.value.remedy

    def test_without_any_flag_it_says_so(self, rack) -> None:
        with pytest.raises(UsageError) as caught:
            build([load(rack.run(rack.shelf(), "ours", VALUES))], ["flag:seen"])
        assert caught.value.remedy == "These tasks have no flags."

    def test_a_flag_of_one_suite_will_do_for_a_table_of_two(self, rack, run) -> None:
        plain = load(rack.run(rack.shelf(name="plain"), "theirs", VALUES))
        first, second = build([run, plain], ["flag:seen"]).sections
        assert [group.name for group in first.splits[0].groups] == ["with seen", "without seen"]
        assert [(group.name, group.tasks) for group in second.splits[0].groups] == [("without seen", 4)]

    def test_a_hostile_flag_has_no_power_in_an_error(self, rack) -> None:
        shelf = rack.shelf(describe=lambda song, edit: {"flags": ("\x1b[31mred",)})
        with pytest.raises(UsageError) as caught:
            build([load(rack.run(shelf, "ours", VALUES))], ["flag:\x1b[2J"])
        assert "\x1b" not in str(caught.value) and "␛[31mred" in caught.value.remedy


class TestParts:
    def test_all_of_a_run_is_the_run(self, run) -> None:
        assert part(run, run.tasks) is run
        assert matching(run, "*") is run

    def test_a_pattern_leaves_what_it_matches(self, run) -> None:
        (section,) = build([matching(run, "*/edit0")], ["song"]).sections
        assert (section.expected, section.songs, section.only) == (3, 3, "*/edit0")
        assert section.rows[0].cells[0].estimate.mean == 10.0
        assert [group.tasks for group in section.splits[0].groups] == [1, 1, 1]
        assert section.notes[0].warns and section.notes[0].text == "Only tasks like */edit0: 3 of 12 edits."

    def test_a_part_of_a_part(self, run) -> None:
        inner = matching(matching(run, "shelf/1/*"), "*/edit3")
        assert [item.task for item in inner.plan] == ["shelf/1/edit3"]
        assert [(estimate.mean, dict(estimate.missing)) for estimate in inner.estimates] == [
            (13.0, {}),
            (None, {"not-monophonic": 1}),
        ]

    def test_no_match_names_an_id(self, run) -> None:
        with pytest.raises(UsageError) as caught:
            matching(run, "vocals*")
        assert (caught.value.code, caught.value.remedy) == ("no-match", "Task ids look like shelf/0/edit0.")

    def test_scores_older_than_the_run_are_still_said_to_be(self, rack, shelf) -> None:
        path = rack.run(shelf, "ours", VALUES, pending=("shelf/0/edit0",))
        run = RunDirectory.open(path)
        sha = next(outcome.audio for outcome in run.outcomes().values() if outcome.audio)
        with run.journal("w1") as journal:
            journal.append({"event": "generated", "task": "shelf/0/edit0", "seed": 0, "audio": sha})
        found = matching(load(path), "*/edit0")
        assert (found.coverage.generated, found.coverage.pending) == (2, 1)
        assert any(note.text.startswith("Out of date: ours") for note in build([found]).sections[0].notes)

    def test_a_score_table_without_a_metric_of_the_summary_is_damaged(self, run) -> None:
        frame = run.scores[run.scores["metric"] != "cqt1-pcc"]
        frame.to_parquet(run.path / "scores.parquet", index=False)
        with pytest.raises(CorruptStoreError, match="cqt1-pcc"):
            split([load(run.path)], "stem")

    def test_absent_tasks_of_the_suite_are_said_and_belong_to_no_group(self, rack, shelf) -> None:
        run = load(rack.run(shelf, "ours", VALUES, absences={"not found: Reggae": 3}))
        (section,) = build([matching(run, "*/edit0")], ["stem"]).sections
        assert any(note.text.startswith("Not run: 3 tasks of the suite have no audio") for note in section.notes)
        assert {row.coverage.absent for row in (*section.rows, *section.splits[0].rows)} == {None}


class TestClipping:
    def test_lost_samples_are_counted_under_the_table(self, rack, shelf) -> None:
        runs = [load(rack.run(shelf, name, VALUES, clipped=lost)) for name, lost in (("loud", 5), ("quiet", 0))]
        (section,) = build(runs).sections
        assert [row.clipped for row in section.rows] == [60, 0]
        assert [note.text for note in section.notes if note.text.startswith("Clipped")] == [
            "Clipped samples, beyond full scale and lost in the audio: 60 of loud (0.25 %)."
        ]

    def test_each_group_has_its_own(self, rack, shelf) -> None:
        run = load(rack.run(shelf, "loud", VALUES, clipped=5, failed=("shelf/0/edit0",)))
        assert [group.rows[0].clipped for group in split([run], "song").groups] == [15, 20, 20]

    def test_a_journal_that_did_not_count_has_no_number(self, rack, shelf) -> None:
        run = load(rack.run(shelf, "old", VALUES))
        assert run.clipping is None
        assert build([run]).sections[0].rows[0].clipped is None
