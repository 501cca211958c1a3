from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from made_comparison import comparison, hostile, metric
from parsed_page import EVIL

from reports.compare.junit import render_junit
from reports.compare.model import FieldDifference, Verdict


def parsed(made) -> ET.Element:
    return ET.fromstring(render_junit(made).encode())


def outcomes(root: ET.Element) -> dict[str, str]:
    kinds = ("failure", "error", "skipped")
    return {
        case.attrib["name"]: next((kind for kind in kinds if case.find(kind) is not None), "passed")
        for case in root.iter("testcase")
    }


def test_every_gate_metric_is_a_case_and_no_other_is() -> None:
    root = parsed(comparison())
    assert outcomes(root) == {"clap ↑": "failure", "lpaps ↓": "skipped"}
    suite = root.find("testsuite")
    assert {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    assert root.attrib["tests"] == "2" and root.attrib["failures"] == "1"


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.REGRESSED, "failure"),
        (Verdict.NOT_COMPARABLE, "error"),
        (Verdict.INCOMPLETE, "error"),
        (Verdict.INCONCLUSIVE, "skipped"),
        (Verdict.EQUIVALENT, "passed"),
        (Verdict.IMPROVED, "passed"),
    ],
)
def test_what_a_verdict_becomes(verdict, outcome) -> None:
    assert outcomes(parsed(comparison(verdict, metrics=(metric("clap", verdict),)))) == {"clap ↑": outcome}


def test_a_failure_says_by_how_much() -> None:
    failure = parsed(comparison()).find(".//failure")
    assert failure.attrib["message"] == "REGRESSED: -0.050 [-0.070, -0.030]"
    assert "p 0.004, with Holm's correction 0.012" in failure.text


def test_what_would_decide_is_in_the_message_of_a_skipped_case() -> None:
    skipped = parsed(comparison()).find(".//skipped")
    assert skipped.attrib["message"] == "INCONCLUSIVE: about 40 songs would decide"


@pytest.mark.parametrize("verdict", [Verdict.NOT_COMPARABLE, Verdict.INCOMPLETE])
def test_without_metrics_a_comparison_is_never_green(verdict) -> None:
    field = FieldDifference(field="suite.digest", base="aa", new="bb", allowed=False)
    made = comparison(verdict, metrics=(), differences=(field,), headline="the runs are of two suites")
    root = parsed(made)
    assert outcomes(root) == {"the two runs": "error"}
    error = root.find(".//error")
    assert error.attrib["message"] == f"{verdict}: the runs are of two suites"
    assert "suite.digest: aa in base, bb in new" in error.text


def test_only_what_readers_know_is_written() -> None:
    """Jenkins' schema: which attributes an element may have, and its children in their order."""
    known = {
        "testsuites": ({"name", "tests", "failures", "errors", "time"}, ["testsuite"]),
        "testsuite": (
            {"name", "tests", "failures", "errors", "skipped", "time"},
            ["properties", "testcase"],
        ),
        "properties": (set(), ["property"]),
        "property": ({"name", "value"}, []),
        "testcase": ({"name", "classname", "time"}, ["skipped", "error", "failure", "system-out"]),
        "failure": ({"message", "type"}, []),
        "error": ({"message", "type"}, []),
        "skipped": ({"message"}, []),
        "system-out": (set(), []),
    }
    for element in parsed(comparison()).iter():
        attributes, children = known[element.tag]
        assert set(element.attrib) <= attributes
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)


@pytest.mark.parametrize("text", [EVIL, "]]> <![CDATA[ &amp; \ud800 \ufffe \x00\x0b", "a.b.c", "\n\t"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_hostile_names_stay_inside_their_attributes(text, verdict) -> None:
    root = parsed(hostile(text, rows=2, verdict=verdict))
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase"),
        *("failure", "error", "skipped", "system-out"),
    }
    assert {case.attrib["classname"].count(".") for case in root.iter("testcase")} == {1}
    assert "\x1b" not in ET.tostring(root, encoding="unicode")
