"""The worker: takes groups, prepares each source once, edits its batches, and finishes them on another thread.

While the network edits a batch, the one before it is decoded, encoded, written and journalled by the finisher
thread. Nothing counts as done before its audio is on disk and its journal line is synced.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from bench.audio import Clip
from bench.backbone import Backbone
from bench.errors import BenchError
from bench.identity import derive_seed
from bench.method import Context, Decoding, Method, Prepared
from bench.runner.progress import Event, Finished, Note, Step
from bench.runner.spec import RunSpec
from bench.runner.work import Group
from bench.store.journal import Journal
from bench.store.rundir import PlanItem, RunDirectory

Batch = tuple[PlanItem, ...]

_WAITING_BATCHES = 2  # batches that may be with the finisher before the worker waits for it


@dataclass
class Stopwatch:
    """Seconds by stage, over all threads of a worker."""

    seconds: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add what happens inside to a stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += perf_counter() - began  # type: ignore[assignment]


class Worker:
    """Runs groups of one plan on one device, in one process.

    Args:
        spec, directory: what to run and where. config: the method's configuration.
        name: of the worker and its journal. device: torch device.
        report: hears events. backbone: if it was loaded already.
    """

    def __init__(
        self,
        spec: RunSpec,
        directory: RunDirectory,
        config: Method.Config,
        *,
        name: str,
        device: str,
        report: Callable[[Event], None],
        backbone: Backbone | None = None,
    ):
        self.stopwatch = Stopwatch()
        self._began = perf_counter()
        self._spec, self._directory, self._name, self._report = spec, directory, name, report
        self._tasks = {task.id: task for task in spec.suite.tasks}
        self._source = ""
        context = Context(device, spec.suite, lambda: backbone or spec.load_backbone(device), self._progress)
        self._method = spec.method_class()(config, context)
        self._batch_size = spec.batch_size or smallest_batch(directory)
        self._journal: Journal = directory.journal(name)
        self._finisher = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-finish")
        self._waiting: list[tuple[Batch, Future[Exception | None]]] = []

    def run(self, group: Group) -> None:
        """Edit everything a group owes. Failures are journalled, and do not stop the others."""
        self._source = group.source
        try:
            with self.stopwatch.time("prepare"):
                began = perf_counter()
                prepared = self._method.prepare(self._spec.suite.open(group.source))
                seconds = perf_counter() - began
        except Exception as error:  # noqa: BLE001  a source that cannot be prepared fails its edits, not the run
            self._fail([item for item in group.items if item.key in group.owed], error)
            return
        self._journal.append({"event": "prepared", "source": group.source, "seconds": round(seconds, 3)})
        batches = group.batches(self._batch_size)
        while batches or self._waiting:
            if batches:
                batch = batches.pop(0)
                try:
                    edits, seconds = self._edit(prepared, batch)
                except Exception as error:  # noqa: BLE001  see _recover: every failure is journalled
                    batches = self._recover(group, batch, error) + batches
                    continue
                self._waiting.append((batch, self._finisher.submit(self._finish, group, batch, edits, seconds)))
            for failed, reason in self._drain(_WAITING_BATCHES if batches else 0):
                batches = self._recover(group, failed, reason) + batches

    def close(self) -> None:
        """Stop the finisher and journal where the time went."""
        self._finisher.shutdown()
        self.stopwatch.seconds["total"] = perf_counter() - self._began  # type: ignore[assignment]
        seconds = {stage: round(value, 4) for stage, value in self.stopwatch.seconds.items()}
        self._journal.append({"event": "worker-finished", "worker": self._name, "seconds": seconds})
        self._journal.close()

    # -- one batch --------------------------------------------------------------------------------------------

    def _edit(self, prepared: Prepared, batch: Sequence[PlanItem]) -> tuple[list[Clip] | Decoding, float]:
        tasks = [self._tasks[item.task] for item in batch]
        seeds = [derive_seed(item.seed, item.task) for item in batch]
        with self.stopwatch.time("edit"):
            began = perf_counter()
            edits = self._method.edit(prepared, tasks, seeds)
            return edits, perf_counter() - began

    def _finish(
        self, group: Group, batch: Sequence[PlanItem], edits: list[Clip] | Decoding, edit_seconds: float
    ) -> Exception | None:
        """On the finisher thread: decode and keep a batch. A method's failure is returned, a store's is raised."""
        try:
            with self.stopwatch.time("decode"):
                clips = edits.finish() if isinstance(edits, Decoding) else edits
            if len(clips) != len(batch):
                raise ValueError(f"the method returned {len(clips)} clips for {len(batch)} tasks")
        except Exception as error:  # noqa: BLE001  handed to _recover on the worker's own thread
            return error
        for item, clip in zip(batch, clips, strict=True):
            if item.key in group.owed:
                self._keep(item, clip, edit_seconds / len(batch))
        return None

    def _keep(self, item: PlanItem, clip: Clip, seconds: float) -> None:
        import numpy as np

        if not np.isfinite(clip.samples).all():
            self._fail([item], ValueError("the edit has samples that are not finite numbers"))
            return
        with self.stopwatch.time("write"):
            event: dict[str, Any] = {
                "event": "generated",
                "task": item.task,
                "seed": item.seed,
                "audio": self._directory.put_audio(clip),
                "rate": clip.rate,
                "samples": clip.length,
                "clipped": clip.clipped,
                "seconds": round(seconds, 4),
            }
            self._journal.append(event)
        self._report(Finished(self._name, item.task))

    def _drain(self, allowed: int) -> list[tuple[Batch, Exception]]:
        """Wait until at most `allowed` batches are with the finisher; the batches that it could not decode."""
        failed = []
        while len(self._waiting) > allowed:
            batch, future = self._waiting.pop(0)
            with self.stopwatch.time("wait"):
                error = future.result()
            if error is not None:
                failed.append((batch, error))
        return failed

    # -- when things go wrong ---------------------------------------------------------------------------------

    def _recover(self, group: Group, batch: Batch, error: Exception) -> list[Batch]:
        """What to run instead of a batch that failed: smaller batches, single edits, or nothing."""
        owed = [item for item in batch if item.key in group.owed]
        if len(batch) == 1:
            self._fail(owed, error)
            return []
        if is_out_of_memory(error):
            half = (len(batch) + 1) // 2
            self._batch_size = half
            self._journal.append({"event": "batch-size", "size": half, "why": "out of memory"})
            self._report(Note(self._name, f"out of memory with {len(batch)} edits at once: going on with {half}"))
            _free_device_memory()
            return [batch[:half], batch[half:]]
        # One task of the batch may be at fault: run them one by one, so that it fails alone.
        return [(item,) for item in owed]

    def _fail(self, items: Sequence[PlanItem], error: Exception) -> None:
        described = describe(error)
        for item in items:
            self._journal.append({"event": "failed", "task": item.task, "seed": item.seed, "error": described})
            self._report(Finished(self._name, item.task, error=described["cause"]))

    def _progress(self, stage: str, done: int, total: int) -> None:
        self._report(Step(self._name, self._source, stage, done, total))


def describe(error: Exception) -> dict[str, Any]:
    """An exception as the journal keeps it: code, cause, where, remedy."""
    if isinstance(error, BenchError):
        return error.as_dict()
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno} in {frames[-1].name}" if frames else None
    cause = f"{type(error).__name__}: {error}"
    return {"code": "method-raised", "cause": cause, "where": where, "remedy": "See the method's own code."}


def smallest_batch(directory: RunDirectory) -> int | None:
    """The batch size that an earlier start of this run had to come down to, if it did."""
    sizes = [int(event["size"]) for event in directory.events() if event["event"] == "batch-size"]
    return min(sizes, default=None)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception says that the device or the machine has no memory left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)


def _free_device_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
