"""A listening test as data: what is asked, what is heard, in which order; kept in `design.json` for `ingest`.

Three kinds of test:

* **mushra**: 0 to 100 beside an open reference, with that reference hidden among the conditions and a low anchor (ITU-R
  BS.1534-3), once for each of timbre, content and quality, as in the paper on MI-guided inpainting. The reference is
  the true edit, so only tasks that have one can be asked about.
* **ratings**: one clip at a time on five points, the source beside it: TTA, CTI and GAC, as in the Polyphonia paper.
* **mos**: one clip at a time on five points, nothing beside it: mean opinion score of realism.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.errors import DataError
from bench.store import strict_json
from bench.store.atomic import write_json

FILE = "design.json"
SCHEMA: Literal["timbrebench-listening@1"] = "timbrebench-listening@1"
MOST_BYTES = 64 << 20

Kind = Literal["mushra", "ratings", "mos"]
REFERENCE, ANCHOR, SOURCE = "reference", "anchor", "source"
"""Conditions that are no system. What webMUSHRA calls the hidden reference in its results is `reference`, too."""

CHECK = "check"
"""The question of trials that only see whether instructions are read."""

LABELS = {REFERENCE: "hidden reference", ANCHOR: "anchor, 3.5 kHz low-pass", SOURCE: "source"}
SCALES: Mapping[Kind, tuple[int, int]] = {"mushra": (0, 100), "ratings": (1, 5), "mos": (1, 5)}
CHECK_SCALE = (1, 5)


@dataclass(frozen=True)
class Question:
    """What listeners are asked; each is a block of the test and has tables of its own.

    Attributes:
        name: short, for files and results. title: of its pages. asks: the question itself.
    """

    name: str
    title: str
    asks: str


_MUSHRA = (
    Question("timbre", "Timbre", "How close is the timbre of the changed instrument to that of the reference?"),
    Question(
        "content",
        "Content",
        "Leave timbre aside. How close are melody, rhythm and all other instruments to those of the reference?",
    ),
    Question("quality", "Quality", "How close is the sound quality to that of the reference?"),
)
_RATINGS = (
    Question("tta", "Target timbre", "How well does the clip have the timbre that is asked for?"),
    Question(
        "cti",
        "Context",
        "How well are melody, rhythm and all instruments that are not to be changed kept as they are in the original?",
    ),
    Question("gac", "Coherence", "How well does the clip hold together as one piece of music?"),
)
_MOS = (Question("mos", "Realism", "How natural does the clip sound, as a recording of music?"),)

QUESTIONS: Mapping[Kind, tuple[Question, ...]] = {"mushra": _MUSHRA, "ratings": _RATINGS, "mos": _MOS}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class System(_Record):
    """What is judged: `key` names it in trials, `label` in tables; `run` is the hash of its run's identity."""

    key: str
    label: str
    method: str
    run: str


class Item(_Record):
    """A task that is heard.

    Attributes:
        task, song: their names. phrase: the instrument asked for. stem: which is changed. target_prompt: of the whole.
        seconds: length of each of its clips.
        lufs: loudness of each of its clips; below the test's where a peak would not have fitted.
    """

    task: str
    song: str
    stem: str
    phrase: str
    target_prompt: str
    seconds: float
    lufs: float


class Sound(_Record):
    """One file: `id` is its name, without the ending, and says nothing of what it holds.

    Attributes:
        condition: key of a system, `reference`, `anchor` or `source`.
        gain_db: by which its loudness was matched.
        matched: whether it has the loudness of its item; silence has none, and little is raised by at most 30 dB.
        sha256: of the file.
    """

    id: str
    task: str
    condition: str
    gain_db: float
    matched: bool
    sha256: str


class Trial(_Record):
    """One question about one task: a page of MUSHRA, or a page for each clip.

    Attributes:
        id: as in the results. set: number of the listener set, from 1.
        question: name of a `Question`, or `check`.
        heard: (name in the results, condition) of each clip, in the order in which they are given.
        expected: of a check, the rating that was asked for.
    """

    id: str
    set: int = Field(ge=1)
    question: str
    task: str
    heard: tuple[tuple[str, str], ...] = Field(min_length=1)
    expected: int | None = None


class Design(_Record):
    """A whole test.

    Attributes:
        name: the test's id in webMUSHRA. sets: how many there are; each is one configuration file.
        rate: of the files in Hz. lufs: the loudness wanted. edit_seed: with which the edits were made.
        left_out: number of tasks that could not be asked about, by reason.
    """

    format: Literal["timbrebench-listening@1"] = Field(SCHEMA, alias="schema")
    name: str
    kind: Kind
    seed: int
    edit_seed: int
    sets: int = Field(ge=1)
    rate: int
    lufs: float
    suite: str
    suite_digest: str
    systems: tuple[System, ...] = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)
    sounds: tuple[Sound, ...]
    trials: tuple[Trial, ...]
    left_out: Mapping[str, int] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Design:
        conditions, tasks = set(self.labels), {item.task for item in self.items}
        questions = {each.name for each in self.questions} | {CHECK}
        if len({trial.id for trial in self.trials}) < len(self.trials):
            raise ValueError("trials: an id is there twice")
        for sound in self.sounds:
            if sound.task not in tasks or sound.condition not in conditions:
                raise ValueError(f"sound {sound.id} has a task or a condition that the test does not have")
        for trial in self.trials:
            if trial.task not in tasks or trial.question not in questions:
                raise ValueError(f"trial {trial.id} has a task or a question that the test does not have")
            if not conditions.issuperset(condition for _, condition in trial.heard):
                raise ValueError(f"trial {trial.id} has a condition that the test does not have")
            if (trial.expected is None) == (trial.question == CHECK):
                raise ValueError(f"trial {trial.id} is a check and expects nothing, or expects something and is none")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked."""
        return QUESTIONS[self.kind]

    @property
    def labels(self) -> dict[str, str]:
        """Names of all conditions for tables: the systems in order, then what stands beside them."""
        return {system.key: system.label for system in self.systems} | LABELS

    @property
    def songs(self) -> dict[str, str]:
        """The song of each task."""
        return {item.task: item.song for item in self.items}

    def scale(self, trial: Trial) -> tuple[int, int]:
        """Lowest and highest rating of a trial."""
        return CHECK_SCALE if trial.question == CHECK else SCALES[self.kind]

    def write(self, folder: Path) -> None:
        """Write `design.json`. Errors as of `bench.store.atomic.write_json`."""
        write_json(folder / FILE, self.model_dump(mode="json", by_alias=True))


def read(folder: Path) -> Design:
    """The design that `timbrebench listening export` left in a folder.

    Raises:
        DataError: if there is none, or it is not one.
    """
    path = folder / FILE
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        return Design.model_validate(strict_json.parse_object(data))
    except OSError as error:
        raise DataError(
            f"there is no listening test here: {FILE} cannot be read ({error.strerror or error})",
            where=str(folder),
            remedy="Give the folder that `timbrebench listening export --out` made; without the file it is unfinished.",
            code="listening/no-design",
        ) from error
    except ValueError as error:
        raise DataError(
            f"the design of the listening test cannot be used: {_problem(error)}",
            where=str(path),
            remedy="Take the file from a copy, or export again with the same runs, options and seed.",
            code="listening/bad-design",
        ) from error


def _problem(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'top level'}: {first['msg']}"
