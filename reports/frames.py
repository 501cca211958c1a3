"""Scored runs as pandas frames, for who wants to compute more than a report shows.

    import reports

    frame = reports.load("runs/polyphonia", "runs/sdedit")
    frame.pivot_table("value", index="target_instrument", columns=["metric", "run"])

`load` gives the values, one row a task, seed and metric; `summary` gives the table of a report, one row a run and
metric, with intervals, and with what has one value for a whole run (FAD, KAD) or is derived (ASB, AMB). Neither
computes a score: they are views of what `timbrebench score` left in the run directories.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import CorruptStoreError
from reports.labels import distinct_labels
from reports.load import RunReport
from reports.load import load as load_run
from reports.render import records
from reports.table import build

if TYPE_CHECKING:
    import pandas as pd

    from bench.task import EditTask

COLUMNS = (
    *("run", "role", "method", "suite", "task", "song", "source", "stem"),
    *("source_instrument", "target_instrument", "monophonic", "flags"),
    *("seed", "metric", "identity", "direction", "unit", "value", "missing", "why", "audio", "run_digest"),
)
"""Of `load`, in order; `docs/reports.md` explains each."""


def load(run: str | Path, *more: str | Path) -> pd.DataFrame:
    """The values of scored runs: one row per run, planned task, seed and metric that has a value for each task.

    The columns are `COLUMNS`. `value` is null exactly where `missing` says why there is none, so that the mean of a
    group is over what was measured. Values of different `identity` must not be compared, even if `metric` is the same.

    Args:
        run: a run directory.
        *more: others. Runs of one label get different names in `run`, as in a report.

    Raises:
        IncompleteError: if a run was not scored. CorruptStoreError: if its scores are damaged.
        BenchError: what `RunDirectory.open` raises for a folder that is not a run.
    """
    import pandas as pd

    runs = [load_run(Path(path)) for path in (run, *more)]
    frames = [_frame(found, label) for found, label in zip(runs, distinct_labels(runs), strict=True)]
    return pd.concat(frames, ignore_index=True)


def summary(run: str | Path, *more: str | Path, splits: Sequence[str] = ()) -> pd.DataFrame:
    """The table of a report: one row a run and metric, and a group of tasks where `splits` asks for groups.

    The columns are those of `table.csv`, with numbers in full precision and nulls where there is none.

    Args:
        run: a run directory.
        *more: others.
        splits: by what to split, see `reports.groups.SPLITS`.

    Raises:
        UsageError: if there is nothing to split by.
        IncompleteError, CorruptStoreError, BenchError: as `load`.
    """
    import pandas as pd

    return pd.DataFrame(records(build([load_run(Path(path)) for path in (run, *more)], splits)))


def _frame(run: RunReport, label: str) -> pd.DataFrame:
    frame = run.scores
    tasks = [_task(run, name) for name in frame["task"]]
    described: dict[str, Any] = {
        "source_instrument": [task.source_instrument for task in tasks],
        "target_instrument": [task.target_instrument for task in tasks],
        "monophonic": [task.monophonic for task in tasks],
        "flags": [" ".join(sorted(task.flags)) for task in tasks],
    }
    described |= {
        "run": label,
        "role": run.about.role,
        "method": f"{run.identity.method.name}@{run.identity.method.version}",
        "suite": f"{run.identity.suite.name}@{run.identity.suite.version}",
        "run_digest": run.digest,
    }
    return frame.assign(**described).astype({"monophonic": "boolean"})[list(COLUMNS)]


def _task(run: RunReport, name: str) -> EditTask:
    if name not in run.tasks:
        raise CorruptStoreError(
            f"the scores have a task that was not planned: {name}",
            where=str(run.path / "scores.parquet"),
            remedy=f"They can be made again: timbrebench score {run.path}",
            code="corrupt/scores",
        )
    return run.tasks[name]
