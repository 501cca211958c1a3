"""Run: plan, lock, resume, and hand the work to one worker or to several.

With one device the worker is this process. With several, each is a process of its own (spawned: CUDA does not
survive a fork), fed from one queue of groups and heard through one queue of events. Each writes its own
journal; nothing is gathered at the end, so a lost worker costs the batch that it was working on.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

from bench.backbone import Backbone
from bench.errors import UsageError
from bench.method import Method
from bench.runner.progress import Event, Listener, Note, Silent
from bench.runner.spec import RunSpec, needs_backbone
from bench.runner.work import Group, groups
from bench.runner.worker import Worker
from bench.store.rundir import RunDirectory

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        expected, before, generated, failed, pending: edits planned, there before, made now, failed, still owed.
        quarantined: damaged files that were set aside. resumed: whether the directory was there before.
        clipped: samples beyond full scale, lost in the files of all edits, and as a share of all samples.
    """

    expected: int
    before: int
    generated: int
    failed: int
    pending: int
    quarantined: int
    resumed: bool
    clipped: int
    clipped_share: float

    @property
    def complete(self) -> bool:
        """Whether every expected edit is there."""
        return self.before + self.generated == self.expected


def run(spec: RunSpec, config: Method.Config, listener: Listener | None = None) -> RunResult:
    """Make every edit that `spec` expects and that is not there yet.

    Raises:
        LockedError: if another process is at work in the directory.
        IdentityError: if the directory holds another run.
        ModelError: if the backbone's weights are absent.
    """
    listener = listener or Silent()
    with ExitStack() as stack:
        lock = RunDirectory.lock(spec.out)
        if spec.out.exists():  # whoever is at work there is noticed before anything is loaded
            stack.enter_context(lock)
        # Several workers load their own backbones; here it is loaded to know its identity.
        alone = len(spec.devices) == 1
        backbone = (
            spec.load_backbone(spec.devices[0] if alone else "cpu") if needs_backbone(spec.method_class()) else None
        )
        identity, about = spec.identity(config, backbone), spec.about(backbone)
        if not lock.held:  # a run that could not begin has left no folder
            stack.enter_context(lock)
        directory = RunDirectory.create_or_resume(
            spec.out,
            identity=identity,
            about=about,
            plan=spec.plan(),
            suite=spec.suite,
        )
        quarantined = len(directory.quarantine_corrupt())
        outcomes = directory.outcomes()
        before = sum(outcome.status == "generated" for outcome in outcomes.values())
        listener.start(str(directory.about["label"]), len(directory.plan), before)
        try:
            work = groups(directory.plan, outcomes)
            if alone:
                _run_here(spec, directory, config, work, listener, backbone)
            elif work:
                del backbone
                _run_spawned(spec, directory, config, work, listener)
        finally:
            listener.stop()
        outcomes = directory.outcomes()
    after = [outcome.status for outcome in outcomes.values()]
    made = [outcome.event for outcome in outcomes.values() if outcome.status == "generated" and outcome.event]
    clipped = sum(event.get("clipped", 0) for event in made)
    return RunResult(
        expected=len(after),
        before=before,
        generated=after.count("generated") - before,
        failed=after.count("failed"),
        pending=after.count("pending"),
        quarantined=quarantined,
        resumed=directory.resumed,
        clipped=clipped,
        clipped_share=clipped / max(1, sum(event.get("samples", 0) * event.get("channels", 1) for event in made)),
    )


def _run_here(
    spec: RunSpec,
    directory: RunDirectory,
    config: Method.Config,
    work: Sequence[Group],
    listener: Listener,
    backbone: Backbone | None,
) -> None:
    if not work:
        return
    share_cores(spec.devices)
    worker = Worker(spec, directory, config, name="w0", device=spec.devices[0], report=listener.hear, backbone=backbone)
    try:
        for group in work:
            worker.run(group)
        worker.flush()
    finally:
        worker.close()


def _run_spawned(
    spec: RunSpec, directory: RunDirectory, config: Method.Config, work: Sequence[Group], listener: Listener
) -> None:
    spawn = get_context("spawn")
    todo: Any = spawn.Queue()
    events: Any = spawn.Queue()
    for group in work:
        todo.put(group)
    for _ in spec.devices:
        todo.put(None)
    workers = [
        spawn.Process(target=_work, args=(spec, config, f"w{index}", device, todo, events), daemon=True)
        for index, device in enumerate(spec.devices)
    ]
    for process in workers:
        process.start()
    try:
        while any(process.is_alive() for process in workers):
            with contextlib.suppress(queue.Empty):
                listener.hear(events.get(timeout=_POLL_SECONDS))
        with contextlib.suppress(queue.Empty):
            while True:
                listener.hear(events.get(timeout=_POLL_SECONDS))
    finally:
        for process in workers:  # all have ended, unless this is an exception: then none may outlive the lock
            process.terminate()
            process.join()
    for index, process in enumerate(workers):
        if process.exitcode:
            listener.hear(Note(f"w{index}", f"worker w{index} on {spec.devices[index]} ended with {process.exitcode}"))


def _work(spec: RunSpec, config: Method.Config, name: str, device: str, todo: Any, events: Any) -> None:
    """A worker process: takes groups until there are none, and never outlives the run that holds the lock."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends its workers
    threading.Thread(target=_die_with_parent, daemon=True).start()
    share_cores(spec.devices)

    def report(event: Event) -> None:
        events.put(event)

    worker = Worker(spec, RunDirectory.open(spec.out), config, name=name, device=device, report=report)
    try:
        while (group := todo.get()) is not None:
            worker.run(group)
        worker.flush()
    finally:
        worker.close()


def share_cores(devices: Sequence[str]) -> None:
    """Leave each CPU worker's two busy threads, editing and decoding, a fair part of the cores.

    Torch takes all cores for each of them otherwise, and threads that spin while they wait for a core make
    everything several times slower. OMP_NUM_THREADS, where it is set, is the user's own choice.
    """
    import torch

    workers = sum(device == "cpu" for device in devices)
    if workers and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // (2 * workers)))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def resolve_devices(request: str) -> tuple[str, ...]:
    """Torch devices from "auto", "cpu", "cuda:1" or a list "cuda:0,cuda:1".

    "auto" is every CUDA device there is, else the CPU.

    Raises:
        UsageError: for a device this machine does not have.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if request == "auto":
        return tuple(f"cuda:{index}" for index in range(count)) or ("cpu",)
    known = {"cpu", *(f"cuda:{index}" for index in range(count))}
    devices = tuple("cuda:0" if name.strip() == "cuda" else name.strip() for name in request.split(","))
    for name in devices:
        if name not in known:
            raise UsageError(
                f"there is no device '{name}' here",
                remedy=f"This machine has: {', '.join(sorted(known))}.",
                code="no-device",
            )
    return devices
