"""What must be said under a table: generated from the runs, so that no table can be made without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reports.load import RunReport
from reports.model import Column, Note

FEW_SONGS = 10
"""Below this many clusters, percentile intervals of a cluster bootstrap are clearly too narrow."""

_SHOWN_REASONS = 3
_REASON_LENGTH = 160


def section_notes(
    runs: Sequence[RunReport], labels: Sequence[str], columns: Sequence[Column], marks: Mapping[str, str]
) -> tuple[Note, ...]:
    """All notes of a section, those that limit what its numbers mean first."""
    return (
        *_untrained(runs, labels),
        *_few_songs(runs),
        *_changed_since(runs, labels),
        *_missing(runs, marks),
        *_absent(runs, labels),
        *_identities(columns),
        _reading(),
        *_given(runs, labels),
        *_licences(runs),
    )


def _reading() -> Note:
    return Note(
        "Cells: mean [95 % interval, bootstrap over songs], over the edits and songs of the row unless the cell says "
        "otherwise. Bold: the best value, if its interval overlaps no other method's or baseline's and it rests on no "
        "fewer edits. Controls are not ranked."
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


def _few_songs(runs: Sequence[RunReport]) -> Iterator[Note]:
    songs = len({item.song for item in runs[0].directory.plan})
    if songs == 1:
        yield Note("Only 1 song: there is no interval, and nothing can be told apart.", warns=True)
    elif songs < FEW_SONGS:
        yield Note(f"Only {songs} songs: intervals are rough, and likely too narrow.", warns=True)


def _changed_since(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    for run, label in zip(runs, labels, strict=True):
        done = sum(outcome.status == "generated" for outcome in run.directory.outcomes().values())
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
        if any(estimate.missing for estimate in run.estimates):
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
        if run.coverage.absent:
            reasons: Counter[str] = Counter()
            for why, number in run.coverage.absences.items():
                reasons[why.partition(": ")[0]] += number
            ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            text = "; ".join(f"{why} ({number:,})" for why, number in ranked)
            by_text.setdefault(f"{run.coverage.absent:,} tasks of the suite have no audio: {text}.", []).append(label)
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


def _given(runs: Sequence[RunReport], labels: Sequence[str]) -> Iterator[Note]:
    """What each system was given beside the mixture: a method with true stems and one without do not do the same."""
    users: dict[str, list[str]] = {}
    for run, label in zip(runs, labels, strict=True):
        needs = ", ".join(sorted(need.replace("-", " ") for need in run.about.needs if need != "backbone"))
        users.setdefault(needs or "nothing", []).append(label)
    if users.keys() != {"nothing"}:
        given = "; ".join(f"{needs} to {', '.join(who)}" for needs, who in users.items())
        yield Note(f"Given beside the mixture: {given}.")


def _licences(runs: Sequence[RunReport]) -> Iterator[Note]:
    licences = sorted({licence for run in runs for licence in run.about.licences})
    if licences:
        yield Note(f"Licences: {'; '.join(licences)}.")
