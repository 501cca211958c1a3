"""Every rule that a submission can break: its code, how grave it is, what it says and what to do.

`docs/submissions.md` has the same table; a test holds the two together. Codes are stable: scripts and people's notes
name them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reports.escape import clean
from reports.submission.model import Finding, Severity

MOST = 100
"""Findings of one code that are listed one by one. A hostile archive could have a hundred thousand."""

_SHOWN = 400  # characters of what and where

_PACK = "Pack it again with `timbrebench submit pack`."
_AUDIO = "Make the edit again, or declare it as failed with the reason."
_EXPORT = "Export it as plain WAV or FLAC; `timbrebench submit pack` does."
_CARD = "Correct the field in card.yaml and pack again; `docs/submissions.md` lists the fields."


@dataclass(frozen=True)
class Rule:
    """One rule. `says`: what breaking it means, for the table in the documentation."""

    code: str
    severity: Severity
    says: str
    remedy: str


_ALL: Final = (
    # -- the archive
    Rule("archive/format", "error", "not a .zip file from its first byte on", _PACK),
    Rule("archive/damaged", "error", "damaged, cut off, or contradicting itself", "Upload it again, or pack it again."),
    Rule("archive/crc", "error", "a member does not have its checksum", "Upload it again, or pack it again."),
    Rule("archive/too-large", "error", "the file, a member or all of them are larger than allowed", _PACK),
    Rule("archive/too-many", "error", "more members than any plan has", _PACK),
    Rule("archive/ratio", "error", "a member unpacks to over 100 times its size", _PACK),
    Rule("archive/overlap", "error", "two members share their bytes, or one lies outside the file", _PACK),
    Rule("archive/unsafe-name", "error", "a name is absolute, leads out of the archive or does not show", _PACK),
    Rule("archive/link", "error", "a member is a link or a device", _PACK),
    Rule("archive/encrypted", "error", "a member is encrypted", "Pack it without a password."),
    Rule("archive/compression", "error", "a member is neither stored nor deflated", _PACK),
    Rule("archive/duplicate", "error", "one name is there twice", _PACK),
    Rule("archive/colliding", "error", "two names are one file where case or Unicode forms are ignored", _PACK),
    Rule("archive/nested", "error", "a member is an archive itself", "Leave it out: audio and submission.json only."),
    Rule("archive/unexpected", "error", "a member that the plan does not name", "Leave it out, or correct its name."),
    Rule("archive/missing", "error", "a member that an entry names is not there, or not usable", _PACK),
    # -- submission.json
    Rule("json/missing", "error", "there is no submission.json", _PACK),
    Rule("json/too-large", "error", "submission.json is larger than any plan makes it", _PACK),
    Rule("json/malformed", "error", "submission.json is not strict JSON: UTF-8, no NaN, no name twice", _PACK),
    Rule("json/nested", "error", "submission.json is nested too deeply", _PACK),
    Rule("json/schema", "error", "another version of the format", "Pack it with this version of timbrebench."),
    Rule("json/field", "error", "a field is absent, unknown, of another type or out of range", _PACK),
    Rule("card/field", "error", "a field of the card is absent, unknown, not plain text or out of range", _CARD),
    Rule("card/base-model", "error", "the card's hash of the base model is not that of the run", _CARD),
    Rule("card/no-hash", "warning", "a base model without the hash of its weights", "Give its sha256 in card.yaml."),
    # -- the plan
    Rule(
        "plan/suite",
        "error",
        "the edits are of another suite than the one it is checked against",
        "Run the suite that the leaderboard names, whole: without --only and --limit.",
    ),
    Rule("plan/missing", "error", "a (task, seed) of the plan has no entry", "Edit it, or declare it as failed."),
    Rule("plan/unknown", "error", "an entry for a task that the suite does not have", "Leave it out."),
    Rule("plan/twice", "error", "two entries for one (task, seed)", "Leave one out."),
    Rule("plan/digest", "error", "the plan's hash is not that of the suite with these seeds", _PACK),
    Rule("plan/nothing", "error", "every edit is declared as failed", "Submit a system that makes audio."),
    Rule("plan/failures", "warning", "edits are declared as failed", "They count as failed: make them if you can."),
    Rule("seeds/undeclared", "error", "an entry has a seed that the card does not declare", "Declare all seeds used."),
    Rule(
        "seeds/identical",
        "warning",
        "the edits of all seeds are the same",
        "Submit one seed if the system draws no random numbers.",
    ),
    Rule("entry/member-name", "error", "an entry names its member otherwise than the format does", _PACK),
    Rule("entry/hash", "error", "a member does not have the sha256 that its entry claims", _PACK),
    # -- audio
    Rule("audio/unreadable", "error", "neither WAV nor FLAC", _EXPORT),
    Rule("audio/header", "error", "a header with more, or other, than plain WAV and FLAC have", _EXPORT),
    Rule("audio/header-differs", "error", "the samples are not what the header claims", _EXPORT),
    Rule("audio/truncated", "error", "cut off", _EXPORT),
    Rule("audio/damaged", "error", "the samples cannot be decoded", _EXPORT),
    Rule("audio/no-length", "error", "a FLAC that does not say how long it is", _EXPORT),
    Rule("audio/empty", "error", "no samples", _AUDIO),
    Rule("audio/channels", "error", "more than two channels", "Mix it down to one or two channels."),
    Rule("audio/rate", "error", "a rate outside 8 to 192 kHz", "Resample it."),
    Rule("audio/too-long", "error", "longer than any excerpt", "Cut it to the source's length."),
    Rule("audio/wrong-length", "error", "over 50 ms longer or shorter than its source", "Cut or pad it to that."),
    Rule("audio/non-finite", "error", "NaN or infinite samples", _AUDIO),
    Rule("audio/silent", "error", "silence, or 80 dB under full scale at its loudest", _AUDIO),
    Rule("audio/clipped", "warning", "over 0.1 % of the samples at full scale", "Export it at a lower level."),
    Rule("audio/clipped-through", "error", "over 5 % of the samples at full scale", "Export it at a lower level."),
    Rule("audio/timeout", "error", "decoding takes too long", _EXPORT),
    Rule("audio/memory", "error", "decoding takes too much memory", _EXPORT),
    Rule("audio/crash", "error", "it ends the decoder", _EXPORT),
    Rule("audio/gave-up", "error", "not decoded, because others took too much", "Mend those first."),
    # -- copies
    Rule(
        "copy/source",
        "error",
        "over a tenth of the edits are copies of their source",
        "Submit edits. If the system fails to edit these, declare them as failed.",
    ),
    Rule("copy/source-some", "warning", "some edits are copies of their source", "Look at them: nothing was edited."),
    Rule(
        "copy/entry",
        "error",
        "over a tenth of the edits are those of another entry",
        "Submit your own edits. If the other is an older entry of yours, leave it out of those compared with.",
    ),
    Rule("copy/entry-some", "warning", "some edits are those of another entry", "Say in the card why that is so."),
    Rule("copy/repeated", "warning", "one recording stands for edits of several tasks", "Check that this is meant."),
    # -- what could not be checked
    Rule(
        "check/no-suite",
        "warning",
        "plan, lengths and copies were not checked: no suite was given",
        "Give the suite's task file with --tasks FILE.",
    ),
    Rule(
        "check/no-source",
        "warning",
        "copies of the source were not looked for: its audio is not here",
        "Say where the suite's audio is with --root NAME=FOLDER.",
    ),
    Rule(
        "check/limits",
        "warning",
        "this system cannot limit the decoder's memory or CPU",
        "Check hostile submissions on Linux, in a container.",
    ),
)

RULES: Final = MappingProxyType({rule.code: rule for rule in _ALL})


class Findings:
    """Collects what is found: all of it, but not more than `MOST` of one kind."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._count: Counter[str] = Counter()

    def add(self, code: str, where: str, what: str, remedy: str | None = None) -> None:
        """Note a finding. The texts may hold names from the submission; they are cleaned here."""
        rule = RULES[code]
        self._count[code] += 1
        if self._count[code] <= MOST:
            shown, told = _short(where), _short(what)
            finding = Finding(code=code, severity=rule.severity, where=shown, what=told, remedy=remedy or rule.remedy)
            self._found.append(finding)

    @property
    def any_error(self) -> bool:
        """Whether the submission is refused."""
        return any(finding.severity == "error" for finding in self._found)

    def all(self) -> tuple[Finding, ...]:
        """Errors first, each kind together in the order in which it was found."""
        rest = [
            Finding(
                code=code,
                severity=RULES[code].severity,
                where="",
                what=f"and {count - MOST:,} more of this kind",
                remedy=RULES[code].remedy,
            )
            for code, count in self._count.items()
            if count > MOST
        ]
        order = {code: number for number, code in enumerate(RULES)}
        return tuple(sorted([*self._found, *rest], key=lambda each: (each.severity != "error", order[each.code])))


def _short(text: str) -> str:
    shown = clean(text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
