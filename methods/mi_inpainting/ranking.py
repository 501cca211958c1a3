"""The channel ranking: how much each latent channel of a backbone says about the instrument family, as a file.

A ranking is one JSON object with all that it was made from (backbone, data, settings) and a digest of it all. It
belongs to one codec: for another backbone it is refused. The dtype of the networks, the sampler's schedule and what
the weights are called may differ, they do not decide what a channel means.

`rankings/<backbone>.json` beside this file are those that ship.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.backbone import Backbone
from bench.errors import DataError, UsageError
from bench.identity import digest
from bench.store import strict_json
from bench.store.atomic import write_json

SHIPPED = Path(__file__).with_name("rankings")

Unit = Literal["channel", "cell"]
"""What a mask takes or leaves: a channel, or one frequency row of a channel."""

# What makes a latent: where a backbone names its codec by hash, that and its front end; else all of its weights.
_OF_CODEC = ("codec", "front_end")
_IRRELEVANT = frozenset({"dtype", "scheduler", "untrained", "caveat", "licence", "model", "revision", "vocoder"})
_MAX_BYTES = 1 << 24


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Channel(_Record):
    """What one channel says about the family, in nats.

    Attributes:
        channel: its number.
        mi: mean over frequency rows, by nearest neighbours: what the order goes by.
        low, high: 95 % interval over instruments.
        histogram: the same mean, by histogram.
        cells: each frequency row, by nearest neighbours.
    """

    channel: int = Field(ge=0)
    mi: float = Field(ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    histogram: float = Field(ge=0)
    cells: tuple[float, ...] = Field(min_length=1)


class Ranking(_Record):
    """Channels of a backbone, ranked.

    Attributes:
        kind, format: of the file.
        backbone: identity of the backbone whose codec it is.
        data: which notes: what they are called, families, counts, and a hash of names and audio.
        settings: of the estimate.
        channels: one record a channel, by its number.
        order: channels by falling `mi`.
        agreement: of the two estimators, and with instruments that had no part in the ranking.
    """

    kind: Literal["channel-ranking"] = "channel-ranking"
    format: Literal[1] = 1
    backbone: Mapping[str, Any]
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    channels: tuple[Channel, ...] = Field(min_length=1)
    order: tuple[int, ...]
    agreement: Mapping[str, Any]

    @model_validator(mode="after")
    def _hangs_together(self) -> Ranking:
        numbers = [each.channel for each in self.channels]
        rows = {len(each.cells) for each in self.channels}
        if numbers != list(range(len(numbers))) or len(rows) != 1 or self.order != ranked(self.channels):
            raise ValueError("channels, cells and order do not go together")
        return self

    @property
    def digest(self) -> str:
        """sha256 of everything in it."""
        return digest(self.model_dump(mode="json"))

    def mask(self, k: float, unit: Unit = "channel") -> npt.NDArray[np.bool_]:
        """M: the top ⌈k n⌉ of n channels, or of n cells, are timbre.

        Returns:
            (channels, frequency rows), True where it is timbre.

        Raises:
            ValueError: for k outside [0, 1].
        """
        cells = np.array([each.cells for each in self.channels])
        scores = cells.ravel() if unit == "cell" else np.array([each.mi for each in self.channels])
        chosen = np.zeros(len(scores), bool)
        chosen[np.argsort(-scores, kind="stable")[: top(k, len(scores))]] = True
        return chosen.reshape(cells.shape) if unit == "cell" else np.repeat(chosen[:, None], cells.shape[1], axis=1)

    def check(self, backbone: Backbone) -> None:
        """Refuse a backbone that the ranking was not made for.

        Raises:
            UsageError: names what differs, and the command that makes one.
        """
        made, asked = _codec(self.backbone), _codec(backbone.identity)
        differing = sorted(key for key in made.keys() | asked.keys() if made.get(key) != asked.get(key))
        if differing:
            raise UsageError(
                f"the channel ranking is of another backbone ({made.get('model') or made.get('name')}): "
                f"{', '.join(differing)} differ{'s' if len(differing) == 1 else ''} from {backbone.name}'s",
                remedy=how_to_make(backbone.name),
                code="mi/other-backbone",
            )

    def write(self, path: Path) -> None:
        """Write it, with its digest. Raises as `bench.store.atomic.write_json`."""
        write_json(path, {**self.model_dump(mode="json"), "digest": self.digest})

    @classmethod
    def read(cls, path: Path) -> Ranking:
        """Read a ranking and verify its digest.

        Raises:
            DataError: if there is no such file, or it is not a ranking, or was changed.
        """
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
            content = strict_json.parse_object(data)
            told = content.pop("digest", None)
            ranking = cls.model_validate(content)
        except OSError as error:
            raise _unusable(path, f"it cannot be read ({error.strerror})") from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise _unusable(path, f"{field}: {first['msg']}" if field else first["msg"]) from error
        except ValueError as error:
            raise _unusable(path, str(error)) from error
        if ranking.digest != told:
            raise _unusable(path, "it was changed after it was written (its digest differs)")
        return ranking

    @classmethod
    def shipped(cls, backbone: Backbone) -> Ranking:
        """The ranking that ships with timbrebench for a backbone's codec.

        Raises:
            UsageError: if none does; names the command that makes one.
        """
        wanted = _codec(backbone.identity)
        for path in sorted(SHIPPED.glob("*.json")):
            ranking = cls.read(path)
            if _codec(ranking.backbone) == wanted:
                return ranking
        raise UsageError(
            f"no channel ranking ships for the codec of {backbone.name}, and none was given",
            remedy=how_to_make(backbone.name),
            code="mi/no-ranking",
        )


def ranked(channels: tuple[Channel, ...]) -> tuple[int, ...]:
    """Numbers of channels by falling mutual information; of equals, the lower number first."""
    return tuple(each.channel for each in sorted(channels, key=lambda each: (-each.mi, each.channel)))


def top(k: float, count: int) -> int:
    """⌈k · count⌉.

    >>> [top(k, 8) for k in (0.0, 0.2, 0.4, 0.5, 0.6, 1.0)], top(0.07, 100)
    ([0, 2, 4, 4, 5, 8], 7)

    Raises:
        ValueError: for k outside [0, 1].
    """
    if not 0 <= k <= 1:
        raise ValueError(f"k = {k} is not in [0, 1]")
    return math.ceil(round(k * count, 9))


def how_to_make(backbone: str) -> str:
    """What to type for a ranking of a backbone."""
    return (
        f"Make one: timbrebench analyse mi --backbone {backbone} --notes NSYNTH_FOLDER --out ranking.json "
        "(--notes synth-notes needs no data), then run with --set ranking=ranking.json."
    )


def _codec(identity: Mapping[str, Any]) -> dict[str, Any]:
    if "codec" in identity:
        return {key: identity.get(key) for key in _OF_CODEC}
    return {key: value for key, value in identity.items() if key not in _IRRELEVANT}


def _unusable(path: Path, cause: str) -> DataError:
    return DataError(
        f"this is no channel ranking: {cause}",
        where=str(path),
        remedy="Make one with `timbrebench analyse mi --backbone NAME --notes FOLDER --out FILE`.",
        code="mi/ranking",
    )
