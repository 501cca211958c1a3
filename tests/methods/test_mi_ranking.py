"""A ranking as a file: what it holds, what it refuses, and the masks it gives."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from bench.backbone import Backbone
from bench.backbones.nano.backbone import Nano, UntrainedNano
from bench.errors import DataError, UsageError
from methods.mi_inpainting.plots import plot_ranking
from methods.mi_inpainting.ranking import Channel, Ranking, ranked

CELLS = ((0.1, 0.1), (0.5, 0.3), (0.0, 0.9), (0.2, 0.2))


def made(**identity: object) -> Ranking:
    channels = tuple(
        Channel(channel=number, mi=sum(cells) / 2, low=0.0, high=1.0, histogram=0.1, cells=cells)
        for number, cells in enumerate(CELLS)
    )
    backbone = {"name": "made up", "weights": "sha256:1", "dtype": "float32", **identity}
    return Ranking(backbone=backbone, data={}, settings={}, channels=channels, order=ranked(channels), agreement={})


def test_the_order_is_by_information() -> None:
    assert made().order == (2, 1, 3, 0)


@pytest.mark.parametrize(
    ("k", "channels"), [(0.0, []), (0.2, [2]), (0.25, [2]), (0.5, [1, 2]), (0.51, [1, 2, 3]), (1.0, [0, 1, 2, 3])]
)
def test_a_mask_takes_the_top_channels(k: float, channels: list[int]) -> None:
    mask = made().mask(k)
    assert mask.shape == (4, 2)
    assert np.flatnonzero(mask[:, 0]).tolist() == channels
    assert np.array_equal(mask[:, 0], mask[:, 1])


def test_a_mask_of_cells_takes_the_top_cells() -> None:
    assert made().mask(0.25, "cell").tolist() == [[False, False], [True, False], [False, True], [False, False]]
    assert made().mask(1.0, "cell").all()


@pytest.mark.parametrize("k", [-0.1, 1.1, float("nan")])
def test_no_share_outside_of_the_whole(k: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        made().mask(k)


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ranking.json"
    made().write(path)
    back = Ranking.read(path)
    assert (back, back.digest) == (made(), made().digest)
    assert made(weights="sha256:2").digest != made().digest


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda content: content["channels"][0].update(mi=0.4), "do not go together"),
        (lambda content: content["channels"][0].update(histogram=0.2), "was changed"),
        (lambda content: content.pop("digest"), "was changed"),
        (lambda content: content.update(order=[0, 1, 2, 3]), "do not go together"),
        (lambda content: content["channels"][1].update(cells=[0.5]), "do not go together"),
        (lambda content: content.update(format=2), "format"),
        (lambda content: content.update(kind="suite"), "kind"),
        (lambda content: content.update(extra=1), "extra"),
        (lambda content: content.pop("channels"), "channels"),
        (lambda content: content["channels"][0].update(mi="much"), "channels.0.mi"),
    ],
)
def test_what_was_changed_is_refused(tmp_path: Path, change: object, cause: str) -> None:
    path = tmp_path / "ranking.json"
    made().write(path)
    content = json.loads(path.read_text())
    change(content)  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=cause) as refused:
        Ranking.read(path)
    assert refused.value.where == str(path)
    assert "analyse mi" in refused.value.remedy


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b'{"kind": NaN}', b"\xff"])
def test_what_is_no_ranking_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ranking.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="no channel ranking"):
        Ranking.read(path)


def test_another_backbone_is_refused_and_the_command_named() -> None:
    same = Mock(spec=Backbone, identity={"name": "made up", "weights": "sha256:1", "dtype": "bfloat16"})
    made(model="one name").check(same)
    other = Mock(spec=Backbone, identity={"name": "made up", "weights": "sha256:9", "dtype": "float32"})
    other.name = "made-up"
    with pytest.raises(UsageError, match="another backbone") as refused:
        made().check(other)
    assert "weights differs" in refused.value.cause
    assert "timbrebench analyse mi --backbone made-up" in refused.value.remedy


def test_the_shipped_ranking_is_nanos(nano: UntrainedNano) -> None:
    ranking = Ranking.shipped(nano)
    ranking.check(nano)
    assert len(ranking.channels) == 8
    assert {len(each.cells) for each in ranking.channels} == {16}
    assert ranking.data["name"] == "synth-notes"
    assert len(ranking.data["families"]) == 11
    assert ranking.agreement["histogram_rank_correlation"] > 0.9
    ranking.check(Nano.load())  # whose U-Net is another, and whose codec is the same
    other = Mock(spec=Backbone, identity={**nano.identity, "codec": "sha256:9"})
    other.name = "nano"
    with pytest.raises(UsageError, match="another backbone"):
        ranking.check(other)


def test_none_ships_for_audioldm2() -> None:
    published = Mock(spec=Backbone, identity={"name": "audioldm2", "weights": "sha256:1"})
    published.name = "audioldm2"
    with pytest.raises(UsageError, match="no channel ranking ships") as refused:
        Ranking.shipped(published)
    assert "timbrebench analyse mi --backbone audioldm2" in refused.value.remedy


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_it_is_drawn_the_same_each_time(tmp_path: Path, ending: str, start: bytes) -> None:
    paths = [tmp_path / f"{number}.{ending}" for number in range(2)]
    for path in paths:
        plot_ranking(made(), path)
    one, other = (path.read_bytes() for path in paths)
    assert one.startswith(start)
    assert one == other
    with pytest.raises(UsageError, match=r"\.pdf"):
        plot_ranking(made(), tmp_path / "figure.pdf")
