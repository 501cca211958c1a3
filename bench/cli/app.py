"""The application: global options, the verbs, and how errors leave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench import __version__
from bench.cli import (
    analyse,
    cache,
    calibrate,
    demo,
    doctor,
    leaderboard,
    listening,
    listing,
    nano,
    report,
    score,
    show,
    submit,
    tasks,
)
from bench.cli import compare as compare_verb
from bench.cli import run as run_verb
from bench.cli.output import Output
from bench.errors import BenchError, UsageError, did_you_mean

_ANYWHERE = ("--json", "--quiet", "--debug")
INTERRUPTED = 130

app = typer.Typer(
    name="timbrebench",
    help="The benchmark for zero-shot, stem-specific timbre transfer in music.",
    epilog="--json, --quiet and --debug may stand anywhere. Every option can come from --config FILE or TIMBREBENCH_*.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "TIMBREBENCH", "help_option_names": ["-h", "--help"]},
)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.command("doctor")(doctor.doctor)
app.add_typer(tasks.app, name="tasks")
app.command("run")(run_verb.run)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("compare")(compare_verb.compare)
app.command("calibrate")(calibrate.calibrate)
app.add_typer(analyse.app, name="analyse")
app.add_typer(submit.app, name="submit")
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(listening.app, name="listening")
app.add_typer(nano.app, name="nano")
app.add_typer(cache.app, name="cache")
app.command("demo")(demo.demo)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"timbrebench {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but results and errors.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    config: Annotated[Path | None, typer.Option(help="YAML file with options, by verb.", envvar=[])] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The benchmark for zero-shot, stem-specific timbre transfer in music."""
    context.obj = Output(json=json, quiet=quiet, debug=debug)
    if config is not None:
        context.default_map = _defaults(config, context)


def _defaults(path: Path, context: typer.Context) -> dict[str, Any]:
    """Options of a configuration file, `{verb: {option: value}}`, checked against the verbs."""
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            f"cannot read the configuration: {error}", where=str(path), remedy="Give a YAML file."
        ) from error
    commands: dict[str, Any] = context.command.commands  # type: ignore[attr-defined]
    if not isinstance(loaded, dict):
        raise UsageError(
            "the configuration is not a mapping", where=str(path), remedy="Write `run:` and options below it."
        )
    for verb in loaded:
        if verb not in commands:
            raise UsageError(f"there is no verb '{verb}'", where=str(path), remedy=did_you_mean(str(verb), commands))
    return {verb: _options(path, commands[verb], values) for verb, values in loaded.items()}


def _options(path: Path, command: Any, values: Any) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in command.params if parameter.name}
    found = {str(key).replace("-", "_"): value for key, value in (values or {}).items()}
    if hasattr(command, "commands"):
        return found
    for key in found:
        if key not in known:
            raise UsageError(f"{command.name} has no option '{key}'", where=str(path), remedy=did_you_mean(key, known))
    return found


def _hide_variables(command: Any) -> None:
    """Keep the names of environment variables out of the help: the epilog tells the rule."""
    for parameter in command.params:
        parameter.show_envvar = False
    for verb in getattr(command, "commands", {}).values():
        _hide_variables(verb)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    early = [word for word in words if word in _ANYWHERE]
    words = early + [word for word in words if word not in _ANYWHERE]
    out = Output(json="--json" in early, quiet="--quiet" in early, debug="--debug" in early)
    try:
        command = typer.main.get_command(app)
        _hide_variables(command)
        code = command(words, prog_name="timbrebench", standalone_mode=False)
        if code == INTERRUPTED:
            out.say("interrupted: what is finished is kept; the same command goes on from there")
        sys.exit(code if isinstance(code, int) else 0)
    except BenchError as error:
        if out.debug:
            raise
        out.fail(error)
        sys.exit(error.exit_code)
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors: a bad option, a missing argument
            sys.exit(_bad_request(out, error))
        if out.debug:
            raise
        out.fail(
            BenchError(
                f"{type(error).__name__}: {error}",
                remedy="A fault of timbrebench or of a plug-in: run again with --debug and report what it prints.",
            )
        )
        sys.exit(BenchError.exit_code)


def _bad_request(out: Output, error: Any) -> int:
    where = error.ctx.command_path if error.ctx is not None else "timbrebench"
    message = error.format_message()
    if message and "Usage:" not in message:
        out.fail(UsageError(message, where=where, remedy=f"See `{where} --help`."))
    else:  # no argument at all: the message is the help
        error.show()
    return UsageError.exit_code
