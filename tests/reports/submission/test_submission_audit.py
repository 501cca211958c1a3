"""Audits: honest submissions are reproduced, others are not, the draw is nobody's choice, and no claim runs code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from submission_methods import Weaver
from submission_samples import Parts, flac, voice
from test_submission_pack import card, woven

from bench.audio import Clip
from bench.errors import DataError
from bench.store.rundir import RunDirectory
from bench.suite import Suite
from reports.submission.audit import Audit, Tolerance, audit, compare, draw
from reports.submission.claimed import claimed_config
from reports.submission.decoder import Decoder
from reports.submission.model import Entry
from reports.submission.pack import pack_run

TARGETS = {"submission_methods:Weaver"}


@pytest.fixture
def audited(loom: Suite, tmp_path: Path, checked: Callable, decoder: Decoder) -> Callable[..., Audit]:
    """The audit of a run of `Weaver`, made again with other knobs."""

    def call(**changes: object) -> Audit:
        folder = woven(loom, tmp_path / "run", seeds=(0, 1))
        pack_run(folder, card(seeds=[0, 1]), tmp_path / "a.zip")
        submission = checked(tmp_path / "a.zip").require()

        def rerun(suite: Suite, seed: int) -> RunDirectory:
            return RunDirectory.open(woven(suite, tmp_path / f"again{seed}", seeds=(seed,), **changes))

        return audit(tmp_path / "a.zip", submission, loom, rerun, count=2, decoder=decoder)

    return call


def test_an_honest_submission_is_reproduced(audited: Callable, tmp_path: Path) -> None:
    found = audited()
    assert found.reproduced
    assert (found.drawn, found.of, found.within) == (2, 4, 2)
    assert all(each.log_mel_db == 0.0 and each.si_sdr_db == 100.0 for each in found.tasks)
    assert found.identity["method"]["name"] == found.claim["method"]["name"] == "weaver"
    found.write(tmp_path / "audit.json")
    assert Audit.read(tmp_path / "audit.json") == found


def test_one_made_by_other_knobs_is_not(audited: Callable) -> None:
    found = audited(hz=311.0)
    assert not found.reproduced
    assert found.within == 0
    assert all(each.log_mel_db > 1.0 for each in found.tasks)


def test_what_cannot_be_made_here_is_not_reproduced(audited: Callable) -> None:
    found = audited(fails=True)
    lost = [each for each in found.tasks if each.log_mel_db is None]
    assert [each.task for each in lost] == ["loom/1/bass2flute"]
    assert "it was not made here: ValueError" in str(lost[0].why)
    assert not found.reproduced


def test_the_draw_depends_on_archive_and_seed_and_on_nothing_else(
    loom: Suite, checked: Callable, tmp_path: Path
) -> None:
    submission = checked(Parts.honest(loom, seeds=range(6)).write(tmp_path)).result.submission
    first = draw(submission, "a" * 64, 2, 0)
    assert first == draw(submission, "a" * 64, 2, 0)
    assert {entry.task for entry in first} == {task.id for task in loom.tasks}
    assert len({tuple(e.key for e in draw(submission, letter * 64, 2, 0)) for letter in "abcdefgh"}) > 3
    assert len({tuple(e.key for e in draw(submission, "a" * 64, 2, seed)) for seed in range(8)}) > 3
    assert len(draw(submission, "a" * 64, 99, 0)) == 2


def test_rounding_is_within_the_tolerance_and_another_edit_is_not() -> None:
    entry = Entry(task="a", seed=0, failed="-")
    made = voice(150.0, 1.0, 16_000)
    shifted = Clip.of(made.samples * 1.0005, 16_000)
    for claimed, agrees in ((made, True), (shifted, True), (voice(150.0, 1.0, 16_000, seed=1), False)):
        assert compare(entry, claimed, made, Tolerance()).reproduced is agrees
    for strange in (voice(150.0, 0.8, 16_000), Clip.silence(1.0, 16_000)):
        assert compare(entry, strange, made, Tolerance()).why
    assert flac(made)


@pytest.mark.parametrize(
    ("claim", "cause"),
    [
        ({"knob": 1}, "knob is not a knob of weaver"),
        ({"notes": "/etc/passwd"}, "notes names a file"),
        ({"inner": "antigravity:Fly"}, "inner names code that is not registered here"),
        ({"hz": -1.0}, "hz: Input should be greater than 0"),
        ({"hz": {"a": 1}}, "hz: Input should be a valid number"),
    ],
)
def test_claims_choose_no_files_no_code_and_no_nonsense(claim: dict, cause: str) -> None:
    with pytest.raises(DataError) as caught:
        claimed_config(Weaver, claim, {}, TARGETS)
    assert cause in str(caught.value)
    assert claimed_config(Weaver, {"hz": 300.0}, {"hz": "200"}, TARGETS) == Weaver.Config(hz=200.0)
