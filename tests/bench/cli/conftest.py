"""The command line, called as the entry point calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.cli import catalogue
from bench.cli.app import run as run_cli
from bench.registry import Registry
from bench.suite import SuiteBuilder


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run `timbrebench …` in this process, in an empty folder."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)

    def call(*words: Any) -> Result:
        with pytest.raises(SystemExit) as ended:
            run_cli([str(word) for word in words])
        captured = capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0, captured.out, captured.err)

    return call


@pytest.fixture
def tones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The suite `tones` is registered; returns the folder of its audio, which the environment names."""
    entries = catalogue.suites

    def with_tones() -> Registry[SuiteBuilder]:
        registry = entries()
        registry.add("tones", "cli_suites:Tones", "half a second of tones")
        return registry

    monkeypatch.setattr(catalogue, "suites", with_tones)
    monkeypatch.setenv("TIMBREBENCH_TASKS_BUILD_FOLDER", str(tmp_path / "tones"))
    return tmp_path / "tones"
