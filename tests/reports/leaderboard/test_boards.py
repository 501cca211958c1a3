"""Who stands beside whom, and what the parts of the tasks say."""

from __future__ import annotations

import numpy as np
import pytest
from leaderboard_samples import around, audit_of, card, values

from bench.errors import UnknownNameError, UsageError
from bench.stats.bootstrap import cluster_mean
from reports.leaderboard.adding import Given, add
from reports.leaderboard.boards import build_boards
from reports.leaderboard.model import load_entries
from reports.leaderboard.records import Withdrawn
from reports.leaderboard.store import Writer


def boards(keeper, **options):
    return build_boards(load_entries((keeper.store,)), **options)


def ranks(view, division="closed", place=0):
    (table,) = [each for each in view.divisions if each.division == division]
    return {line.entry.name: str(line.places[place].rank) for line in table.ranked}


def test_ranks_are_sets_and_bold_is_for_who_is_separated(board) -> None:
    (found,) = boards(board)
    view = found.views[0]
    assert [column.name for column in view.columns] == ["cqt1-pcc", "dpd-pesto-cents"]
    assert ranks(view) == {"Loom": "1", "Weft": "2–3", "Warp": "2–3"}
    assert ranks(view, place=1) == {"Loom": "3", "Weft": "1–2", "Warp": "1–2"}
    bold = [line.entry.name for line in view.lines if line.places[0].cell.best]
    assert bold == ["Loom"]
    assert view.divisions[0].ranked[0].entry.name == "Loom"
    by_pitch = boards(board, primary="dpd-pesto-cents")[0].views[0]
    assert by_pitch.divisions[0].ranked[2].entry.name == "Loom"


def test_controls_are_shown_and_never_ranked(board) -> None:
    view = boards(board)[0].views[0]
    (control,) = view.controls
    assert control.entry.name == "copy-source"
    assert control.places[0].value > 0.95 and control.places[0].rank is None


def test_divisions_do_not_compete(keeper) -> None:
    keeper.add("Loom", 0.5)
    keeper.add("Weft", 0.4)
    keeper.add("Oracle", 0.9, claims={"division": "oracle"})
    view = boards(keeper)[0].views[0]
    assert [table.division for table in view.divisions] == ["closed", "oracle"]
    assert ranks(view)["Loom"] == ranks(view, "oracle")["Oracle"] == "1"


def test_the_leak_free_view_leaves_out_what_separators_were_trained_on(keeper) -> None:
    def leaky(item):
        return 1.0 if item.song == "song 0" else around(0.3)(item)

    keeper.add("Leaky", 0.3, values={**values(0.3), "cqt1-pcc": leaky})
    keeper.add("Loom", 0.5)
    whole, clean = boards(keeper)[0].views
    assert (clean.name, clean.tasks, clean.songs) == ("Leak-free", 10, 5)
    place = next(line for line in clean.lines if line.entry.name == "Leaky").places[0].cell.estimate
    assert (place.n, place.songs) == (10, 5) and place.mean == pytest.approx(0.3, abs=0.02)
    assert ranks(whole) == {"Loom": "1–2", "Leaky": "1–2"}
    assert ranks(clean) == {"Loom": "1", "Leaky": "2"}


def test_a_part_has_the_mean_and_about_the_interval_of_its_own_values(keeper) -> None:
    keeper.add("Loom", 0.5, values={"cqt1-pcc": around(0.5, 0.2), "dpd-pesto-cents": ("no-line", "x")})
    (line,) = boards(keeper)[0].views[1].lines
    scores = line.entry.run.scores
    mine = scores[(scores["metric"] == "cqt1-pcc") & (scores["song"] != "song 0")]
    expected = cluster_mean(mine["value"].to_numpy("float64"), mine["song"].tolist())
    estimate = line.places[0].cell.estimate
    assert estimate.mean == pytest.approx(expected.mean)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    lost = line.places[1]
    assert (lost.value, lost.lost, lost.rank) == (None, "10 missing: no-line", None)


def test_data_sets_have_views_of_their_own(keeper) -> None:
    sources = {
        name: ref.model_copy(update={"root": "tapes" if name == "src1" else "shelf"})
        for name, ref in keeper.suite.sources.items()
    }
    suite = keeper.suite
    keeper.suite = type(suite)(suite.name, suite.version, suite.rules, sources, suite.tasks, suite.roots)
    keeper.add("Loom", 0.5)
    views = boards(keeper)[0].views
    assert [(view.name, view.tasks) for view in views[1:]] == [("shelf", 10), ("tapes", 2), ("Leak-free", 10)]
    assert len({view.file for view in views}) == 4


def test_failed_edits_keep_an_entry_from_being_better(keeper) -> None:
    keeper.add("Loom", 0.9, failed=("shelf/0/edit0",))
    keeper.add("Weft", 0.5)
    view = boards(keeper)[0].views[0]
    assert ranks(view) == {"Loom": "1–2", "Weft": "1–2"}
    assert {line.entry.name: line.coverage for line in view.lines} == {"Loom": "11/12", "Weft": "12/12"}


def test_seeds_of_a_task_are_averaged(keeper) -> None:
    keeper.add("Loom", 0.9, claims={"seeds": [0, 1]}, seeds=(0, 1))
    keeper.add("Weft", 0.5)
    (found,) = boards(keeper)
    assert ranks(found.views[0]) == {"Loom": "1", "Weft": "2"}


def test_other_tasks_make_another_board(keeper, rack) -> None:
    keeper.add("Loom", 0.9)
    keeper.add("Warp", 0.8)
    keeper.suite = rack.shelf(name="attic")
    keeper.add("Weft", 0.5)
    first, second = boards(keeper)
    assert (first.suite, second.suite) == ("shelf@1", "attic@1")
    assert first.views[0].file == "index.html" != second.views[0].file


def test_values_of_another_identity_stand_in_another_column(keeper) -> None:
    other = {"name": "cqt1-pcc", "identity": "cqt1-pcc@2", "direction": "higher", "unit": "", "summary": "x"}
    keeper.add("Loom", 0.9)
    keeper.add("Weft", 0.5, metrics=(other,))
    view = boards(keeper)[0].views[0]
    assert [column.heading for column in view.columns][:2] == ["cqt1-pcc (1)", "cqt1-pcc (2)"]
    assert {name: rank for name, rank in ranks(view).items() if rank != "None"} == {"Loom": "1"}


def test_untrained_and_refuted_entries_are_shown_without_rank(keeper, tmp_path) -> None:
    keeper.add("Loom", 0.5)
    keeper.add("Random", 0.9, untrained=True)
    run, archive = keeper.scored("Fraud", 0.99, tmp_path / "fraud.zip")
    add(
        run,
        keeper.path,
        Given(archive=archive, audit=audit_of(archive, keeper.suite, tmp_path / "a", reproduced=False)),
    )
    (table,) = boards(keeper)[0].views[0].divisions
    assert [line.entry.name for line in table.ranked] == ["Loom"]
    unranked = {line.entry.name: line.entry.unranked for line in table.unranked}
    assert unranked["Fraud"] == "an audit did not reproduce it: 1 of 4 tasks agreed"
    assert unranked["Random"].startswith("untrained weights")
    assert {line.entry.name: line.entry.provenance for line in table.unranked}["Fraud"] == "scored"


def test_withdrawn_and_superseded_entries_leave_the_tables(keeper) -> None:
    old = keeper.add("Loom", 0.5).added.entry
    add(keeper.run("loom2", 0.6), keeper.path, Given(card=card(system="Loom", version="2"), supersedes=old))
    gone = keeper.add("Weft", 0.9).added.entry
    with Writer(keeper.path) as writer:
        writer.append(Withdrawn(entry=gone, reason="a mistake"))
    (line,) = boards(keeper)[0].views[0].lines
    assert (line.entry.name, line.entry.version) == ("Loom", "2")
    assert {entry.version for entry in load_entries((keeper.store,))} == {"1.2", "2"}


def test_an_unknown_metric_and_a_store_twice_are_told(board) -> None:
    with pytest.raises((UsageError, UnknownNameError), match="no entry has the metric 'cqt'"):
        boards(board, primary="cqt")
    with pytest.raises(UsageError, match="two stores"):
        load_entries((board.store, board.store))
    assert np.isfinite(boards(board)[0].views[0].lines[0].places[0].value)
