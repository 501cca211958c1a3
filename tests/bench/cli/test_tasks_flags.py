"""Every flag that a task can carry is explained: to the commands by `tasks.flags`, to people in `docs`."""

from __future__ import annotations

import re
from pathlib import Path

from bench.cli import catalogue
from tasks.flags import MEANINGS

DOCS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parents[3] / "docs").glob("*.md"))]


def documented() -> set[str]:
    """The first column of every table whose heading is `flag`."""
    found: set[str] = set()
    for text in DOCS:
        for table in re.findall(r"^\| *flag *\|.*\n\|[-:| ]+\n((?:\|.*\n?)+)", text, flags=re.MULTILINE):
            found |= set(re.findall(r"^\| *`([^`]+)`", table, flags=re.MULTILINE))
    return found


def test_docs_and_commands_explain_the_same_flags() -> None:
    in_words = {flag for text in DOCS for flag in re.findall(r"`([a-z0-9-]+)`", text)}
    assert documented() <= set(MEANINGS)
    assert set(MEANINGS) <= in_words


def test_a_meaning_is_one_line() -> None:
    for flag, meaning in MEANINGS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", flag)
        assert 10 < len(meaning) < 100 and "\n" not in meaning and not meaning.endswith("."), flag


def test_the_flags_of_published_prompts_are_explained(shared_data: Path) -> None:
    builder = catalogue.suites().get("polyevalprompts")
    options = builder.Options.model_validate({"prompts": shared_data / "PolyEvalPrompts"})
    flags = {flag for task in builder(options).build().tasks for flag in task.flags}
    assert len(flags) > 10 and flags <= set(MEANINGS)
