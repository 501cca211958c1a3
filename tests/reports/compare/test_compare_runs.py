"""Comparing run directories: alignment, verdicts, what is refused, and what the numbers rest on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from compare_metrics import CLAP, CQT, DPD
from rich.console import Console

from bench.errors import UsageError
from bench.identity import derive_seed, digest
from bench.store.rundir import PlanItem
from reports.compare.compare import Declared, compare
from reports.compare.gate import GateFile
from reports.compare.model import Comparison, Verdict
from reports.compare.terminal import TerminalComparison
from reports.load import RunReport, load

EFFECTS = {"cqt1-pcc": 0.02, "dpd-pesto-cents": 5.0}
SONGS = tuple(f"song {number}" for number in range(8))


def luck(name: str, size: float = 0.02, shift: float = 0.0) -> Callable[[PlanItem], float]:
    """Values of one run: clustered by song, with their own luck in every edit."""

    def value(item: PlanItem) -> float:
        song = np.random.default_rng(derive_seed(0, item.song)).normal(0.5, 0.1)
        own = np.random.default_rng(derive_seed(item.seed, name, item.task)).normal(0, size)
        return float(song + own + shift)

    return value


def cents(shift: float = 0.0) -> Callable[[PlanItem], float]:
    return lambda item: 40.0 + shift + len(item.song)


@dataclass
class Pairs:
    """Makes runs on one suite of eight songs."""

    rack: Any
    suite: Any
    made: int = field(default=0)

    def run(self, name: str = "sdedit", value: Any = 0.5, dpd: Any = 30.0, **options: Any) -> RunReport:
        self.made += 1
        values = {"cqt1-pcc": value, "dpd-pesto-cents": dpd}
        folder = f"run{self.made}"
        return load(self.rack.run(options.pop("suite", self.suite), name, values, folder=folder, **options))


@pytest.fixture
def pairs(rack) -> Pairs:
    return Pairs(rack, rack.shelf(songs=SONGS))


def gate(*names: str, **effects: float) -> Declared:
    metrics = [{"name": name, "smallest_effect": effects.get(name.replace("-", "_"))} for name in names]
    return Declared(GateFile.model_validate({"schema": "timbrebench-gate@1", "metrics": metrics}), "gate.yaml")


BOTH = gate("cqt1-pcc", "dpd-pesto-cents")


def compared(base: RunReport, new: RunReport, declared: Declared | None = BOTH, **options: Any) -> Comparison:
    return compare(base, new, declared, effects=EFFECTS, **options)


# -- the verdicts -----------------------------------------------------------------------------------------------------


def test_a_run_is_equivalent_to_itself(pairs: Pairs) -> None:
    run = pairs.run(value=luck("a"))
    found = compared(run, run)
    assert (found.verdict, found.exit_code) == (Verdict.EQUIVALENT, 0)
    assert [metric.difference for metric in found.gated] == [0.0, 0.0]
    assert found.worst == found.best == ()
    assert any("one identity" in caveat for caveat in found.caveats)


def test_a_loss_in_one_gate_metric_is_a_regression(pairs: Pairs) -> None:
    found = compared(pairs.run(value=luck("a")), pairs.run("sdedit2", value=luck("b", shift=-0.2)))
    assert (found.verdict, found.exit_code) == (Verdict.REGRESSED, 1)
    first = found.metrics[0]
    assert (first.name, first.verdict, first.n, first.songs) == ("cqt1-pcc", Verdict.REGRESSED, 16, 8)
    assert first.p_holm is not None
    assert first.p is not None
    assert first.p < first.p_holm < 0.05
    assert first.low < first.difference < first.high < 0
    assert found.headline.startswith("REGRESSED: worse in cqt1-pcc -0.")


def test_lower_is_better_is_understood(pairs: Pairs) -> None:
    base = pairs.run(dpd=cents())
    assert compared(base, pairs.run("b", dpd=cents(-20.0))).verdict == Verdict.IMPROVED
    assert compared(base, pairs.run("c", dpd=cents(+20.0))).verdict == Verdict.REGRESSED


def test_equal_but_for_luck_is_equivalent_or_open(pairs: Pairs) -> None:
    base, new = pairs.run(value=luck("a")), pairs.run("b", value=luck("b"))
    assert compared(base, new, gate("cqt1-pcc", cqt1_pcc=0.05)).verdict == Verdict.EQUIVALENT
    found = compared(base, new, gate("cqt1-pcc", cqt1_pcc=0.001))
    assert (found.verdict, found.exit_code) == (Verdict.INCONCLUSIVE, 0)
    (metric,) = found.gated
    assert metric.needed is not None
    assert metric.needed.songs > 100
    assert metric.needed.seeds is None
    assert f"about {metric.needed.songs:,} songs would decide" in found.headline


def test_a_metric_without_a_smallest_effect_says_so(pairs: Pairs) -> None:
    base, new = pairs.run(value=luck("a")), pairs.run("b", value=luck("b"))
    (metric,) = compare(base, new, gate("cqt1-pcc")).gated
    assert (metric.verdict, metric.smallest_effect) == (Verdict.INCONCLUSIVE, None)
    assert metric.needed is not None
    assert "no smallest effect" in metric.needed.why


def test_more_seeds_may_decide(pairs: Pairs) -> None:
    """All doubt is luck of the seeds here: more of them help as more songs do."""
    seeds = (0, 1, 2)
    base, new = (pairs.run(name, value=luck(name), seeds=seeds) for name in ("a", "b"))
    (metric,) = compared(base, new, gate("cqt1-pcc", cqt1_pcc=0.008)).gated
    assert metric.n == 48
    assert metric.verdict == Verdict.INCONCLUSIVE
    assert metric.needed is not None
    assert metric.needed.seeds is not None
    assert 3 < metric.needed.seeds < 60


def test_one_song_decides_nothing(pairs: Pairs, rack) -> None:
    suite = rack.shelf(songs=("alone",), name="solo")
    found = compared(pairs.run(suite=suite, value=0.9), pairs.run("b", suite=suite, value=0.1))
    assert found.verdict == Verdict.INCONCLUSIVE
    assert found.metrics[0].low is None
    assert "Only 1 song" in " ".join(found.caveats)


# -- symmetry ---------------------------------------------------------------------------------------------------------


def test_turned_round_all_differences_turn(pairs: Pairs) -> None:
    base, new = pairs.run(value=luck("a"), dpd=cents()), pairs.run("b", value=luck("b", shift=-0.1), dpd=cents(9))
    there, back = compared(base, new), compared(new, base)
    turned = {metric.name: metric for metric in back.metrics}
    for metric in there.metrics:
        other = turned[metric.name]
        assert other.difference == -metric.difference
        assert (other.low, other.high) == pytest.approx((-metric.high, -metric.low))
        assert (other.p, other.p_holm, other.mde) == (metric.p, metric.p_holm, metric.mde)
    assert (there.verdict, back.verdict) == (Verdict.REGRESSED, Verdict.IMPROVED)
    assert [pair.task for pair in there.worst] == [pair.task for pair in back.best]
    assert [pair.gain for pair in there.worst] == [-pair.gain for pair in back.best]


def test_the_order_of_rows_in_the_scores_does_not_matter(pairs: Pairs) -> None:
    base, new = pairs.run(value=luck("a")), pairs.run("b", value=luck("b", shift=-0.1))
    before = compared(base, new)
    frame = pd.read_parquet(new.path / "scores.parquet").sample(frac=1.0, random_state=0)
    frame.to_parquet(new.path / "scores.parquet", index=False)
    assert compared(base, load(new.path)) == before


# -- alignment --------------------------------------------------------------------------------------------------------


def test_edits_are_paired_by_task_and_seed(pairs: Pairs) -> None:
    """Seeds in another order, and values that tell which edit they are of."""
    base = pairs.run(value=lambda item: item.seed / 10, seeds=(0, 1))
    new = pairs.run("b", value=lambda item: item.seed / 10 + 0.3, seeds=(1, 0))
    (metric,) = compared(base, new, gate("cqt1-pcc")).gated
    assert (metric.n, metric.low, metric.high) == (32, pytest.approx(0.3), pytest.approx(0.3))
    assert [each.field for each in compared(base, new).differences] == ["method.name"]


def test_other_seeds_are_paired_by_rank_if_allowed(pairs: Pairs) -> None:
    base, new = pairs.run(value=luck("a")), pairs.run(value=luck("a"), seeds=(7,))
    refused = compared(base, new)
    assert (refused.verdict, refused.exit_code, refused.metrics) == (Verdict.NOT_COMPARABLE, 4, ())
    assert [(each.field, each.allowed) for each in refused.differences] == [("seeds", False)]
    found = compared(base, new, allowed=("seeds",))
    assert found.verdict in (Verdict.EQUIVALENT, Verdict.INCONCLUSIVE)
    assert {(pair.seed, pair.new_seed) for pair in found.worst} == {(0, 7)}
    assert any("seeds differs" in caveat for caveat in found.caveats)
    several = compared(base, pairs.run(seeds=(1, 2)), allowed=("seeds",))
    assert several.verdict == Verdict.NOT_COMPARABLE


# -- not comparable ---------------------------------------------------------------------------------------------------


def test_a_method_may_change_and_nothing_else(pairs: Pairs, rack) -> None:
    base = pairs.run(config={"lam": 2.5})
    changed = compared(base, pairs.run("other", config={"lam": 0.0}))
    assert changed.verdict == Verdict.EQUIVALENT
    assert {each.field for each in changed.differences} == {"method.config.lam", "method.name"}
    other_suite = compared(base, pairs.run(suite=rack.shelf(songs=SONGS[:7], name="other")))
    assert other_suite.verdict == Verdict.NOT_COMPARABLE
    assert {"suite.digest", "suite.name", "plan"} <= {each.field for each in other_suite.differences}
    assert "suite.digest" in other_suite.headline


def test_another_backbone_is_refused_and_none_is_not(pairs: Pairs) -> None:
    nano = pairs.run(untrained=True)
    assert compared(pairs.run(), nano).verdict == Verdict.EQUIVALENT, "a method without a backbone has none"
    record = json.loads((nano.path / "run.json").read_text())
    other = load(_with_backbone(pairs, record["identity"]["backbone"] | {"weights": "sha256:other"}))
    refused = compared(nano, other)
    assert refused.verdict == Verdict.NOT_COMPARABLE
    assert [each.field for each in refused.differences if not each.allowed] == ["backbone.weights"]
    assert compared(nano, other, allowed=("backbone.weights",)).verdict == Verdict.EQUIVALENT
    with pytest.raises(UsageError, match="no field 'bakbone'"):
        compared(nano, other, allowed=("bakbone",))


def _with_backbone(pairs: Pairs, backbone: dict[str, Any]) -> Path:
    """A run with another backbone, its description rewritten as a whole."""
    run = pairs.run(untrained=True)
    record = json.loads((run.path / "run.json").read_text())
    record["identity"]["backbone"] = backbone
    record["identity_digest"] = digest(record["identity"])
    (run.path / "run.json").write_text(json.dumps(record))
    summary = json.loads((run.path / "summary.json").read_text())
    summary["run"] = record["identity_digest"]
    (run.path / "summary.json").write_text(json.dumps(summary))
    return run.path


def test_a_metric_with_another_identity_is_another_metric(pairs: Pairs) -> None:
    values = {"clap:little": 0.3, "clap:big": 0.3}
    base, new = (
        load(pairs.rack.run(pairs.suite, name, values | {"cqt1-pcc": 0.5}, metrics=(CQT, CLAP(name))))
        for name in ("little", "big")
    )
    found = compared(base, new, None)
    assert (found.verdict, found.exit_code) == (Verdict.NOT_COMPARABLE, 4)
    assert found.differences[0].field == "metric clap:little"
    assert "little" in found.headline
    assert "big" in found.headline
    without = compared(base, new, gate("cqt1-pcc"))
    assert without.verdict == Verdict.EQUIVALENT
    assert {metric.name: metric.verdict for metric in without.exploratory} == {
        "clap:little": Verdict.INCOMPLETE,
        "clap:big": Verdict.INCOMPLETE,
    }


def test_another_identity_outside_the_gate_stops_nothing(pairs: Pairs) -> None:
    later = DPD | {"identity": "dpd-pesto-cents@2[PESTO mir-1k_g7, hop 10 ms]"}
    base = pairs.run()
    new = load(pairs.rack.run(pairs.suite, "b", {"cqt1-pcc": 0.5, "dpd-pesto-cents": 3.0}, metrics=(CQT, later)))
    found = compared(base, new, gate("cqt1-pcc"))
    assert (found.verdict, found.exploratory[0].verdict) == (Verdict.EQUIVALENT, Verdict.NOT_COMPARABLE)
    assert (found.differences[0].field, found.differences[0].allowed) == ("metric dpd-pesto-cents", True)
    assert (found.differences[0].base, found.differences[0].new) == ("dpd-pesto-cents@1", "dpd-pesto-cents@2")
    assert compared(base, new, gate("dpd-pesto-cents")).verdict == Verdict.NOT_COMPARABLE


# -- incomplete -------------------------------------------------------------------------------------------------------


def test_what_was_not_made_is_missing_and_never_better(pairs: Pairs) -> None:
    base = pairs.run(value=luck("a"))
    killed = pairs.run("b", value=luck("b", shift=0.3), pending=("shelf/0/edit0", "shelf/3/edit1"))
    found = compared(base, killed)
    assert (found.verdict, found.exit_code) == (Verdict.INCOMPLETE, 3)
    assert found.incomplete[0] == "new: 2 of 16 edits were not run"
    assert dict(found.gated[0].missing.new) == {"pending": 2}
    failed = pairs.run("c", value=luck("c"), failed=("shelf/1/edit0",))
    assert compared(failed, base).verdict == Verdict.INCOMPLETE
    assert compared(failed, failed).verdict == Verdict.INCOMPLETE


def test_a_value_that_one_side_lacks_is_missing(pairs: Pairs) -> None:
    silent = luck("b")
    one = lambda item: ("silent-edit", "silence") if item.task == "shelf/0/edit0" else silent(item)  # noqa: E731
    base, new = pairs.run(value=luck("a")), pairs.run("b", value=one)
    found = compared(base, new)
    assert found.verdict == Verdict.INCOMPLETE
    assert found.incomplete == ("cqt1-pcc: new lacks 1 (silent-edit)",)
    assert compared(base, new, gate("dpd-pesto-cents")).verdict == Verdict.EQUIVALENT, "it is not in the gate"


def test_what_a_task_does_not_have_is_no_fault(pairs: Pairs) -> None:
    def of_melodies(shift: float) -> Callable[[PlanItem], Any]:
        return lambda item: ("not-monophonic", "chords") if item.task.endswith("edit1") else 40.0 + shift

    base, new = pairs.run(dpd=of_melodies(0)), pairs.run("b", dpd=of_melodies(1))
    found = compared(base, new)
    assert found.verdict == Verdict.EQUIVALENT
    metric = next(metric for metric in found.metrics if metric.name == "dpd-pesto-cents")
    assert (metric.n, dict(metric.missing.neither)) == (8, {"not-monophonic": 8})


def test_a_gate_metric_that_nobody_scored_is_missing(pairs: Pairs) -> None:
    base, new = pairs.run(), pairs.run("b")
    found = compared(base, new, gate("clap", "cqt1-pcc"))
    assert found.verdict == Verdict.INCOMPLETE
    assert found.incomplete == ("clap: base and new were not scored with it",)


def test_the_default_gate_does_not_pass_over_what_one_run_has(pairs: Pairs) -> None:
    base = pairs.run()
    new = load(pairs.rack.run(pairs.suite, "b", {"cqt1-pcc": 0.5}, metrics=(CQT,)))
    found = compared(base, new, None)
    assert [metric.name for metric in found.gated] == ["cqt1-pcc"]
    assert found.verdict == Verdict.EQUIVALENT
    (other,) = found.exploratory
    assert (other.name, other.verdict, other.reason) == (
        "dpd-pesto-cents",
        Verdict.INCOMPLETE,
        "new was not scored with it",
    )


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_the_worst_and_best_edits_come_with_their_audio(pairs: Pairs) -> None:
    drop = {"shelf/5/edit1": -0.4, "shelf/2/edit0": -0.2, "shelf/7/edit0": 0.3}
    base = pairs.run(value=0.5)
    new = pairs.run("b", value=lambda item: 0.5 + drop.get(item.task, 0.0))
    found = compared(base, new)
    assert [pair.task for pair in found.worst] == ["shelf/5/edit1", "shelf/2/edit0"]
    assert [pair.task for pair in found.best] == ["shelf/7/edit0"]
    worst = found.worst[0]
    assert (worst.metric, worst.song, worst.stem) == ("cqt1-pcc", "song 5", "bass")
    assert worst.values[0].difference == pytest.approx(-0.4)
    assert base.directory.read_audio(worst.base_audio).length > 0
    assert new.directory.read_audio(worst.new_audio).length > 0


def test_groups_are_taken_apart_worst_first(rack, pairs: Pairs) -> None:
    def describe(song: int, edit: int) -> dict[str, Any]:
        return {"stem": ("bass", "drums")[edit], "flags": ("loud",) if song < 2 else ()}

    suite = rack.shelf(songs=SONGS, name="groups", describe=describe)
    drums = lambda item: 0.5 if item.task.endswith("edit0") else 0.3  # noqa: E731
    found = compared(pairs.run(suite=suite), pairs.run("b", suite=suite, value=drums))
    (by_stem,) = (each for each in found.breakdowns if (each.by, each.metric) == ("stem", "cqt1-pcc"))
    assert [(group.name, group.n, group.difference) for group in by_stem.groups] == [
        ("drums", 8, pytest.approx(-0.2)),
        ("bass", 8, 0.0),
    ]
    assert {each.by for each in found.breakdowns} == {"stem", "flag"}


def test_a_comparison_survives_json_and_the_terminal(pairs: Pairs) -> None:
    suite = pairs.rack.shelf(songs=("[red]x[/]", "\x1b[31mred"), name="hostile")
    found = compared(pairs.run(suite=suite), pairs.run("b", suite=suite, value=luck("b"), label="evil\x1b]0;x\a"))
    assert Comparison.model_validate(json.loads(json.dumps(found.as_json()))) == found
    console = Console(width=140, record=True, force_terminal=False)
    with console.capture() as shown:
        console.print(TerminalComparison(found))
    text = shown.get()
    assert text.startswith(found.verdict)
    assert "\x1b" not in text
    assert "\a" not in text
