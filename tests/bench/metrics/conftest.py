"""A four-second piece of three stems, and cases made from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from played import TUNE, a_task, hits, notes

from bench.audio import Clip
from bench.metric import Case, Features
from bench.task import Source, StemName

MakeCase = Callable[..., Case]


@pytest.fixture(scope="session")
def source() -> Source:
    """A melody (`other`), a bass line and drums; the mixture is their sum."""
    stems: dict[StemName, Clip] = {
        "other": notes(TUNE),
        "bass": notes((36, 43, 41, 36)).scaled(0.7),
        "drums": hits((0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75)),
    }
    return Source("piece", "piece", Clip.sum(list(stems.values())), stems)


@pytest.fixture
def make_case(source: Source) -> MakeCase:
    """Builds a case about one edit of the piece, or of another source."""
    features = Features()

    def make(
        edit: Clip,
        *,
        stem: StemName = "other",
        of: Source = source,
        true_edit: Clip | None = None,
        monophonic: bool | None = True,
    ) -> Case:
        task = a_task(of.song, stem, monophonic=monophonic)
        return Case(task, of, edit, true_edit, features=features)

    return make
