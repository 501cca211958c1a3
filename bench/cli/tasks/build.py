"""`timbrebench tasks build`: a suite's tasks, its excerpts and the hashes of its audio, as one file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.output import Output, output
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.suite import Suite

EXTRA = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command that takes options it does not declare: those of the suite."""


def build(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="name of the suite, or name:form, as polyevalprompts:corrected")],
    out: Annotated[Path | None, typer.Option(help="task file to write (JSON lines); without it nothing is")] = None,
) -> None:
    """Build a suite: its tasks, excerpts and the hashes of its audio.

    The suite's own options follow, as `--prompts FOLDER`; `timbrebench show suite NAME` lists them. They can
    also come from the environment, as TIMBREBENCH_TASKS_BUILD_PROMPTS.
    """
    from bench.cli.selection import find_builder

    own = {parameter.name for parameter in context.command.params}
    configured = {key.replace("-", "_"): value for key, value in (context.default_map or {}).items()}
    fields = find_builder(suite)[0].Options.model_fields
    options = _from_words(context.args, {name for name, field in fields.items() if field.annotation is bool})
    execute(output(context), suite, options, out, {k: v for k, v in configured.items() if k not in own})


def execute(
    out: Output,
    suite: str,
    options: Mapping[str, str],
    file: Path | None,
    configured: Mapping[str, Any] | None = None,
) -> None:
    """Build a suite, write its task file and tell what is in it.

    An earlier task file is replaced when the new one is whole, and never by a build that fails.

    Raises:
        UsageError: if something else is where the task file should go; then nothing is built.
    """
    from bench.cli.selection import build_suite
    from bench.cli.tasks import views

    earlier = None if file is None else _earlier(file)
    built = build_suite(suite, options, configured=configured, track=out.track)
    state, told = _write(built, file, earlier)
    out.give({**views.summary(built, file), "state": state}, *views.described(built, out), told)


@dataclass(frozen=True)
class _Earlier:
    """The task file that was there before: its bytes, and the digest that it names."""

    content: bytes
    digest: str


def _earlier(file: Path) -> _Earlier | None:
    """The task file in the place of the new one, if there is any."""
    from bench.store import strict_json
    from bench.store.atomic import make_folder, writing

    make_folder(file.parent)
    with writing(file):
        content = file.read_bytes() if file.exists() else b""
    if not content:
        return None
    try:
        header = strict_json.parse_object(content.partition(b"\n")[0])
    except ValueError:
        header = {}
    if header.get("kind") != "suite":
        raise UsageError(
            f"'{file.name}' is there already, and is not a task file",
            where=str(file),
            remedy="Choose another --out, or remove that file.",
            code="out-taken",
        )
    return _Earlier(content, str(header.get("digest", "")))


def _write(suite: Suite, file: Path | None, earlier: _Earlier | None) -> tuple[str, str]:
    """Write the task file; says what came of it, for programs and for people."""
    from bench.store.atomic import write_bytes

    if file is None:
        return "not-written", "nothing written: --out FILE keeps the tasks, for `timbrebench run --tasks FILE`"
    content = "".join(f"{line}\n" for line in suite.lines()).encode()
    if earlier is not None and earlier.content == content:
        return "unchanged", f"unchanged: {file} holds these tasks already"
    write_bytes(file, content)
    if earlier is None:
        return "written", f"written to {file}"
    if earlier.digest == suite.digest:
        return "unchanged", f"written to {file}: the tasks are unchanged, the folders of their audio are other ones"
    return "replaced", f"written to {file}, in the place of other tasks (digest {earlier.digest[:12]})"


def _from_words(words: list[str], switches: Collection[str]) -> dict[str, str]:
    """`--key value` and `--key=value` of a suite's own options; a switch needs no value."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        key, separator, value = word.partition("=")
        if not key.startswith("--"):
            raise UsageError(f"unexpected '{word}'", remedy="Suite options are --name VALUE.", code="bad-option")
        name = key.removeprefix("--").replace("-", "_")
        if not separator:
            following = "true" if name in switches else next(rest, None)
            if following is None:
                raise UsageError(f"{key} needs a value", remedy=f"Write {key} VALUE.", code="bad-option")
            value = following
        if name in found:
            raise UsageError(f"{key} was given twice", remedy="Leave one of them away.", code="option-twice")
        found[name] = value
    return found
