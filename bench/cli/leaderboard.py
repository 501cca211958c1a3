"""`timbrebench leaderboard`: an append-only store of entries, and the static site that shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.output import output
from bench.errors import UsageError

if TYPE_CHECKING:
    from reports.leaderboard.store import Stored

app = typer.Typer(help="Keep entries, and build the site that ranks them.", no_args_is_help=True)

Store = Annotated[Path, typer.Option(help="folder of the entry store; made if it is not there")]
StoreHere = Annotated[Path, typer.Option(help="folder of the entry store")]


@app.command("add")
def add(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    run: Annotated[
        Path, typer.Argument(help="scored run directory, as from `timbrebench submit score`", metavar="RUN")
    ],
    store: Store = Path("entries"),
    archive: Annotated[
        Path | None, typer.Option(help="the submission that the run was scored from: makes the entry 'scored'")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="from `timbrebench submit audit`: makes it 'audited', if it was reproduced")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="card.yaml, for a run that is no submission")] = None,
    fingerprints: Annotated[
        Path | None, typer.Option(help="from `submit check --fingerprints`, for later checks against this store")
    ] = None,
    supersedes: Annotated[str | None, typer.Option(help="id of the system's older entry")] = None,
    examples: Annotated[int, typer.Option(min=0, help="tasks whose edits can be heard on the entry's page")] = 0,
) -> None:
    """Add a scored run to the store. What is there already is not added twice; a new audit of it is noted.

    Controls need no card. Nothing is ever changed or removed: a wrong entry is withdrawn.
    """
    from reports.leaderboard.adding import Given
    from reports.leaderboard.adding import add as add_entry
    from reports.submission.card import read_card

    given = Given(
        card=None if card is None else read_card(card),
        archive=archive,
        audit=audit,
        fingerprints=fingerprints,
        supersedes=supersedes,
        examples=examples,
    )
    stored, new = add_entry(run, store, given)
    out = output(context)
    out.give({**_facts(stored), "new": new}, f"{'added' if new else 'is there already'}: {_told(stored)}")


@app.command("withdraw")
def withdraw(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(help="id of the entry", metavar="ENTRY")],
    reason: Annotated[str, typer.Option(help="one line, shown in the history")],
    store: StoreHere = Path("entries"),
) -> None:
    """Take an entry out of all tables. Its record stays, and the history shows why it left."""
    from reports.leaderboard.records import Withdrawn
    from reports.leaderboard.store import Writer
    from reports.submission.model import shown_line

    with Writer(store) as writer:
        if writer.store.entry(entry).withdrawn is None:
            writer.append(Withdrawn(entry=entry, reason=shown_line(reason)))
        stored = writer.store.entry(entry)
    output(context).give(_facts(stored), f"withdrawn: {_told(stored)}: {stored.withdrawn}")


@app.command("check")
def check(
    context: typer.Context,
    store: StoreHere = Path("entries"),
    head: Annotated[
        str | None, typer.Option(help="hash of a record that you noted, as a site shows it: it must be in the history")
    ] = None,
) -> None:
    """Verify every record and every file of a store, and list its entries. The exit code is 3 if anything differs."""
    from reports.leaderboard.store import EntryStore

    opened = EntryStore.open(store)
    if head is not None:
        opened.require_hash(head)
    for stored in opened.entries():
        stored.verify()
    lines = [_told(stored) for stored in opened.entries()]
    last = opened.head
    facts = {"head": last.model_dump() if last else None, "entries": [_facts(each) for each in opened.entries()]}
    summary = f"{len(opened.records)} records, head {last.hash}" if last else "an empty store"
    output(context).give(facts, *lines, summary)


@app.command("build")
def build(
    context: typer.Context,
    entries: Annotated[list[Path], typer.Argument(help="entry stores", metavar="ENTRIES...")],
    out: Annotated[Path, typer.Option(help="folder of the site")] = Path("site"),
    primary: Annotated[
        str | None, typer.Option(help="metric by which rows stand at first  [default: the first with ranks]")
    ] = None,
    players: Annotated[bool, typer.Option(help="players on the entries' pages, where audio was kept")] = True,
    root: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER: where the suite's audio lies, to be heard beside the edits")
    ] = None,
) -> None:
    """Write the static site: tables, pages of entries, history, data. It works from a disk and from any host."""
    from reports.leaderboard.site import build as build_site
    from reports.leaderboard.store import EntryStore

    out_ = output(context)
    built = build_site(
        [EntryStore.open(path) for path in entries],
        out,
        primary=primary,
        players=players,
        roots=_roots(root or []),
        track=out_.track,
    )
    page = built.index.resolve()
    facts: dict[str, Any] = {**vars(built), "index": str(page)}
    out_.give(facts, f"{built.entries} entries on {built.boards} boards, {built.pages} pages -> {page}")


def _roots(pairs: list[str]) -> dict[str, Path]:
    """NAME=FOLDER as a mapping. Which names there are depends on the suites of the entries, so any will do."""
    found = {}
    for text in pairs:
        name, sign, folder = text.partition("=")
        if not (name and sign and folder):
            raise UsageError(
                f"'{text}' is not NAME=FOLDER", where="--root", remedy="Write --root musdb18hq=/data/MUSDB18-HQ."
            )
        found[name] = Path(folder)
    return found


def _told(stored: Stored) -> str:
    added = stored.added
    name = f"{added.card.system} {added.card.version}, {added.card.division}" if added.card else added.label
    if added.card is None:
        state = "control"
    else:
        state = "audited" if stored.audit is not None and stored.audit.reproduced else added.origin
    left = "withdrawn" if stored.withdrawn is not None else "superseded" if stored.superseded_by else ""
    return ", ".join(part for part in (f"{added.entry} {name}", state, left) if part)


def _facts(stored: Stored) -> dict[str, Any]:
    audit = stored.audit
    return {
        **stored.added.model_dump(mode="json", exclude={"files"}),
        "record": stored.number,
        "time": stored.time,
        "audit": audit.model_dump(mode="json") if audit else None,
        "withdrawn": stored.withdrawn,
        "superseded_by": stored.superseded_by,
    }
