"""Gate files: what they may say, how they are matched with runs, and how a calibration gets into one."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare_metrics import CLAP

from bench.errors import IncompleteError, UsageError
from reports.compare.gate import GateFile, default, find, read, resolve, used_digest, write_calibration
from reports.compare.model import Calibration, GateMetric
from reports.load import load

GOOD = """\
# our gate
schema: timbrebench-gate@1
alpha: 0.1          # generous
metrics:
  - name: clap
    smallest_effect: 0.02
  # the background, too
  - name: background-logmel
    direction: lower
seed: 7
"""


def calibration(**changes) -> Calibration:
    facts = {
        "gate": "0" * 64, "suite": "synth@2", "suite_digest": "1" * 64, "method": "sdedit", "runs": 3, "songs": 8,
        "pairs": 3, "pair_alarms": 0, "comparisons": 1000, "alarms": 48, "regressed": 25, "rate": 0.048, "low": 0.036,
        "high": 0.063, "alpha": 0.05, "seed": 0, "created": "2025-01-01T00:00:00+00:00",
    }  # fmt: skip
    return Calibration(**{**facts, **changes})


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(GOOD)
    return path


def test_a_gate_is_read(gate: Path) -> None:
    found = read(gate)
    assert (found.alpha, found.seed, found.calibration) == (0.1, 7, None)
    assert found.metrics == (
        GateMetric(name="clap", smallest_effect=0.02),
        GateMetric(name="background-logmel", direction="lower"),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("alpha: 0.1", "alpa: 0.1", "alpa: Extra inputs"),
        ("alpha: 0.1", "alpha: 1.5", "alpha"),
        ("alpha: 0.1", "alpha: .nan", "alpha"),
        ("smallest_effect: 0.02", "smallest_effect: -0.02", "metrics.0.smallest_effect"),
        ("smallest_effect: 0.02", "smallest: 0.02", "metrics.0.smallest"),
        ("direction: lower", "direction: down", "metrics.1.direction"),
        ("name: background-logmel", "name: clap", "clap is named twice"),
        ("timbrebench-gate@1", "timbrebench-gate@2", "schema"),
        ("metrics:", "metrics: []\nothers:", "metrics"),
        ("alpha: 0.1", "alpha: [", "flow"),
        ("alpha: 0.1", "alpha: !!python/object/apply:os.getcwd []", "constructor"),
        (GOOD, "just words", "no mapping"),
        (GOOD, "# " * 40_000, "larger than"),
    ],
)
def test_a_gate_that_is_none_is_refused(gate: Path, old: str, new: str, told: str) -> None:
    gate.write_text(GOOD.replace(old, new))
    with pytest.raises(UsageError, match="gate file cannot be used") as caught:
        read(gate)
    assert told in caught.value.cause
    assert caught.value.where == str(gate)


def test_no_gate_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "no.yaml")


def test_a_calibration_is_put_in_and_all_else_stays(gate: Path) -> None:
    first = write_calibration(gate, calibration(), read(gate))
    assert gate.read_text().startswith(GOOD)
    assert read(gate) == first
    write_calibration(gate, calibration(alarms=51), first)
    assert gate.read_text().count("calibration:") == 1
    found = read(gate).calibration
    assert found is not None
    assert found.alarms == 51


def test_a_calibration_in_the_middle_is_replaced(gate: Path) -> None:
    write_calibration(gate, calibration(), read(gate))
    block = gate.read_text().removeprefix(GOOD)
    gate.write_text(GOOD.replace("metrics:\n", f"{block}metrics:\n"))
    write_calibration(gate, calibration(alarms=51), read(gate))
    assert gate.read_text().startswith(GOOD)
    assert gate.read_text().count("calibration:") == 1


def test_a_gate_that_cannot_be_added_to_is_left_alone(gate: Path) -> None:
    gate.write_text('{"schema": "timbrebench-gate@1", "metrics": [{"name": "clap"}]}')
    before = gate.read_text()
    with pytest.raises(UsageError):
        write_calibration(gate, calibration(), read(gate))
    assert gate.read_text() == before


def test_a_gate_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    wanted = GateFile.model_validate({"schema": "timbrebench-gate@1", "metrics": [{"name": "clap"}], "alpha": 0.01})
    write_calibration(path, calibration(), wanted)
    assert read(path).model_copy(update={"calibration": None}) == wanted


# -- with runs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(rack):
    return load(rack.run(rack.shelf(), "sdedit", {"cqt1-pcc": 0.5, "dpd-pesto-cents": 3.0}))


def declared(**metric) -> GateFile:
    return GateFile.model_validate({"schema": "timbrebench-gate@1", "metrics": [metric]})


def test_the_gates_smallest_effect_comes_before_the_metrics_own(run) -> None:
    own = {"cqt1-pcc": 0.02}
    told, untold = declared(name="cqt1-pcc", smallest_effect=0.1), declared(name="cqt1-pcc")
    assert resolve(told, None, own, run, run, ()).metrics[0].smallest_effect == 0.1
    assert resolve(untold, None, own, run, run, ()).metrics[0].smallest_effect == 0.02
    assert resolve(untold, None, {}, run, run, ()).metrics[0].smallest_effect is None


def test_a_wrong_direction_is_refused(run) -> None:
    with pytest.raises(UsageError, match="the runs say higher"):
        resolve(declared(name="cqt1-pcc", direction="lower"), None, {}, run, run, ())


def test_a_calibration_is_bound_to_gate_and_suite(run) -> None:
    def stale(**changes) -> str:
        digest = used_digest([GateMetric(name="cqt1-pcc", smallest_effect=0.02)], 0.05)
        known = calibration(**{"gate": digest, "suite_digest": run.identity.suite.digest, **changes})
        gate = declared(name="cqt1-pcc", smallest_effect=0.02).model_copy(update={"calibration": known})
        return resolve(gate, None, {}, run, run, ()).calibration_stale

    assert stale() == ""
    assert "was changed" in stale(gate="2" * 64)
    assert "another suite" in stale(suite_digest="2" * 64)


def test_the_default_gate_asks_what_the_runs_can_answer(run, rack) -> None:
    assert [metric.name for metric in default(run, run).metrics] == ["cqt1-pcc"]
    empty = ("silent", "nothing")
    nothing = load(rack.run(rack.shelf(), "mute", {"cqt1-pcc": empty, "dpd-pesto-cents": empty}))
    assert [metric.name for metric in default(run, nothing).metrics] == ["cqt1-pcc"]
    with pytest.raises(IncompleteError, match="neither run has a value"):
        default(nothing, nothing)


def test_an_embedder_may_be_left_out_if_there_is_one(rack) -> None:
    values = {"clap:little": 0.1, "clap:big": 0.2}
    one = load(rack.run(rack.shelf(), "one", values, metrics=(CLAP("little"),)))
    two = load(rack.run(rack.shelf(), "two", values, metrics=(CLAP("little"), CLAP("big"))))
    assert find(one, "clap").name == find(two, "clap:little").name == "clap:little"
    assert find(one, "lpaps") is None
    with pytest.raises(UsageError, match="may be any of clap:big, clap:little"):
        find(two, "clap")
