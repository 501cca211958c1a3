"""A listener set as a configuration of webMUSHRA (Schoeffler et al., JORS 6, 2018), which is not ours to ship.

Pages are HTML in the browser of a listener, and prompts come from anyone: all text is escaped. Clips have names that
say nothing, and pages never show a system.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import yaml

from bench.identity import derive_seed
from reports.escape import clean
from reports.listening_test.design import CHECK, REFERENCE, SOURCE, Design, Item, Trial

FOLDER = "configs"
"""Where webMUSHRA looks for configurations; all paths in them are from its root."""

SOUNDS = "stimuli"
LISTENER = "listener"
"""Of the last page's questionnaire, and so of a column of the results: the code by which a listener is known."""

POINTS = ("Bad", "Poor", "Fair", "Good", "Excellent")
"""Of the five-point scale (ITU-T P.800), from 1 on."""

_INTRODUCTION = {
    "mushra": "<p>On every page you hear a reference and several versions of it. Rate each from 0 to 100 by the "
    "question on the page: 100 means that you hear no difference from the reference. One of the versions <em>is</em> "
    "the reference. You may listen as often as you like.</p>",
    "ratings": "<p>A computer was asked to change one instrument of a piece of music and to leave the rest alone. On "
    "every page you hear one result. Rate it by the question on the page.</p>",
    "mos": "<p>On every page you hear one clip of music. Rate it by the question on the page.</p>",
}
_ADVICE = "<p>Please use headphones in a quiet room, and do not change the volume once the test has begun.</p>"


def sound_path(name: str, sound: str) -> str:
    """A sound's file below webMUSHRA's root."""
    return f"{FOLDER}/{name}/{SOUNDS}/{sound}.wav"


def config_name(number: int) -> str:
    """The file of a listener set, by its number from 1."""
    return f"set{number:02d}.yaml"


def config(design: Design, number: int) -> str:
    """The YAML of a listener set, by its number from 1."""
    trials = [trial for trial in design.trials if trial.set == number]
    pages = _with_checks(design, number, [page for trial in trials for page in _pages(design, trial)])
    value = {
        "testname": "Listening test",
        "testId": design.name,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [*_opening(design), *pages, _finish()],
    }
    return str(
        yaml.dump(
            value, Dumper=_Plain, sort_keys=False, allow_unicode=True, default_flow_style=False, width=sys.maxsize
        )
    )


class _Plain(yaml.SafeDumper):
    """YAML as webMUSHRA's own reader knows it: one line a value, no flow style, lists indented below their name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# -- pages ------------------------------------------------------------------------------------------------------------


def _opening(design: Design) -> Iterator[Mapping[str, Any]]:
    content = _INTRODUCTION[design.kind] + _ADVICE
    yield {"type": "generic", "id": "introduction", "name": "Welcome", "content": content}
    yield {
        "type": "volume",
        "id": "volume",
        "name": "Volume",
        "content": "Please set a comfortable volume, and leave it there.",
        "stimulus": sound_path(design.name, design.sounds[0].id),
        "defaultVolume": 0.5,
    }


def _finish() -> Mapping[str, Any]:
    question = {"type": "text", "label": "Your listener code", "name": LISTENER, "optional": False}
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Enter the code that you were given, then send your answers.",
        "showResults": False,
        "writeResults": True,
        "questionnaire": [question],
    }


def _with_checks(design: Design, number: int, pages: Sequence[Any]) -> list[Any]:
    """The pages with the checks between them: one in each of as many equal parts, its place by lot."""
    checks = [page for trial in design.trials if trial.set == number for page in _check_pages(design, trial)]
    dice = random.Random(derive_seed(design.seed, "listening", "checks", str(number)))
    result = list(pages)
    for place in reversed(range(len(checks))):
        part = (place * len(pages) // len(checks), (place + 1) * len(pages) // len(checks))
        result.insert(dice.randint(min(part[0] + 1, part[1]), part[1]), checks[place])
    return result


def _pages(design: Design, trial: Trial) -> Iterator[Mapping[str, Any]]:
    """What a trial is for its listener: a page of MUSHRA, or one page for each clip. None for a check."""
    if trial.question == CHECK:
        return
    item = next(item for item in design.items if item.task == trial.task)
    question = next(question for question in design.questions if question.name == trial.question)
    head = {"id": trial.id, "name": question.title, "content": f"<p><b>{escape(question.asks)}</b></p>"}
    if design.kind == "mushra":
        yield {"type": "mushra", **head, **_mushra(design, trial, item)}
        return
    if design.kind == "ratings":
        head["content"] += _beside(design, item)
    for name, _ in trial.heard:
        yield {"type": "likert_single_stimulus", **head, **_likert(design, name)}


def _mushra(design: Design, trial: Trial, item: Item) -> Mapping[str, Any]:
    # webMUSHRA puts the reference among the conditions itself, and must shuffle them: it comes last otherwise.
    return {
        "showWaveform": True,
        "enableLooping": True,
        "reference": sound_path(design.name, _sound(design, item.task, REFERENCE)),
        "createAnchor35": False,
        "createAnchor70": False,
        "randomize": True,
        "showConditionNames": False,
        "stimuli": {name: sound_path(design.name, name) for name, condition in trial.heard if condition != REFERENCE},
    }


def _likert(design: Design, sound: str) -> Mapping[str, Any]:
    points = [{"value": value, "label": f"{value} {label}"} for value, label in enumerate(POINTS, start=1)]
    return {
        "mustRate": True,
        "mustPlayback": "ended",
        "stimuli": {sound: sound_path(design.name, sound)},
        "response": points,
    }


def _beside(design: Design, item: Item) -> str:
    """The original, and what was asked for."""
    path = sound_path(design.name, _sound(design, item.task, SOURCE))
    wanted = escape(clean(item.phrase))
    return (
        f"<p>Instead of the {escape(_PARTS[item.stem])} there should be <b>{wanted}</b>.</p>"
        f'<p>The original: <audio controls preload="none" src="{escape(path)}"></audio></p>'
    )


_PARTS = {
    "vocals": "vocals",
    "drums": "drums",
    "bass": "bass",
    "other": "instrument in front (not vocals, drums or bass)",
}


def _check_pages(design: Design, trial: Trial) -> Iterator[Mapping[str, Any]]:
    if trial.question != CHECK or trial.expected is None:
        return
    wanted = f"{trial.expected} {POINTS[trial.expected - 1]}"
    content = f"<p>This page sees whether instructions are read. Whatever you hear, choose <b>{wanted}</b>.</p>"
    for name, _ in trial.heard:
        page = {"type": "likert_single_stimulus", "id": trial.id, "name": "Please read", "content": content}
        yield {**page, **_likert(design, name)}


def _sound(design: Design, task: str, condition: str) -> str:
    return next(sound.id for sound in design.sounds if (sound.task, sound.condition) == (task, condition))
