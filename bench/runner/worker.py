"""The worker: takes groups, prepares each source once, edits its batches, and finishes them on another thread.

While the network edits a batch, the one before it is decoded, encoded, written and journalled by the finisher
thread. Nothing counts as done before its audio is on disk and its journal line is synced.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

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

_WAITING_BATCHES = 2  # batches that may be with the finisher before the worker waits for it


class Job(NamedTuple):
    """A batch to be edited, with all that editing it again would need."""

    group: Group
    prepared: Prepared
    batch: tuple[PlanItem, ...]


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
        self._waiting: list[tuple[Job, Future[Exception | None]]] = []

    def run(self, group: Group) -> None:
        """Edit everything a group owes. Failures are journalled, and do not stop the others.

        The last batches may still be with the finisher on return: see `flush`.
        """
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
        self._work([Job(group, prepared, batch) for batch in group.batches(self._batch_size)])

    def flush(self) -> None:
        """Wait until all that was edited is on disk; batches that could not be decoded are edited again, smaller."""
        while self._waiting:
            self._work([again for job, error in self._drain(0) for again in self._recover(job, error)])

    def _work(self, jobs: list[Job]) -> None:
        while jobs:
            job = jobs.pop(0)
            if self._batch_size and len(job.batch) > self._batch_size:
                jobs = self._halves(job) + jobs
                continue
            try:
                edits, seconds = self._edit(job)
            except Exception as error:  # noqa: BLE001  see _recover: every failure is journalled
                jobs = self._recover(job, error) + jobs
                continue
            self._waiting.append((job, self._finisher.submit(self._finish, job, edits, seconds)))
            for failed, reason in self._drain(_WAITING_BATCHES):
                jobs = self._recover(failed, reason) + jobs

    def close(self) -> None:
        """Stop the finisher and journal where the time went."""
        self._finisher.shutdown()
        self.stopwatch.seconds["total"] = perf_counter() - self._began  # type: ignore[assignment]
        seconds = {stage: round(value, 4) for stage, value in self.stopwatch.seconds.items()}
        self._journal.append({"event": "worker-finished", "worker": self._name, "seconds": seconds})
        self._journal.close()

    # -- one batch --------------------------------------------------------------------------------------------

    def _edit(self, job: Job) -> tuple[list[Clip] | Decoding, float]:
        tasks = [self._tasks[item.task] for item in job.batch]
        seeds = [derive_seed(item.seed, item.task) for item in job.batch]
        with self.stopwatch.time("edit"):
            began = perf_counter()
            edits = self._method.edit(job.prepared, tasks, seeds)
            return edits, perf_counter() - began

    def _finish(self, job: Job, edits: list[Clip] | Decoding, edit_seconds: float) -> Exception | None:
        """On the finisher thread: decode and keep a batch. A method's failure is returned, a store's is raised."""
        try:
            with self.stopwatch.time("decode"):
                clips = edits.finish() if isinstance(edits, Decoding) else edits
            if len(clips) != len(job.batch):
                raise ValueError(f"the method returned {len(clips)} clips for {len(job.batch)} tasks")
            diagnostics = (edits.diagnostics if isinstance(edits, Decoding) else ()) or [{}] * len(clips)
            if len(diagnostics) != len(clips):
                raise ValueError(f"the method returned diagnostics of {len(diagnostics)} edits for {len(clips)} clips")
        except Exception as error:  # noqa: BLE001  handed to _recover on the worker's own thread
            return error
        for item, clip, measured in zip(job.batch, clips, diagnostics, strict=True):
            if item.key in job.group.owed:
                self._keep(item, clip, edit_seconds / len(job.batch), measured)
        return None

    def _keep(self, item: PlanItem, clip: Clip, seconds: float, diagnostics: Mapping[str, Any]) -> None:
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
                "channels": clip.channels,
                "clipped": clip.clipped,
                "seconds": round(seconds, 4),
            }
            if diagnostics:
                event["diagnostics"] = dict(diagnostics)
            self._journal.append(event)
        self._report(Finished(self._name, item.task))

    def _drain(self, allowed: int) -> list[tuple[Job, Exception]]:
        """Wait until at most `allowed` batches are with the finisher; the batches that it could not decode."""
        failed = []
        while len(self._waiting) > allowed:
            job, future = self._waiting.pop(0)
            with self.stopwatch.time("wait"):
                error = future.result()
            if error is not None:
                failed.append((job, error))
        return failed

    # -- when things go wrong ---------------------------------------------------------------------------------

    def _recover(self, job: Job, error: Exception) -> list[Job]:
        """What to run instead of a batch that failed: smaller batches, single edits, or nothing."""
        owed = [item for item in job.batch if item.key in job.group.owed]
        if len(job.batch) == 1:
            self._fail(owed, error)
            return []
        if is_out_of_memory(error):
            halves = self._halves(job)
            size = self._batch_size = len(halves[0].batch)
            self._journal.append({"event": "batch-size", "size": size, "why": "out of memory"})
            self._report(Note(self._name, f"out of memory with {len(job.batch)} edits at once: going on with {size}"))
            _free_device_memory()
            return halves
        # One task of the batch may be at fault: run them one by one, so that it fails alone.
        return [job._replace(batch=(item,)) for item in owed]

    @staticmethod
    def _halves(job: Job) -> list[Job]:
        half = (len(job.batch) + 1) // 2
        return [job._replace(batch=job.batch[:half]), job._replace(batch=job.batch[half:])]

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
