"""Values on whole sets (FAD, KAD) with songs left out, as scoring keeps them in `corpus.json`.

To resample songs jointly in two runs, with equal numbers of clips and the bandwidth of the same reference, no vector is
needed: each run has its value without each group of songs, and the groups are the same in both. See
`bench.stats.jackknife` for why songs are left out and not drawn with replacement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import CorruptStoreError
from bench.store import strict_json
from reports.load import RunReport


@dataclass(frozen=True)
class SetValue:
    """One value with groups of songs left out.

    Attributes:
        value: of the whole set.
        groups: the songs of each; none where there are too few songs or clips to leave any out.
        values: without each group, in that order.
    """

    value: float
    groups: tuple[tuple[str, ...], ...]
    values: tuple[float, ...]

    @property
    def songs(self) -> frozenset[str]:
        """In all groups."""
        return frozenset(song for group in self.groups for song in group)

    @property
    def shares(self) -> tuple[float, ...]:
        """The jackknife's pseudo-values, one a group, whose mean is (nearly) the value: what each adds to it."""
        count = len(self.values)
        return tuple(count * self.value - (count - 1) * value for value in self.values)


class _Replicate(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    without: tuple[str, ...]
    value: float


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    identity: str
    value: float | None
    left_out: tuple[_Replicate, ...] | None = None


class _File(BaseModel):
    metrics: tuple[_Row, ...]


def set_values(run: RunReport) -> Mapping[str, SetValue]:
    """A run's values on whole sets by metric identity; without those that an earlier version scored, with no groups.

    Raises:
        CorruptStoreError: if the file is not what scoring writes.
    """
    path = run.path / "corpus.json"
    try:
        rows = _File.model_validate(strict_json.parse_object(path.read_bytes())).metrics
    except (OSError, ValueError, ValidationError) as error:
        raise CorruptStoreError(
            f"the scores cannot be read ({str(error).splitlines()[0]})",
            where=str(path),
            remedy=f"They can be made again: timbrebench score {run.path}",
            code="corrupt/scores",
        ) from error
    return {
        row.identity: _set_value(row.value, row.left_out or ())
        for row in rows
        if row.value is not None and "left_out" in row.model_fields_set
    }


def _set_value(value: float, left_out: tuple[_Replicate, ...]) -> SetValue:
    return SetValue(value, tuple(each.without for each in left_out), tuple(each.value for each in left_out))
