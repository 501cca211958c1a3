"""Steps 2 and 3: a version of a method, installed, run on the suite, scored. It runs code that nobody has reviewed."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

from workflow import annotate, call, leave

from bench.errors import IncompleteError, UsageError

ROOT = Path(__file__).resolve().parents[1]
INCOMPLETE = IncompleteError.exit_code


def main() -> int:
    """Install, build the suite, run, score."""
    options = _options()
    if options.package:
        install(options.source / options.package)
    # By its script and not `python -m`, which would look for modules in the repository under test first.
    command, run = str(options.timbrebench), str(options.out)
    tasks = f"{run}.tasks.jsonl"
    accepted(call([command, "tasks", "build", options.suite, "--out", tasks]))
    seeds = [word for seed in options.seeds.split() for word in ("--seed", seed)]
    chosen = ["--tasks", tasks, "--method", options.method, "--backbone", options.backbone, "--out", run]
    made = call([command, "run", *chosen, *seeds, *shlex.split(options.options)])
    if accepted(made, INCOMPLETE) == INCOMPLETE:
        # The comparison says so, with the reasons; it is not for this step to decide what that means.
        annotate("warning", "some edits could not be made: the comparison will be INCOMPLETE")
    accepted(call([command, "score", run, "--metrics", options.metrics]), INCOMPLETE)
    return 0


def install(package: Path) -> None:
    """Install a package over what is there, into the environment that runs this.

    Raises:
        UsageError: `ci/package` if there is none, `ci/install` if that fails.
    """
    if not (package / "pyproject.toml").is_file():
        raise UsageError(
            "there is no package to install: no pyproject.toml",
            where=str(package),
            remedy="Give its folder as `package`, or an empty `package` for a method that timbrebench has.",
            code="ci/package",
        )
    overrides = Path(os.environ.get("RUNNER_TEMP", package)) / "timbrebench-overrides.txt"
    overrides.write_text("".join(f"{line}\n" for line in _overrides()), encoding="utf-8")
    uv = shutil.which("uv") or str(ROOT / ".venv-tools" / "bin" / "uv")
    command = [uv, "pip", "install", "--python", sys.executable, str(package)]
    if call(command, {"UV_OVERRIDE": str(overrides)}) != 0:
        raise UsageError(
            "the package cannot be installed",
            where=str(package),
            remedy="See the log above; `uv pip install` of that folder must work.",
            code="ci/install",
        )


def accepted(code: int, *more: int) -> int:
    """An exit code that is 0, or is accepted besides; ends the step with any other."""
    if code not in (0, *more):
        sys.exit(code)
    return code


def _overrides() -> list[str]:
    """Our requirements that no platform of ours can or needs to fulfil, which a second resolution must not see."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines: list[str] = project["tool"]["uv"]["override-dependencies"]
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the run directory")
    parser.add_argument("--method", required=True, help="a name, or package.module:Class")
    parser.add_argument("--source", type=Path, default=Path.cwd(), help="checkout with the method")
    parser.add_argument("--package", default="", help="folder in it that is installed; empty: none")
    parser.add_argument("--suite", default="ci")
    parser.add_argument("--backbone", default="nano")
    parser.add_argument("--metrics", default="ci")
    parser.add_argument("--seeds", default="0", help="with spaces between")
    parser.add_argument("--options", default="", help="more options of `timbrebench run`, as in a shell")
    parser.add_argument("--timbrebench", type=Path, default=Path(sys.executable).with_name("timbrebench"))
    return parser.parse_args()


if __name__ == "__main__":
    leave(main)
