"""The leaderboard's pages: static, offline, of any number of stores.

```
index.html, board….html          the tables: a page for each board and view
entries/<id>/index.html          an entry: card, provenance, all its numbers, players
history.html                     every record of the stores
data/                            leaderboard.csv and .json, history.json, <id>.csv of each entry's tasks
```

A page that is there is replaced after everything it leads to; pages of an earlier build that are no more are removed
at the end, by the list in its `leaderboard.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import CorruptStoreError, UsageError
from bench.store import strict_json
from bench.store.atomic import make_folder, write_json, write_text, writing
from bench.suite import Track, untracked
from reports import cells
from reports.assets import FOLDER, Assets
from reports.html import frame
from reports.leaderboard import data
from reports.leaderboard.boards import build_boards
from reports.leaderboard.model import DIVISIONS, PROVENANCES, Board, Entry, Leaderboard, Line, Place, View, load_entries
from reports.leaderboard.records import Added, LogRecord
from reports.leaderboard.store import EntryStore, Head
from reports.model import Column
from reports.notes import FEW_SONGS

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates"
_DATA = Path("data") / "leaderboard.json"
_PAGE = re.compile(r"board\d+-\d+-[a-z0-9-]+\.html|entries/[0-9a-f]{16}/index\.html|data/[0-9a-f]{16}\.csv")

SYMBOLS: Mapping[str, str] = {"self-reported": "○", "scored": "◐", "audited": "●"}


@dataclass(frozen=True)
class Built:
    """A site: its first page, and how much is on it."""

    index: Path
    entries: int
    boards: int
    pages: int


def build(
    stores: Sequence[EntryStore],
    out: Path,
    *,
    primary: str | None = None,
    players: bool = True,
    roots: Mapping[str, Path] | None = None,
    track: Track = untracked,
) -> Built:
    """Write the site of some stores into a folder, over an earlier one if there is one.

    Args:
        stores: opened.
        out: the folder; made if it is not there.
        primary: metric by which rows stand at first; by default the first with ranks.
        players: whether entries can be heard, as far as their audio was kept.
        roots: folders of the suites' audio on this machine, for the sources beside the edits.
        track: told how many entries are written.

    Raises:
        UsageError: if there is no entry, an unknown metric, or the folder cannot be written to.
        CorruptStoreError: if a file was changed, or the earlier site was built from another history.
    """
    _check_earlier(stores, out)
    entries = load_entries(tuple(stores))
    if not entries:
        raise UsageError("the stores have no entry", remedy="Add one with `leaderboard add`.", code="leaderboard/empty")
    leaderboard = Leaderboard(build_boards(entries, primary), entries, tuple(stores))
    for folder in (out, out / "data", out / "entries"):
        make_folder(folder)
    pages = []
    for entry in track(entries, "entries", len(entries)):
        pages += _write_entry(leaderboard, entry, out, players=players, roots=roots or {})
    write_text(out / "history.html", _history_page(leaderboard))
    write_text(out / "data" / "leaderboard.csv", data.to_csv(leaderboard))
    write_json(out / "data" / "history.json", data.history(leaderboard))
    views = [(board, view) for board in leaderboard.boards for view in board.views]
    for board, view in reversed(views):  # index.html last
        write_text(out / view.file, _view_page(leaderboard, board, view))
        pages.append(view.file)
    stale = _earlier(out).get("pages", [])
    write_json(out / _DATA, data.to_json(leaderboard, pages))
    _remove(out, set(map(str, stale)) - set(pages))
    return Built(out / "index.html", len(entries), len(leaderboard.boards), len(pages) + 1)


# -- what was there ---------------------------------------------------------------------------------------------------


def _earlier(out: Path) -> dict[str, Any]:
    """`leaderboard.json` of an earlier build; empty if there is none."""
    path = out / _DATA
    try:
        found = strict_json.parse_object(path.read_bytes())
        if found.get("schema") != data.SCHEMA:
            raise ValueError(f"its schema is {found.get('schema')!r}")
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CorruptStoreError(
            f"what an earlier build left cannot be read: {error}",
            where=str(path),
            remedy="Restore the file, or build into another folder.",
            code="corrupt/site",
        ) from error


def _check_earlier(stores: Sequence[EntryStore], out: Path) -> None:
    """See that every history that the site shows goes on in a store that was given.

    Raises:
        CorruptStoreError: if one was rewritten, or left out.
    """
    chains = {store.head.first: store for store in stores if store.head}
    for value in _earlier(out).get("stores", []):
        head = Head.model_validate(value)
        if head.first not in chains:
            raise CorruptStoreError(
                f"the site was built from another store, which begins with {head.first[:16]}…",
                where=str(out),
                remedy="Give that store too, or build into another folder.",
                code="corrupt/site",
            )
        chains[head.first].require(head)


def _remove(out: Path, names: set[str]) -> None:
    """Remove pages of an earlier build, if they are named as ours."""
    with writing(out):
        for name in sorted(names):
            if _PAGE.fullmatch(name):
                (out / name).unlink(missing_ok=True)


# -- pages ------------------------------------------------------------------------------------------------------------


def _render(template: str, **values: Any) -> str:
    return frame.render(
        _TEMPLATES / template,
        more_style=_HERE / "leaderboard.css",
        more_script=_HERE / "leaderboard.js",
        cells=cells,
        symbols=SYMBOLS,
        provenances=PROVENANCES,
        **values,
    )


def _view_page(leaderboard: Leaderboard, board: Board, view: View) -> str:
    return _render(
        "view.html.j2",
        title=f"{board.suite}: {view.name}",
        leaderboard=leaderboard,
        board=board,
        view=view,
        axes=[_Axis.of(view.lines, place) for place in range(len(view.columns))],
        divisions=DIVISIONS,
        few_songs=FEW_SONGS,
    )


def _history_page(leaderboard: Leaderboard) -> str:
    known = {entry.id for entry in leaderboard.entries}
    stores = [
        (store.head, [(record, _named(store, record)) for record in reversed(store.records)])
        for store in leaderboard.stores
    ]
    return _render("history.html.j2", title="History", stores=stores, known=known)


def _named(store: EntryStore, record: LogRecord) -> str:
    """System and version of the entry that a record is about."""
    added = store.entry(record.body.entry).added
    return f"{added.card.system} {added.card.version}" if added.card else added.label


def _write_entry(
    leaderboard: Leaderboard, entry: Entry, out: Path, *, players: bool, roots: Mapping[str, Path]
) -> list[str]:
    """The page and the data of an entry; their names."""
    folder = out / "entries" / entry.id
    assets = Assets(folder / FOLDER)
    make_folder(assets.folder)
    listening = None
    if players and entry.stored.added.examples:
        from reports.html.examples import listen  # draws spectrograms: heavy
        from reports.table import build as table_of

        entry.run.directory.suite = entry.suite.with_roots(roots)
        section = table_of([entry.run]).sections[0]
        listening = listen([entry.run], section, assets.put, limit=entry.stored.added.examples)
    views, lines = _lines_of(leaderboard, entry)
    page = _render(
        "entry.html.j2",
        title=f"{entry.name} {entry.version}".rstrip(),
        entry=entry,
        listening=listening,
        columns=_columns_of(views),
        views=list(zip(views, lines, strict=True)),
        place_of=_place_of,
        events=_events_of(leaderboard, entry),
    )
    table = f"data/{entry.id}.csv"
    write_text(out / table, data.tasks_csv(entry))
    write_text(folder / "index.html", page)
    assets.remove_others()
    return [f"entries/{entry.id}/index.html", table]


def _lines_of(leaderboard: Leaderboard, entry: Entry) -> tuple[list[View], list[Line]]:
    """The views that an entry stands in, and its lines there."""
    views = (view for board in leaderboard.boards for view in board.views)
    found = [(view, line) for view in views for line in view.lines if line.entry.id == entry.id]
    return [view for view, _ in found], [line for _, line in found]


def _columns_of(views: Sequence[View]) -> list[Column]:
    return list(views[0].columns) if views else []


def _place_of(view: View, line: Line, column: Column) -> Place | None:
    """What an entry got from a metric in a view; None where the view has no such column."""
    places = dict(zip((each.identity for each in view.columns), line.places, strict=True))
    return places.get(column.identity)


def _events_of(leaderboard: Leaderboard, entry: Entry) -> list[LogRecord]:
    """The records that name an entry, oldest first."""
    return [
        record
        for store in leaderboard.stores
        for record in store.records
        if record.body.entry == entry.id or (isinstance(record.body, Added) and record.body.supersedes == entry.id)
    ]


@dataclass(frozen=True)
class _Axis:
    """The range of a column, for the little pictures of its intervals."""

    lowest: float
    width: float

    @classmethod
    def of(cls, lines: Sequence[Line], place: int) -> _Axis:
        estimates = [e for line in lines if (e := line.places[place].cell.estimate) is not None]
        ends = [value for e in estimates for value in (e.mean, e.low, e.high) if value is not None]
        return cls(min(ends), max(ends) - min(ends)) if ends else cls(0.0, 0.0)

    def at(self, value: float) -> float:
        """In percent of the picture."""
        return round(4 + 92 * (value - self.lowest) / self.width, 1) if self.width > 0 else 50.0
