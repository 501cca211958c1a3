"""The check: an honest submission passes, what is wrong is all told at once, and with what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from submission_samples import CARD, Parts, flac

from bench.audio import Clip
from bench.errors import UsageError
from bench.suite import Suite
from reports.submission import show
from reports.submission.model import Card, CheckResult, Finding, InvalidSubmissionError, member_name
from reports.submission.rules import MOST, RULES, Findings

DOCS = Path(__file__).resolve().parents[3] / "docs" / "submissions.md"


def codes(result: CheckResult) -> list[str]:
    return [finding.code for finding in result.findings]


def test_an_honest_submission_is_accepted_without_a_word(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    found = checked(parts.write(tmp_path))
    assert found.result.findings == ()
    assert found.result.accepted
    assert (found.result.decoded, found.result.failed, found.result.copies) == (2, 0, 0.0)
    assert found.require().card.system == "Loom"
    assert list(show.text(found.result)) == [
        "accepted: Loom 1.2, closed: 2 edits heard, 0 declared as failed, 0% copies of the source"
    ]


def test_everything_wrong_is_told_at_once_errors_first(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    parts.claims["card"]["base_model"]["sha256"] = None
    parts.claims["plan_sha256"] = "0" * 64
    parts.claims["entries"][0]["sha256"] = "1" * 64
    parts.replace(1, flac(Clip.silence(1.0, 16_000)))
    (tmp_path / "x.zip").write_bytes(parts.zipped(("notes.txt", b"hello"), ("more.zip", b"")))
    found = checked(tmp_path / "x.zip")
    assert codes(found.result) == [
        "archive/nested",
        "archive/unexpected",
        "plan/digest",
        "entry/hash",
        "audio/silent",
        "card/no-hash",
    ]
    assert all(finding.what and finding.remedy for finding in found.result.findings)
    with pytest.raises(InvalidSubmissionError, match="breaks 5 rules, first archive/nested") as caught:
        found.require()
    assert caught.value.exit_code == 5


def test_declared_failures_are_allowed_and_counted(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    entry = parts.claims["entries"][0]
    parts.audio.pop(entry.pop("member"))
    entry.pop("sha256")
    entry["failed"] = "out of memory"
    found = checked(parts.write(tmp_path)).result
    assert codes(found) == ["plan/failures"]
    assert found.accepted
    assert (found.decoded, found.failed) == (1, 1)


def test_without_the_suite_the_rest_is_checked_and_the_gap_is_told(
    parts: Parts, tmp_path: Path, checked: Callable
) -> None:
    assert codes(checked(parts.write(tmp_path), None).result) == ["check/no-suite"]
    parts.replace(0, flac(Clip.of(np.full(16_000 * 121, 0.1), 16_000)))
    assert codes(checked(parts.write(tmp_path), None).result) == ["audio/too-long", "check/no-suite"]


def test_seeds_are_complete_and_differ(loom: Suite, tmp_path: Path, checked: Callable) -> None:
    parts = Parts.honest(loom, seeds=(0, 3))
    assert checked(parts.write(tmp_path)).result.findings == ()
    for number in (1, 3):
        parts.replace(number, parts.audio[parts.claims["entries"][number - 1]["member"]])
    assert codes(checked(parts.write(tmp_path)).result) == ["seeds/identical"]
    parts.audio.pop(parts.claims["entries"].pop()["member"])
    missing = checked(parts.write(tmp_path), None).result
    assert "plan/missing" in codes(missing)
    assert missing.findings[0].where == "loom/1/bass2flute seed 3"


def test_one_recording_for_several_tasks_is_told(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    parts.replace(1, parts.audio[parts.names[0]])
    assert codes(checked(parts.write(tmp_path)).result) == ["copy/repeated"]


def test_the_base_model_is_the_runs(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    parts.claims["made"] = {
        "timbrebench": "0.1.0",
        "method": {"name": "sdedit", "version": 1},
        "backbone": {"name": "nano", "weights": "sha256:" + "0" * 64},
    }
    assert checked(parts.write(tmp_path)).result.findings == ()
    parts.claims["made"]["backbone"]["weights"] = "sha256:" + "5" * 64
    assert codes(checked(parts.write(tmp_path)).result) == ["card/base-model"]


def test_clipping_is_told_before_it_is_refused(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    parts.replace(0, flac(Clip.of(1.05 * np.sin(np.arange(16_000) / 50.0) ** 21, 16_000)))
    assert codes(checked(parts.write(tmp_path)).result) == ["audio/clipped"]


def test_no_file_is_a_wrong_request(tmp_path: Path, checked: Callable) -> None:
    for path in (tmp_path / "nowhere.zip", tmp_path):
        with pytest.raises(UsageError):
            checked(path)


def test_a_hundred_thousand_faults_of_one_kind_are_a_hundred_lines() -> None:
    findings = Findings()
    for number in range(100_000):
        findings.add("archive/unexpected", f"evil{number}", "x" * 10_000)
    listed = findings.all()
    assert len(listed) == MOST + 1
    assert listed[-1].what == "and 99,900 more of this kind"
    assert all(len(finding.what) <= 400 for finding in listed)


def test_annotations_cannot_be_forged() -> None:
    finding = Finding(
        code="archive/unexpected", severity="error", where="a,b:c", what="50% \r\n::error::forged", remedy="Mend it."
    )
    result = CheckResult(file="a:b,c.zip", sha256="", findings=(finding,))
    assert list(show.github(result)) == [
        "::error file=a%3Ab%2Cc.zip,title=archive/unexpected::50%25 %0D%0A::error::forged [a,b:c]. Mend it.",
        "::error file=a%3Ab%2Cc.zip,title=timbrebench submit check::refused: 1 error, 0 warnings",
    ]


def test_member_names_are_portable_and_stay_in_audio() -> None:
    names = [member_name(task, 0) for task in ("a/../b", "/abs", "a//b", "..", "ü b", "a\\b", "C:x", "a/./b")]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"audio/[A-Za-z0-9._~%/-]+/seed0\.flac", name)
        assert not {"", ".", ".."} & set(name.split("/"))


@pytest.mark.parametrize("field", sorted(set(CARD) - {"contact", "paper", "code"}))
def test_a_card_without_a_field_is_none(field: str) -> None:
    Card.model_validate_json(json.dumps(dict(CARD)))
    with pytest.raises(ValidationError, match=field):
        Card.model_validate_json(json.dumps({key: CARD[key] for key in CARD if key != field}))


def test_the_documentation_lists_the_rules_as_they_are() -> None:
    rows = re.findall(
        r"^\| `([a-z]+/[a-z0-9-]+)` \| (error|warning) \| (.+) \|$", DOCS.read_text("utf-8"), re.MULTILINE
    )
    assert rows == [(rule.code, rule.severity, rule.says) for rule in RULES.values()]
