"""Every hostile submission is refused with its code; none hangs, none raises, none leaves a file anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_submissions import CORPUS, Hostile
from submission_samples import Parts

from reports.submission import show
from reports.submission.rules import RULES


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hostile", CORPUS, ids=lambda each: each.name.replace(" ", "-"))
def test_hostile_submissions_are_refused(
    hostile: Hostile, parts: Parts, tmp_path: Path, checked: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "a" / "b" / "c"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    path = inside / "submission.zip"
    path.write_bytes(hostile.make(parts))
    found = checked(path, limits=hostile.limits).result
    assert hostile.code in {finding.code for finding in found.findings if finding.severity == "error"}
    assert not found.accepted
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    for line in (*show.text(found), *show.github(found)):
        assert line.isprintable()


def test_the_corpus_is_large_and_leaves_few_rules_out() -> None:
    assert len(CORPUS) >= 40
    of_machines = {"audio/timeout", "audio/memory", "audio/crash", "audio/gave-up", "audio/too-long"}
    elsewhere = {"audio/header-differs", "copy/entry", "card/base-model"}
    errors = {code for code, rule in RULES.items() if rule.severity == "error"}
    assert errors - {each.code for each in CORPUS} == of_machines | elsewhere
