"""What a submission says of itself (`submission.json`), and what a check says of it.

Everything in a submission is a stranger's claim. The models here decide what may be claimed at all: every field is
named, typed and bounded, every text is one that can be shown. They decide nothing about whether it is true; that is
for `reports.submission.check`. A submission holds audio and these claims, and no scores: scores are always recomputed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from bench.errors import BenchError
from bench.store.outcomes import Key
from reports.escape import clean

SCHEMA: Final = "timbrebench-submission@1"
SUBMISSION: Final = "submission.json"
"""Name of the member of an archive that says what the others are."""

SUFFIXES: Final = (".flac", ".wav")
"""Of audio in an archive."""

Division = Literal["closed", "open", "oracle"]
"""`closed`: zero-shot, with separated stems at most. `open`: anything, said in the card. `oracle`: sees true stems."""

Severity = Literal["error", "warning"]

_MARKUP = re.compile(r"<[A-Za-z/!?]|&[#A-Za-z0-9]+;|javascript:", re.IGNORECASE)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


class InvalidSubmissionError(BenchError):
    """A submission that breaks the rules. What is wrong with it, a `CheckResult` lists."""

    code = "submission"
    exit_code: ClassVar[int] = 5


# -- texts ----------------------------------------------------------------------------------------------------------


def _showable(text: str) -> str:
    """Pages and terminals escape what they show. Text that tries to need it is refused all the same."""
    if any(unicodedata.category(character) in _INVISIBLE for character in text.replace("\n", " ")):
        raise ValueError("it has control characters, or characters without a shape")
    if _MARKUP.search(text):
        raise ValueError("it has markup; write plain text")
    if not text.strip():
        raise ValueError("it is empty")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("it has more than one line")
    return _showable(text)


def _https(text: str) -> str:
    parts = urlsplit(_one_line(text))
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username is not None
        or re.search(r"[\s\"'<>\\^`{|}]", text)
    ):
        raise ValueError("it is not a https:// address")
    return text


def shown_line(text: str) -> str:
    r"""Any text as a `Line`: what such a line may not hold is replaced or taken apart.

    >>> shown_line("Error:\n <b>no</b> memory")
    'Error:  < b>no< /b> memory'
    """
    plain = clean(text).replace("\ufffd", "?")
    apart = _MARKUP.sub(lambda found: f"{found[0][0]} {found[0][1:]}", plain)
    return apart.strip()[:300].strip() or "no reason"


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
"""One line that goes into tables."""

Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_one_line)]
Prose = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_showable)]
Link = Annotated[str, Field(max_length=300), AfterValidator(_https)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
TaskId = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_one_line)]


class _Record(BaseModel):
    # Strict: `true` is no number and "0" no seed. What is read is JSON, so lists are tuples: see `parsed`.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


# -- the card ---------------------------------------------------------------------------------------------------------


class BaseModelClaim(_Record):
    """The pretrained network that a system rests on.

    Attributes:
        name: as published, `cvssp/audioldm2`.
        sha256: of its weights, as `timbrebench show run` prints it; None only where there is no file to hash (a
            service). A claim without a hash is shown as such.
        revision: of a hub id.
    """

    name: Line
    sha256: Sha256 | None = None
    revision: Line | None = None


class Card(_Record):
    """Who made a system, from what, and under which rules it competes: the `card.yaml` of its authors.

    Attributes:
        system, version: what tables call it.
        authors: at least one. contact: how to reach them; shown.
        paper, code: addresses, https only.
        base_model: None for a system that rests on no pretrained network.
        training_data: all data that any part of it was trained or tuned on, beyond the base model's own.
        compute: hardware and hours for the edits.
        seeds: run seeds; one entry for each task and seed.
        division: see `Division`.
        licence: under which the audio may be published with the results.
        description: how it works, in a paragraph.
    """

    system: Name
    version: Name
    authors: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]
    contact: Line | None = None
    paper: Link | None = None
    code: Link | None = None
    base_model: BaseModelClaim | None
    training_data: Prose
    compute: Prose
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=100)]
    division: Division
    licence: Line
    description: Prose

    @model_validator(mode="after")
    def _distinct(self) -> Card:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed is given twice")
        return self


# -- submission.json --------------------------------------------------------------------------------------------------


class SuiteClaim(_Record):
    """The suite whose tasks were edited."""

    name: Line
    version: Annotated[int, Field(ge=0)]
    digest: Sha256


class Made(_Record):
    """How timbrebench made the edits, from the identity in `run.json`; absent where another program did.

    Attributes:
        timbrebench: version. method: name, version, target, config and networks. backbone: its identity.
    """

    timbrebench: Line
    method: Mapping[str, JsonValue]
    backbone: Mapping[str, JsonValue] | None = None


class Entry(_Record):
    """One edit of the plan: its audio, or why there is none.

    Attributes:
        member: its file in the archive, named by `member_name`. sha256: of that file's bytes.
        failed: why there is no audio. A declared failure counts as one in every table.
    """

    task: TaskId
    seed: Seed
    member: Annotated[str, Field(max_length=1000)] | None = None
    sha256: Sha256 | None = None
    failed: Line | None = None

    @model_validator(mode="after")
    def _audio_or_reason(self) -> Entry:
        if (self.member is None) != (self.sha256 is None) or (self.member is None) == (self.failed is None):
            raise ValueError("an entry has either a member with its sha256, or the reason why it failed")
        return self

    @property
    def key(self) -> Key:
        """(task, seed)."""
        return self.task, self.seed


class Submission(_Record):
    """`submission.json`.

    Attributes:
        plan_sha256: of the plan's bytes, as in the `run.json` of a run on the same suite with the same seeds
            (`bench.store.record.plan_bytes`).
        entries: one for each (task, seed) of the plan, in its order.
    """

    format: Literal["timbrebench-submission@1"] = Field(alias="schema")
    card: Card
    suite: SuiteClaim
    plan_sha256: Sha256
    made: Made | None = None
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True) | {
            "card": self.card.model_dump(mode="json")
        }

    @classmethod
    def parsed(cls, value: Mapping[str, Any]) -> Submission:
        """The submission that a JSON object spells.

        Raises:
            pydantic.ValidationError: with every field that is wrong.
        """
        return cls.model_validate_json(_as_text(value))


def member_name(task: str, seed: int, suffix: str = ".flac") -> str:
    """The one name of an edit's file in an archive: portable, and inside `audio/` whatever the task's id.

    >>> member_name("synth/0001-night/voice2violin", 0)
    'audio/synth/0001-night/voice2violin/seed0.flac'
    >>> member_name("../Über all", 3, ".wav")
    'audio/%2E%2E/%C3%9Cber%20all/seed3.wav'
    """
    parts = [quote(part, safe="") for part in task.split("/")]
    safe = [part if part.strip(".") else "%2E" * len(part) or "%" for part in parts]
    return f"audio/{'/'.join(safe)}/seed{seed}{suffix}"


def _as_text(value: Mapping[str, Any]) -> str:
    # Strict validation of Python objects wants tuples; of JSON it takes lists. Scalars stay as strict as they are.
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


# -- what a check says ------------------------------------------------------------------------------------------------


class Finding(BaseModel):
    """One thing that is wrong with a submission.

    Attributes:
        code: stable, listed in `docs/submissions.md`.
        severity: an `error` refuses the submission, a `warning` is shown with it.
        where: member, entry or field; cleaned for display (`reports.escape.clean`), as `what` is.
        what: one sentence. remedy: what its author can do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    where: str
    what: str
    remedy: str


class CheckResult(BaseModel):
    """All that is wrong with a submission, and what it is if it could be read.

    Attributes:
        file: as it was named. sha256: of the whole archive; empty if it could not be read.
        findings: errors first.
        submission: None if `submission.json` could not be read.
        decoded: edits whose audio was heard. failed: edits that the submission declares as failed.
        copies: share of the edits heard that are copies of their source; None if that could not be measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    findings: tuple[Finding, ...]
    submission: Submission | None = None
    decoded: int = 0
    failed: int = 0
    copies: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)
