"""What an entry store keeps of each event: an entry was added, audited, withdrawn.

A record names the hash of the one before and has its own, so that no record can be changed, removed or put in between
without the chain breaking. The files of an entry are named with their hashes in the record that adds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.identity import digest
from reports.load import Role
from reports.submission.model import Card, Line, Name, Sha256, SuiteClaim

SCHEMA: Final = "timbrebench-entry-log@1"

GENESIS: Final = "0" * 64
"""In the place of a hash before the first record."""

EntryId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

RelativeName = Annotated[str, Field(pattern=r"^(?:journal/)?[A-Za-z0-9_][A-Za-z0-9._-]*$")]
"""Of a file within the folder of an entry."""

Origin = Literal["self-reported", "scored"]
"""`self-reported`: the scores are its makers'. `scored`: computed by the store's keeper, from the audio submitted."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Added(_Record):
    """A scored run became an entry.

    Attributes:
        entry: its id, from the hashes of all that is kept of it.
        label: what it is called where it has no card. role: of the run.
        origin: whose scores they are. card: None for a control.
        run: digest of the run's identity. suite: whose tasks they are. seeds: of the run.
        archive: sha256 of the submission's archive; None where there is none.
        files: sha256 of each file that is kept.
        examples: tasks whose audio is kept, to be heard on the entry's page.
        supersedes: the entry in whose place this one stands.
    """

    event: Literal["added"] = "added"
    entry: EntryId
    label: Name
    role: Role
    origin: Origin
    card: Card | None
    run: Sha256
    suite: SuiteClaim
    seeds: tuple[int, ...]
    archive: Sha256 | None
    files: Mapping[RelativeName, Sha256]
    examples: Annotated[int, Field(ge=0)] = 0
    supersedes: EntryId | None = None


class Audited(_Record):
    """Some of an entry's edits were made again here. The fields are those of `reports.submission.audit.Audit`."""

    event: Literal["audited"] = "audited"
    entry: EntryId
    audit: Sha256
    reproduced: bool
    within: Annotated[int, Field(ge=0)]
    drawn: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]
    tolerance: Line


class Withdrawn(_Record):
    """An entry left the tables. It stays in the history."""

    event: Literal["withdrawn"] = "withdrawn"
    entry: EntryId
    reason: Line


Body = Annotated[Added | Audited | Withdrawn, Field(discriminator="event")]


class LogRecord(_Record):
    """One event of a store.

    Attributes:
        number: from 1 on. previous: hash of the record before, or `GENESIS`.
        time: UTC, in ISO 8601.
        hash: of everything else in the record.
    """

    format: Literal["timbrebench-entry-log@1"] = Field(SCHEMA, alias="schema")
    number: Annotated[int, Field(ge=1)]
    previous: Sha256
    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    body: Body
    hash: Sha256

    @classmethod
    def sealed(cls, number: int, previous: str, time: str, body: Added | Audited | Withdrawn) -> LogRecord:
        """A record with its hash."""
        value = {
            "schema": SCHEMA,
            "number": number,
            "previous": previous,
            "time": time,
            "body": body.model_dump(mode="json"),
        }
        return cls.parsed({**value, "hash": digest(value)})

    @classmethod
    def parsed(cls, value: Mapping[str, Any]) -> LogRecord:
        """The record that a JSON object spells.

        Raises:
            ValueError: if it is none, or does not have the hash that it claims.
        """
        claimed = value.get("hash")
        if digest({key: item for key, item in value.items() if key != "hash"}) != claimed:
            raise ValueError("it was changed (its hash differs)")
        # By way of JSON: strict models take lists for tuples from JSON only.
        return cls.model_validate_json(json.dumps(value, allow_nan=False))

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return self.model_dump(mode="json", by_alias=True)
