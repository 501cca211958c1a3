"""What a method may hand to the runner beside audio: diagnostics, networks, rows; and a run that cannot begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from runner_methods import Noise

from bench.errors import LockedError, ModelError
from bench.method import Cost, Decoding, Prepared
from bench.runner.estimate import estimate
from bench.runner.run import run
from bench.runner.spec import RunSpec, parse_config
from bench.store.rundir import RunDirectory
from bench.task import EditTask

Make = Callable[..., RunSpec]


class Measured(Noise):
    """Measures something, leans on another network, and pays by the batch."""

    name = "measured"

    def cost(self) -> Cost:
        return Cost(prepare=100, edit=10, batch=1, backward=5)

    def networks(self) -> Mapping[str, str]:
        return {"separator": "ears@1"}

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding:
        edits = super().edit(prepared, tasks, seeds)
        assert isinstance(edits, Decoding)
        return replace(edits, diagnostics=[{"name": task.id, "curve": [0.5, None]} for task in tasks])


class MeasuredOnce(Measured):
    """Measures too little."""

    name = "measured-once"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding:
        edits = super().edit(prepared, tasks, seeds)
        return replace(edits, diagnostics=edits.diagnostics[:-1] if len(tasks) > 1 else [{}, {}])


def of(spec: RunSpec, method: type) -> RunSpec:
    return replace(spec, method=f"{__name__}:{method.__name__}")


def test_diagnostics_are_journalled_with_their_edit(spec: Make) -> None:
    made = of(spec("Noise"), Measured)
    assert run(made, parse_config(Measured, [])).complete
    for event in RunDirectory.open(made.out).events():
        if event["event"] == "generated":
            assert event["diagnostics"] == {"name": event["task"], "curve": [0.5, None]}


def test_a_method_without_any_journals_none(spec: Make) -> None:
    made = spec("Noise")
    run(made, parse_config(Noise, []))
    assert not any("diagnostics" in event for event in RunDirectory.open(made.out).events())


def test_diagnostics_of_other_edits_fail_the_batch_and_not_the_run(spec: Make) -> None:
    made = of(spec("Noise"), MeasuredOnce)
    result = run(made, parse_config(MeasuredOnce, []))
    assert (result.generated, result.failed) == (0, 12)
    outcome = next(iter(RunDirectory.open(made.out).outcomes().values()))
    assert "diagnostics of 2 edits for 1 clips" in outcome.error["cause"]  # type: ignore[index]


def test_networks_are_part_of_the_runs_identity(spec: Make) -> None:
    plain, leaning = spec("Noise"), of(spec("Noise"), Measured)
    assert plain.identity(parse_config(Noise, []), None)["method"]["networks"] == {}
    assert leaning.identity(parse_config(Measured, []), None)["method"]["networks"] == {"separator": "ears@1"}


def test_rows_by_the_batch_are_estimated(spec: Make) -> None:
    """Three sources of four tasks: 300 rows, 120, and one for each batch."""
    config = parse_config(Measured, [])
    assert estimate(of(spec("Noise"), Measured), config).network_rows == 300 + 120 + 3
    assert estimate(of(spec("Noise", batch_size=3), Measured), config).network_rows == 300 + 120 + 6


def test_rows_that_a_gradient_goes_back_through_are_counted_apart(spec: Make) -> None:
    found = estimate(of(spec("Noise"), Measured), parse_config(Measured, []))
    assert (found.network_rows, found.backward_rows) == (300 + 120 + 3, 60)


# -- a run that cannot begin -------------------------------------------------------------------------------------------


class WithoutWeights(Noise):
    """Leans on a network that is not on this machine."""

    name = "without-weights"
    asked: ClassVar[list[bool]] = []

    def networks(self) -> Mapping[str, str]:
        self.asked.append(True)
        raise ModelError("the weights are not here", remedy="Fetch them.", code="model/missing")


def test_a_run_that_cannot_begin_leaves_no_folder(spec: Make) -> None:
    made = of(spec("Noise"), WithoutWeights)
    with pytest.raises(ModelError):
        run(made, parse_config(WithoutWeights, []))
    assert not made.out.exists()


def test_nor_does_it_keep_one_that_was_there(spec: Make) -> None:
    made = of(spec("Noise"), WithoutWeights)
    made.out.mkdir(parents=True)
    with pytest.raises(ModelError):
        run(made, parse_config(WithoutWeights, []))
    assert run(spec("Noise"), parse_config(Noise, [])).complete


def test_whoever_is_at_work_there_is_noticed_before_anything_is_loaded(spec: Make) -> None:
    made = of(spec("Noise"), WithoutWeights)
    WithoutWeights.asked.clear()
    with RunDirectory.lock(made.out), pytest.raises(LockedError):
        run(made, parse_config(WithoutWeights, []))
    assert WithoutWeights.asked == []
