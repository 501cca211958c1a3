"""What must be said under a table: generated from the runs, so that no table can be made without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reports.cells import number
from reports.composite import notes as derived_from
from reports.load import RunReport
from reports.model import Column, Group, Note, count

FEW_SONGS = 10
"""Below this many clusters, percentile intervals of a cluster bootstrap are clearly too narrow."""

_FEW, _ONE = "‡", "§"
_ONE_SONG = "Only 1 song: there is no interval, and nothing can be told apart."
_SHOWN_REASONS = 3
_REASON_LENGTH = 160


def section_notes(
    runs: Sequence[RunReport], labels: Sequence[str], columns: Sequence[Column], marks: Mapping[str, str]
) -> tuple[Note, ...]:
    """All notes of a section, those that limit what its numbers mean first."""
    return (
        *_only(runs),
        *_untrained(runs, labels),
        *_caveats(runs),
        *_few_songs(runs),
        *_changed_since(runs, labels),
        *_missing(runs, marks),
        *_absent(runs, labels),
        *_identities(columns),
        _reading(),
        *_sets(runs, labels, columns),
        *map(Note, derived_from(columns)),
        *_given(runs, labels),
        *_status(runs, labels),
        *_clipped(runs, labels),
        *_licences(runs),
    )


def split_notes(
    parts: Sequence[RunReport], groups: Sequence[Group], marks: Mapping[str, str], *, overlapping: bool
) -> tuple[Note, ...]:
    """The notes of a split, beside those of its section.

    Args:
        parts: the runs of all groups.
        groups: as they stand in the table.
        marks: of codes by which values are missing here and not in the section.
        overlapping: whether a task is in several groups.
    """
    found = {group.mark for group in groups}
    few = {_ONE: _ONE_SONG, _FEW: f"Fewer than {FEW_SONGS} songs: intervals are rough, and likely too narrow."}
    notes = [Note(text, mark=mark, warns=True) for mark, text in few.items() if mark in found]
    if overlapping:
        notes.append(Note("A task may be in several groups, so the groups add up to more than the whole."))
    notes.append(Note("Bold: by the rule above, within the group; not corrected for the number of groups."))
    return (*notes, *_missing(parts, marks))


def group_mark(songs: int) -> str:
    """The mark of the note that a group of so few songs needs, or nothing."""
    return _ONE if songs == 1 else _FEW if songs < FEW_SONGS else ""


def _reading() -> Note:
    return Note(
        "Cells: mean [95 % interval, bootstrap over songs], over the edits and songs of the row unless the cell says "
        "otherwise. Bold: the best value, if its interval overlaps no other method's or baseline's and it rests on no "
        "fewer edits. Controls are not ranked."
    )


def _sets(runs: Sequence[RunReport], labels: Sequence[str], columns: Sequence[Column]) -> Iterator[Note]:
    """For each metric on whole sets: how many clips they have, and how far apart two halves of the reference are."""
    for column in columns:
        found: dict[str, list[str]] = {}
        for run, label in zip(runs, labels, strict=True):
            mine = (estimate for estimate in run.estimates if estimate.identity == column.identity)
            for estimate in (e for e in mine if e.reference_n is not None and e.mean is not None):
                floor = "none" if estimate.floor is None else number(estimate.floor, column)
                numbers = f"{estimate.n:,} against {estimate.reference_n:,}, floor {floor}"
                found.setdefault(numbers, []).append(label)
        if found:
            each = "; ".join(f"{numbers} ({', '.join(users)})" for numbers, users in found.items())
            yield Note(
                f"{column.heading} has one value for a run, and its interval leaves songs out in turn. Clips in the "
                "two sets, and the floor, the value of two halves of the reference: "
                f"{each if len(found) > 1 else next(iter(found))}."
            )


def _untrained(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    named: dict[tuple[str, str], list[str]] = {}
    for run, label in zip(runs, labels, strict=True):
        backbone = run.identity.backbone
        if backbone is not None and backbone.untrained:
            named.setdefault((backbone.name, backbone.untrained), []).append(label)
    for (name, which), users in named.items():
        yield Note(
            f"Untrained weights in backbone {name}: {which}. The numbers of {', '.join(users)} show that the road "
            "works; they say nothing about a method.",
            mark="†",
            warns=True,
        )


def _caveats(runs: Sequence[RunReport]) -> Iterator[Note]:
    backbones = (run.identity.backbone for run in runs)
    yield from map(Note, dict.fromkeys(backbone.caveat for backbone in backbones if backbone and backbone.caveat))


def _few_songs(runs: Sequence[RunReport]) -> Iterator[Note]:
    songs = len({item.song for item in runs[0].plan})
    if songs == 1:
        yield Note(_ONE_SONG, warns=True)
    elif songs < FEW_SONGS:
        yield Note(f"Only {songs} songs: intervals are rough, and likely too narrow.", warns=True)


def _only(runs: Sequence[RunReport]) -> Iterator[Note]:
    if runs[0].only:
        planned = len(runs[0].directory.plan)
        yield Note(f"Only tasks like {runs[0].only}: {len(runs[0].plan):,} of {count(planned, 'edit')}.", warns=True)


def _changed_since(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    for run, label in zip(runs, labels, strict=True):
        done = sum(outcome.status == "generated" for outcome in run.outcomes.values())
        if done != run.coverage.generated:
            yield Note(
                f"Out of date: {label} was scored with {run.coverage.generated} edits and has {done} now. "
                f"Score it again.",
                warns=True,
            )


def _missing(runs: Sequence[RunReport], marks: Mapping[str, str]) -> Iterator[Note]:
    """One note a code, with the reasons recorded beside the values."""
    reasons: dict[str, Counter[str]] = {code: Counter() for code in marks}
    for run in runs:
        for estimate in run.estimates:
            for code, why in estimate.reasons.items():
                if code in reasons:
                    reasons[code][why] += estimate.missing.get(code, 0)
        if any(code in reasons for estimate in run.estimates if not estimate.corpus for code in estimate.missing):
            rows = run.scores.loc[run.scores["missing"].notna(), ["missing", "why"]]
            for code, why in rows.itertuples(index=False, name=None):
                if code in reasons and isinstance(why, str):
                    reasons[code][why] += 1
    for code, mark in marks.items():
        yield Note(": ".join(filter(None, [f"Missing, {code}", _listed(reasons[code])])), mark=mark)


def _listed(reasons: Counter[str]) -> str:
    """The commonest reasons, longest cut, with counts if there are several."""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = [why if len(why) <= _REASON_LENGTH else f"{why[:_REASON_LENGTH]}…" for why, _ in ranked[:_SHOWN_REASONS]]
    if len(ranked) == 1:
        return shown[0]
    text = "; ".join(f"{why} ({n})" for why, (_, n) in zip(shown, ranked, strict=False))
    left = len(ranked) - len(shown)
    return f"{text}; and {left} more reasons" if left > 0 else text


def _absent(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    """Tasks of the suite that have no audio here, once if all runs agree (they do, if they ran one suite).

    Reasons that differ only after a colon (``audio not found: TRACK``) are counted together.
    """
    by_text: dict[str, list[str]] = {}
    for run, label in zip(runs, labels, strict=True):
        if run.coverage.absences:
            reasons: Counter[str] = Counter()
            for why, number in run.coverage.absences.items():
                reasons[why.partition(": ")[0]] += number
            ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            text = "; ".join(f"{why} ({number:,})" for why, number in ranked)
            by_text.setdefault(f"{sum(reasons.values()):,} tasks of the suite have no audio: {text}.", []).append(label)
    for text, users in by_text.items():
        who = "Not run" if len(users) == len(runs) else f"Not run by {', '.join(users)}"
        yield Note(f"{who}: {text}", warns=True)


def _identities(columns: Sequence[Column]) -> Iterator[Note]:
    """For each metric with several identities: in what they differ, since their columns cannot be compared."""
    by_name: dict[str, list[Column]] = {}
    for column in columns:
        by_name.setdefault(column.name, []).append(column)
    for name, twins in by_name.items():
        if len(twins) > 1:
            parts = [_parts(column.identity) for column in twins]
            own = [
                ", ".join(part for part in mine if any(part not in other for other in parts)) or "no more"
                for mine in parts
            ]
            text = "; ".join(f"{column.heading} has {what}" for column, what in zip(twins, own, strict=True))
            yield Note(f"Not comparable: {name} was computed in {len(twins)} ways: {text}.", warns=True)


def _parts(identity: str) -> list[str]:
    """``name@1[16 kHz, gate -40 dB]`` as ``["name@1", "16 kHz", "gate -40 dB"]``."""
    head, _, parameters = identity.partition("[")
    return [head, *(part.strip() for part in parameters.removesuffix("]").split(","))]


def _status(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    """How methods stand to what is published, where that is not plain."""
    for run, label in zip(runs, labels, strict=True):
        if run.about.status:
            yield Note(f"{label} is no published code: {run.about.status}.")


def _given(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    """What each system was given beside the mixture: a method with true stems and one without do not do the same."""
    users: dict[str, list[str]] = {}
    for run, label in zip(runs, labels, strict=True):
        needs = ", ".join(sorted(need.replace("-", " ") for need in run.about.needs if need != "backbone"))
        users.setdefault(needs or "nothing", []).append(label)
    if users.keys() != {"nothing"}:
        given = "; ".join(f"{needs} to {', '.join(who)}" for needs, who in users.items())
        yield Note(f"Given beside the mixture: {given}.")


def _clipped(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    found = [(label, run.clipping) for run, label in zip(runs, labels, strict=True)]
    told = [f"{c.clipped:,} of {label} ({_share(c.clipped / c.samples)})" for label, c in found if c and c.clipped]
    if told:
        yield Note(f"Clipped samples, beyond full scale and lost in the audio: {', '.join(told)}.")


def _share(share: float) -> str:
    """A share in percent, two digits of it: ``0.0012 %``, ``3.4 %``, ``17 %``."""
    return f"{float(f'{100 * share:.2g}'):.6g} %"


def _licences(runs: Sequence[RunReport]) -> Iterator[Note]:
    licences = sorted({licence for run in runs for licence in run.about.licences})
    if licences:
        yield Note(f"Licences: {'; '.join(licences)}.")
