"""`timbrebench doctor`: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import typer
from rich.markup import escape
from rich.table import Table

from bench import __version__
from bench.cli.output import output
from bench.errors import DataError

PUBLISHED_WEIGHTS = "cvssp/audioldm2"
PUBLISHED_GB = 4.5
LOW_DISK_GB = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing looked for: found, missing (with a remedy), or absent but not needed by the embedded default."""

    what: str
    state: Literal["ok", "optional", "missing"]
    detail: str
    remedy: str = ""


def doctor(context: typer.Context) -> None:
    """Check device, ffmpeg, data sets, cached weights and disk; name a remedy for each miss."""
    found = [check() for check in _CHECKS]
    table = Table(box=None, pad_edge=False, show_header=False)
    marks = {"ok": "[green]ok[/]", "optional": "[yellow]--[/]", "missing": "[red]no[/]"}
    for finding in found:
        table.add_row(marks[finding.state], finding.what, escape(finding.detail))
        if finding.remedy:
            table.add_row("", "", f"[dim]{escape(finding.remedy)}[/]")
    missing = sum(finding.state == "missing" for finding in found)
    verdict = f"{missing} needed things are missing" if missing else "ready: `timbrebench demo` runs the whole road"
    output(context).give({"ready": not missing, "findings": [asdict(f) for f in found]}, table, verdict)
    if missing:
        raise typer.Exit(3)


def _software() -> Finding:
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "diffusers", "transformers", "numpy"))
    return Finding("software", "ok", f"timbrebench {__version__}, Python {platform.python_version()}, {packages}")


def _device() -> Finding:
    import torch

    if not torch.cuda.is_available():
        remedy = "Published models want a GPU with 10 GB or more; the embedded one runs on the CPU."
        return Finding("device", "ok", f"CPU, {os.cpu_count()} cores, no CUDA device", remedy)
    names = [
        f"cuda:{i} {torch.cuda.get_device_name(i)}, {torch.cuda.mem_get_info(i)[1] / 2**30:.0f} GiB"
        for i in range(torch.cuda.device_count())
    ]
    return Finding("device", "ok", "; ".join(names))


def _ffmpeg() -> Finding:
    lacking = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]
    if lacking:
        return Finding(
            "ffmpeg",
            "optional",
            f"{' and '.join(lacking)} not found",
            "Only .stem.mp4 files need it: apt install ffmpeg",
        )
    return Finding("ffmpeg", "ok", str(shutil.which("ffmpeg")))


def _samples() -> Finding:
    from tasks.synth.render import soundfont

    try:
        return Finding("sampled instruments", "ok", soundfont().name)
    except DataError as error:
        return Finding("sampled instruments", "missing", error.cause, error.remedy)


def _folder(what: str, variable: str, inside: str, remedy: str) -> Callable[[], Finding]:
    def check() -> Finding:
        given = os.environ.get(variable)
        if given is None:
            return Finding(what, "optional", f"{variable} is not set", remedy)
        count = len(list((Path(given) / inside).glob("*/"))) if (Path(given) / inside).is_dir() else 0
        if count == 0:
            return Finding(what, "missing", f"{variable}={given} holds no {inside}/", remedy)
        return Finding(what, "ok", f"{given}: {count} songs")

    return check


def _weights() -> Finding:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    remedy = f"For published numbers (about {PUBLISHED_GB:g} GB): hf download {PUBLISHED_WEIGHTS}"
    try:
        cached = {repo.repo_id: repo.size_on_disk for repo in scan_cache_dir().repos}
    except CacheNotFound:
        cached = {}
    if PUBLISHED_WEIGHTS not in cached:
        return Finding("published weights", "optional", f"{PUBLISHED_WEIGHTS} is not in the hub cache", remedy)
    return Finding("published weights", "ok", f"{PUBLISHED_WEIGHTS}: {cached[PUBLISHED_WEIGHTS] / 1e9:.1f} GB cached")


def _disk() -> Finding:
    from bench.store.atomic import free_bytes
    from bench.store.cache import Cache

    folder = Cache().folder
    here, there = (free_bytes(path) / 1e9 for path in (Path.cwd(), folder))
    detail = f"{here:.0f} GB free here, {there:.0f} GB in the cache's folder {folder}"
    if min(here, there) < LOW_DISK_GB:
        return Finding("disk", "optional", detail, "A full PolyEvalPrompts run writes about 0.5 GB a method.")
    return Finding("disk", "ok", detail)


_CHECKS: tuple[Callable[[], Finding], ...] = (
    _software,
    _device,
    _ffmpeg,
    _samples,
    _folder(
        "PolyEvalPrompts", "TIMBREBENCH_TASKS_BUILD_PROMPTS", "musicdelta",
        "Get the folder of that name from github.com/Ltx-Leif/polyphonia and set the variable to it.",
    ),
    _folder(
        "MUSDB18-HQ", "TIMBREBENCH_TASKS_BUILD_MUSDB", "test",
        "Get it at zenodo.org/records/3338373 (23 GB, academic use); set the variable to the folder that holds test/.",
    ),
    _folder(
        "MedleyDB", "TIMBREBENCH_TASKS_BUILD_MEDLEYDB", "Audio",
        "Ask for MedleyDB at zenodo.org/records/1649325 and set the variable to the folder that holds Audio/.",
    ),
    _weights,
    _disk,
)  # fmt: skip
