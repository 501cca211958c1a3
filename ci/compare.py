"""Step 4: the comparison of the two runs, its page, and whether the job fails.

Only the verdicts that are asked for fail it, REGRESSED by default: a comparison that could not decide, or was not
possible, says so and lets the change pass. A wrong gate file or a fault of timbrebench always fails.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workflow import annotate, call, leave, output, summary

from bench.errors import UsageError, did_you_mean
from bench.store import strict_json

VERDICT_CODES = {1: "REGRESSED", 3: "INCOMPLETE", 4: "NOT_COMPARABLE"}
"""What `timbrebench compare` means by its exit codes, but for 0."""


def main() -> int:
    """Compare, tell the verdict, decide."""
    options = _options()
    fails = _verdicts(options.fail_on)
    gate = ["--gate", options.gate] if options.gate else []
    folders = [str(options.base), str(options.new), "--out", str(options.out)]
    code = call([str(options.timbrebench), "compare", *folders, *gate])
    if code not in (0, *VERDICT_CODES):
        return code
    markdown = options.out / "comparison.md"
    if markdown.is_file():
        summary(markdown.read_text("utf-8"))
    verdict = _verdict(options.out / "comparison.json") or VERDICT_CODES.get(code, "")
    output("verdict", verdict)
    if VERDICT_CODES.get(code) in fails:
        annotate("error", f"{verdict}: see the summary of this run for what and how much")
        return code
    if code:
        annotate("warning", f"{verdict}: see the summary of this run; this does not fail the job")
    return 0


def _verdicts(text: str) -> set[str]:
    """Raises: UsageError: for a word that is no verdict with which a job can fail."""
    wanted = {word.strip().upper().replace("-", "_") for word in text.split(",") if word.strip()}
    for word in sorted(wanted.difference(VERDICT_CODES.values())):
        raise UsageError(
            f"a job cannot fail on '{word}'",
            where="fail-on",
            remedy=did_you_mean(word, VERDICT_CODES.values()),
            code="ci/fail-on",
        )
    return wanted


def _verdict(path: Path) -> str:
    """What the comparison itself says; nothing where there is none, as when a run was never scored."""
    if not path.is_file():
        return ""
    return str(strict_json.parse_object(path.read_bytes())["verdict"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--gate", default="", help="gate file; empty: the default gate")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fail-on", default="REGRESSED", help="verdicts with commas between")
    parser.add_argument("--timbrebench", type=Path, default=Path(sys.executable).with_name("timbrebench"))
    return parser.parse_args()


if __name__ == "__main__":
    leave(main)
