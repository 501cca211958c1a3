"""`timbrebench submit`: pack a submission, check one from anybody, score it, audit it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.method import Method
    from bench.store.rundir import RunDirectory
    from bench.suite import Suite
    from reports.submission.audit import Audit
    from reports.submission.check import Checked
    from reports.submission.model import Card, Submission
    from reports.submission.pack import Packed
    from reports.submission.prints import Fingerprints

FINGERPRINTS = "fingerprints.json"
"""Name of an entry's fingerprints in an entry store."""

app = typer.Typer(help="Pack, check, score and audit submissions to a leaderboard.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="archive from `timbrebench submit pack`", metavar="FILE")]
Tasks = Annotated[Path | None, typer.Option(help="the suite's task file from `timbrebench tasks build`")]
SuiteName = Annotated[str | None, typer.Option(help="or the suite by name, as synth or synth:50@7")]
Root = Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")]
Entries = Annotated[
    Path | None, typer.Option(help=f"folder with {FINGERPRINTS} of other entries, however deep: copies are found")
]


@app.command("pack")
def pack(
    context: typer.Context,
    audio: Annotated[
        Path, typer.Argument(help="run directory, or folder of audio named by task id", metavar="RUN|DIR")
    ],
    card: Annotated[Path, typer.Option(help="who made the system, from what: see docs/submissions.md")],
    out: Annotated[Path, typer.Option(help="archive to write")] = Path("submission.zip"),
    tasks: Tasks = None,
    suite: SuiteName = None,
    missing: Annotated[
        str | None, typer.Option(help="of a folder: why some tasks have no file; they have failed")
    ] = None,
) -> None:
    """Pack the audio of every task and the card into one archive. The same audio gives the same bytes.

    A run directory says itself which suite it is of; a folder needs --tasks or --suite. A folder for several seeds has
    a folder seed0, seed1, … for each.
    """
    from reports.submission.card import read_card
    from reports.submission.pack import pack_run

    out_, claims = output(context), read_card(card)
    if (audio / "run.json").is_file():
        if tasks or suite or missing:
            raise UsageError(
                "--tasks, --suite and --missing are for folders of audio, and this is a run directory",
                where=str(audio),
                remedy="Leave them out: the run knows its suite and its failures.",
                code="submission/run-options",
            )
        packed = pack_run(audio, claims, out, track=out_.track)
    else:
        packed = _pack_folder(out_, audio, claims, out, _suite(out_, tasks, suite, []), missing)
    facts = {**vars(packed), "path": str(packed.path)}
    failed = f", {packed.failed} declared as failed" if packed.failed else ""
    clipped = f", {packed.clipped:,} samples clipped" if packed.clipped else ""
    out_.give(facts, f"{packed.entries:,} edits{failed}{clipped} -> {out} ({packed.size / 1e6:,.1f} MB)")


def _pack_folder(out: Output, folder: Path, card: Card, archive: Path, suite: Suite, missing: str | None) -> Packed:
    from bench.registry import load_object
    from reports.submission.pack import pack_folder

    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), remedy="Give a run or a folder.", code="no-file")
    audio_files = load_object("baselines.external:audio_files", kind="reader")  # named as `--method external` has it
    of_seed = {seed: folder / f"seed{seed}" if len(card.seeds) > 1 else folder for seed in card.seeds}
    files: Mapping[int, Mapping[str, Path]] = {seed: audio_files(place) for seed, place in of_seed.items()}
    return pack_folder(files, suite, card, archive, missing=missing, track=out.track)


@app.command("check")
def check(
    context: typer.Context,
    file: File,
    tasks: Tasks = None,
    suite: SuiteName = None,
    root: Root = None,
    entries: Entries = None,
    fingerprints: Annotated[
        Path | None, typer.Option(help=f"write the edits' fingerprints here, for an entry store ({FINGERPRINTS})")
    ] = None,
    format_: Annotated[
        Literal["text", "github"], typer.Option("--format", help="text, or github: annotations in a workflow")
    ] = "text",
) -> None:
    """Apply every rule and list all that is wrong, with what to do. The exit code is 0 if accepted, else 5.

    Without the suite (--tasks or --suite) the plan, lengths and copies of the source cannot be checked.
    """
    from reports.submission import show
    from reports.submission.model import InvalidSubmissionError

    out = output(context)
    chosen = _suite(out, tasks, suite, root or []) if tasks or suite else None
    checked = _checked(out, file, chosen, entries)
    if fingerprints is not None and checked.fingerprints is not None:
        checked.fingerprints.write(fingerprints)
    lines = show.github(checked.result) if format_ == "github" else show.text(checked.result)
    out.give(_facts(checked), *lines)
    if not checked.result.accepted:
        raise typer.Exit(InvalidSubmissionError.exit_code)


@app.command("score")
def score(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option(help="run directory to make")],
    tasks: Tasks = None,
    suite: SuiteName = None,
    root: Root = None,
    entries: Entries = None,
    metrics: Annotated[str, typer.Option(help="as of `timbrebench score`")] = "default",
    jobs: Annotated[int, typer.Option(min=0, help="processes; 0 is one a core")] = 0,
    device: Annotated[str, typer.Option(help="of the embedders: auto, cpu, cuda, cuda:1, mps")] = "auto",
) -> None:
    """Compute all scores from the audio, each edit at its source's loudness. Refused submissions are not scored.

    What comes of it is a run directory like any other: `timbrebench report` shows it beside them.
    """
    from bench.cli import score as score_verb
    from reports.submission.score import to_run

    out_ = output(context)
    chosen, absences = _suite_and_absences(out_, tasks, suite, root or [])
    submission = _accepted(out_, file, chosen, entries)
    to_run(file, submission, chosen, out, absences=absences, track=out_.track)
    score_verb.execute(out_, [out], metrics, jobs, device)


@app.command("audit")
def audit(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option(help="JSON file to write")] = Path("audit.json"),
    tasks: Tasks = None,
    suite: SuiteName = None,
    root: Root = None,
    count: Annotated[int, typer.Option(min=1, help="tasks to draw")] = 8,
    draw: Annotated[int, typer.Option(min=0, help="seed of the draw, which also depends on the archive")] = 0,
    method: Annotated[str | None, typer.Option(help="the method, by name  [default: the one it names]")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a knob, instead of the one claimed")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="the backbone, by name  [default: the one it names]")] = None,
    model: Annotated[
        str | None, typer.Option(help="weights: folder or hub id, where the backbone has a choice")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="revision of a hub id")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:1")] = "auto",
    log_mel: Annotated[float, typer.Option(min=0.0, help="tolerance: log-mel distance in dB, at most")] = 1.0,
    si_sdr: Annotated[float, typer.Option(help="tolerance: or SI-SDR in dB, at least")] = 20.0,
    share: Annotated[float, typer.Option(min=0.01, max=1.0, help="of the tasks that must be within")] = 0.9,
    work: Annotated[Path | None, typer.Option(help="keep the edits made here in this folder")] = None,
) -> None:
    """Edit tasks drawn by lot again, and compare with what was submitted. The exit code is 0 if they agree, else 5.

    Method and backbone are those of the submission as installed here: no code comes out of an archive.
    """
    from bench.runner.run import resolve_devices
    from reports.submission.audit import Tolerance
    from reports.submission.audit import audit as audit_submission
    from reports.submission.model import InvalidSubmissionError

    out_ = output(context)
    chosen, _ = _suite_and_absences(out_, tasks, suite, root or [])
    submission = _accepted(out_, file, chosen, None)
    kind, config = _claimed_method(submission, method, set_ or [])
    weights = {"model": model, "revision": revision, "dtype": dtype}
    rerun = _Rerun(kind, config, _claimed_backbone(submission, backbone), weights, resolve_devices(device), work)
    with rerun:
        found = audit_submission(
            file,
            submission,
            chosen,
            rerun,
            count=count,
            seed=draw,
            tolerance=Tolerance(log_mel_db=log_mel, si_sdr_db=si_sdr, share=share),
        )
    found.write(out)
    out_.give(found.model_dump(mode="json", by_alias=True), *_audit_told(found), f"-> {out}")
    if not found.reproduced:
        raise typer.Exit(InvalidSubmissionError.exit_code)


# -- what several of them do ------------------------------------------------------------------------------------------


def _suite(out: Output, tasks: Path | None, suite: str | None, roots: list[str]) -> Suite:
    return _suite_and_absences(out, tasks, suite, roots)[0]


def _suite_and_absences(
    out: Output, tasks: Path | None, suite: str | None, roots: list[str]
) -> tuple[Suite, dict[str, int]]:
    """The suite as `timbrebench run` would take it: the tasks that have audio, and how many have none."""
    from bench.cli.selection import choose_suite

    return choose_suite(tasks, suite, only=None, limit=None, roots=roots, track=out.track)


def _checked(out: Output, file: Path, suite: Suite | None, entries: Path | None) -> Checked:
    from reports.submission.check import check as check_file

    return check_file(file, suite, _entries(entries), track=out.track)


def _entries(folder: Path | None) -> list[Fingerprints]:
    """The fingerprints below a folder."""
    from reports.submission.prints import Fingerprints

    if folder is None:
        return []
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), remedy="Give --entries FOLDER.", code="no-file")
    return [Fingerprints.read(path) for path in sorted(folder.rglob(FINGERPRINTS))]


def _accepted(out: Output, file: Path, suite: Suite, entries: Path | None) -> Submission:
    """The submission, if it breaks no rule; else all that it breaks is told first."""
    from reports.submission import show

    checked = _checked(out, file, suite, entries)
    if not checked.result.accepted:
        for line in show.text(checked.result):
            out.say(line)
    return checked.require()


def _facts(checked: Checked) -> dict[str, Any]:
    result = checked.result
    card = result.submission.card.model_dump(mode="json") if result.submission else None
    return {"accepted": result.accepted, **result.model_dump(mode="json", exclude={"submission"}), "card": card}


# -- audits -----------------------------------------------------------------------------------------------------------


class _Rerun:
    """Runs the method on tasks that were drawn; a `reports.submission.audit.Rerun`."""

    def __init__(
        self,
        kind: str,
        config: Method.Config,
        backbone: str | None,
        weights: Mapping[str, str | None],
        devices: tuple[str, ...],
        work: Path | None,
    ):
        from tempfile import TemporaryDirectory

        self._kind, self._config, self._backbone = kind, config, backbone
        self._weights, self._devices = weights, devices
        self._scratch = TemporaryDirectory(prefix="timbrebench-audit-") if work is None else None
        self._folder = Path(self._scratch.name) if self._scratch else work or Path()

    def __call__(self, suite: Suite, seed: int) -> RunDirectory:
        """Make, or find, the edits of a suite's tasks with a seed."""
        from bench.cli.run import model_options
        from bench.registry import load_object
        from bench.runner.run import run
        from bench.runner.spec import RunSpec, needs_backbone
        from bench.store.rundir import RunDirectory

        network = self._backbone if needs_backbone(load_object(self._kind, kind="method")) else None
        spec = RunSpec(
            method=self._kind,
            suite=suite,
            out=self._folder / f"seed{seed}",
            backbone=network,
            model=model_options(network, **self._weights),
            seeds=(seed,),
            devices=self._devices,
        )
        run(spec, self._config)
        return RunDirectory.open(spec.out)

    def __enter__(self) -> _Rerun:
        return self

    def __exit__(self, *error: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()


def _claimed_method(submission: Submission, name: str | None, settings: list[str]) -> tuple[str, Method.Config]:
    """The target of the method to audit with, which is one that is registered here, and its configuration.

    Raises:
        UsageError, UnknownNameError: if no method is named, or it is not installed. DataError: for a claim that cannot
            be used.
    """
    from reports.submission.claimed import claimed_config

    claim = submission.made.method if submission.made else {}
    asked = name or claim.get("name")
    if not isinstance(asked, str) or (name is None and ":" in asked):
        raise UsageError(
            "the submission does not name a method that timbrebench has",
            remedy="Name one with --method, if it is installed here; else it cannot be audited.",
            code="submission/no-method",
        )
    entry = catalogue.methods().entry(asked)
    kind = catalogue.methods().get(asked)
    if claim.get("name") != kind.name:
        from bench.cli.run import configured

        return entry.target, configured(kind, None, settings)
    if claim.get("version") != kind.version:
        raise UsageError(
            f"the submission was made by version {claim.get('version')} of {kind.name}, and this is {kind.version}",
            remedy="Audit with the version of timbrebench that the submission names.",
            code="submission/method-version",
        )
    given = dict(text.partition("=")[::2] for text in settings)
    targets = {each.target for each in catalogue.methods().entries()}
    knobs = claim.get("config")
    return entry.target, claimed_config(kind, knobs if isinstance(knobs, Mapping) else {}, given, targets)


def _claimed_backbone(submission: Submission, name: str | None) -> str:
    claim = submission.made.backbone if submission.made else None
    asked = str(name or (claim or {}).get("name") or "nano")
    known = {entry.name for entry in catalogue.backbones().entries()}
    if name is None and asked not in known:
        raise UsageError(
            f"the submission's backbone {asked!r} is not one that is registered here",
            remedy="Name one with --backbone.",
            code="submission/no-backbone",
        )
    return catalogue.backbones().entry(asked).target


def _audit_told(found: Audit) -> list[str]:
    from bench.store.record import differences

    lines = []
    for each in found.tasks:
        mark = "agrees" if each.reproduced else "differs"
        apart = each.why or f"log-mel {each.log_mel_db:.2f} dB, SI-SDR {each.si_sdr_db:.1f} dB"
        lines.append(f"{mark}: {each.task} seed {each.seed}: {apart}")
    if found.claim is not None:
        apart_ = differences(found.claim, found.identity)
        lines += [f"not as claimed: {field}: {claim} there, {here} here" for field, claim, here in apart_]
    verdict = "reproduced" if found.reproduced else "not reproduced"
    limits = f"log-mel {found.tolerance.log_mel_db:g} dB or SI-SDR {found.tolerance.si_sdr_db:g} dB"
    lines.append(f"{verdict}: {found.within} of {found.drawn} drawn from {found.of} are within {limits}")
    return lines
