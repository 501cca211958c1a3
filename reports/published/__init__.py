"""Numbers that papers print, to stand beside ours: marked as published, in no rank, in no interval, in no plot's scale.

Each file here is one table of one paper: where it was found, under which setting, and which of our metrics its columns
claim to be. A claim says that the paper names the same method of measurement, not that the values are comparable: data,
excerpts, checkpoints and other people's settings differ, and most of them are not published.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.errors import UnknownNameError, did_you_mean
from reports.escape import clean


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Measure(_Record):
    """A column of a published table.

    Attributes:
        metric: our metric whose column shows it, with its network (`clap:laion-clap`); empty if we have none.
        identity: of what was measured, as far as anyone knows; what is our inference says so.
        decimals: as printed.
    """

    metric: str = ""
    direction: Literal["higher", "lower"]
    unit: str = ""
    decimals: int = Field(ge=0, le=6)
    identity: str


class Value(_Record):
    """A number as printed, with its 95 % interval and its count where these were printed."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


class System(_Record):
    """A row of a published table. `method`: our name of it, or empty. `values`: by the column's name."""

    label: str
    method: str = ""
    values: dict[str, Value]

    @model_validator(mode="before")
    @classmethod
    def _bare_numbers(cls, data: dict[str, object]) -> dict[str, object]:
        values = data.get("values")
        if not isinstance(values, dict):
            return data
        return {**data, "values": {k: v if isinstance(v, dict) else {"value": v} for k, v in values.items()}}


class Published(_Record):
    """One table of one paper.

    Attributes:
        format: of the file. title: of the table. paper: who printed it. found: where we read it.
        setting: data, base model and settings behind it. caution: what a reader must know.
        measures: its columns by name, in order. systems: its rows.
    """

    format: Literal["timbrebench-published@1"] = Field(alias="schema")
    title: str
    paper: str
    found: str
    setting: str
    caution: str
    measures: dict[str, Measure]
    systems: tuple[System, ...]

    @model_validator(mode="after")
    def _columns_are_described(self) -> Published:
        strangers = {name for system in self.systems for name in system.values} - self.measures.keys()
        if strangers:
            raise ValueError(f"values of columns that are not described: {', '.join(sorted(strangers))}")
        return self


def names() -> tuple[str, ...]:
    """All tables there are."""
    return tuple(sorted(entry.name[:-5] for entry in files(__package__).iterdir() if entry.name.endswith(".yaml")))


@cache
def published(name: str) -> Published:
    """One table.

    Raises:
        UnknownNameError: if there is none of this name.
    """
    if name not in names():
        raise UnknownNameError(
            f"no published table is called '{clean(name)}'",
            where=f"--published {clean(name)}",
            remedy=did_you_mean(clean(name), names()),
        )
    text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
    return Published.model_validate(yaml.safe_load(text))
