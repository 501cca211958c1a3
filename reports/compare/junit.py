"""A comparison as JUnit XML, which most CI systems show beside the change: one test case a gate metric.

There is no standard. What is written is what the common readers agree on (Jenkins' and Maven Surefire's schemas,
GitLab): `failure` for REGRESSED; `error` for what could not be compared; `skipped` for INCONCLUSIVE, which is neither.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from reports.compare import figures
from reports.compare.model import Comparison, MetricComparison, Verdict
from reports.escape import clean

_OUTCOMES = {
    Verdict.REGRESSED: "failure",
    Verdict.NOT_COMPARABLE: "error",
    Verdict.INCOMPLETE: "error",
    Verdict.INCONCLUSIVE: "skipped",
}
_NAME = "timbrebench compare"


def render_junit(comparison: Comparison) -> str:
    """A comparison as JUnit XML.

    A comparison that was not possible, or not whole, always has an error in it: it is never green because a reader
    found no failure.

    """
    cases = [_case(comparison, metric) for metric in comparison.gated]
    if comparison.verdict not in [metric.verdict for metric in comparison.gated] and _stops(comparison.verdict):
        cases.insert(0, _runs(comparison))
    counts = {kind: str(sum(case.find(kind) is not None for case in cases)) for kind in ("failure", "error", "skipped")}
    shared = {
        "name": _NAME,
        "tests": str(len(cases)),
        "failures": counts["failure"],
        "errors": counts["error"],
        "time": "0",
    }
    root = ET.Element("testsuites", shared)
    suite = ET.SubElement(root, "testsuite", {**shared, "skipped": counts["skipped"]})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(comparison):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    suite.extend(cases)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(comparison: Comparison, metric: MetricComparison) -> ET.Element:
    case = _named(comparison, figures.heading(metric.name, metric.direction, metric.unit))
    kind = _OUTCOMES.get(metric.verdict)
    places = figures.decimals(metric)
    said = ", ".join(filter(None, [metric.reason, figures.decisive(metric)]))
    numbers = f"{figures.change(metric, places)} {metric.unit}".rstrip()
    if kind is None:
        ET.SubElement(case, "system-out").text = "\n".join(map(clean, _told(metric)))
    else:
        _outcome(case, kind, metric.verdict, f"{metric.verdict}: {said or numbers}", _told(metric))
    return case


def _runs(comparison: Comparison) -> ET.Element:
    """The case of the comparison itself, where no metric tells what stopped it."""
    case = _named(comparison, "the two runs")
    fields = (f"{each.field}: {each.base} in base, {each.new} in new" for each in comparison.differences)
    details = [*comparison.incomplete, *fields]
    _outcome(case, "error", comparison.verdict, f"{comparison.verdict}: {figures.told(comparison)}", details)
    return case


def _named(comparison: Comparison, name: str) -> ET.Element:
    # Readers take what stands before the last dot of a class name for its package.
    suite = clean(comparison.new.suite).replace(".", "_")
    return ET.Element("testcase", {"classname": f"timbrebench.{suite}", "name": clean(name), "time": "0"})


def _outcome(case: ET.Element, kind: str, verdict: Verdict, message: str, details: list[str]) -> None:
    attributes = {"message": clean(message)} | ({} if kind == "skipped" else {"type": verdict.value})
    ET.SubElement(case, kind, attributes).text = "\n".join(map(clean, details))


def _told(metric: MetricComparison) -> list[str]:
    """All that there is to say of a metric, in lines."""
    places = figures.decimals(metric)
    smallest = metric.smallest_effect
    lines = [
        f"base {figures.number(metric.base_mean, places)}, new {figures.number(metric.new_mean, places)}",
        f"difference {figures.change(metric, places)}, matters from {figures.number(smallest, places)}",
        f"p {figures.probability(metric.p)}, with Holm's correction {figures.probability(metric.p_holm)}",
        f"{figures.basis(metric)}; a true difference of {figures.number(metric.mde, places)} would be found",
    ]
    missing = figures.missing(metric.missing)
    return [*lines, *([f"no value: {missing}"] if missing else []), metric.identity]


def _properties(comparison: Comparison) -> Iterator[tuple[str, str]]:
    yield "verdict", comparison.verdict.value
    yield "headline", comparison.headline
    yield "base", f"{comparison.base.label} {comparison.base.digest}"
    yield "new", f"{comparison.new.label} {comparison.new.digest}"
    if alarms := figures.false_alarms(comparison):
        yield "false-alarms", alarms
    for number, caveat in enumerate(comparison.caveats, start=1):
        yield f"caveat-{number}", caveat


def _stops(verdict: Verdict) -> bool:
    return verdict in (Verdict.NOT_COMPARABLE, Verdict.INCOMPLETE)
