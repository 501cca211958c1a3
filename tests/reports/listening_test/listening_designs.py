"""Listening tests without audio, and listeners who are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reports.listening_test.design import ANCHOR, CHECK, REFERENCE, Design, Item, Kind, Sound, System
from reports.listening_test.trials import sound_id, trials

Effects = Mapping[str, float]


def design(
    kind: Kind = "ratings", labels: Sequence[str] = ("ours", "theirs", "old"), tasks: int = 6, sets: int = 2, **changes
) -> Design:
    """A test of `tasks` tasks of as many songs; MUSHRA has a hidden reference and an anchor."""
    systems = tuple(System(key=f"s{n}", label=label, method="m", run="ab" * 32) for n, label in enumerate(labels))
    conditions = [system.key for system in systems] + ([REFERENCE, ANCHOR] if kind == "mushra" else [])
    names = [f"suite/song{n}/edit" for n in range(tasks)]
    items = tuple(
        Item(task=name, song=f"song{n}", stem="bass", phrase="a cello", target_prompt="a", seconds=1.0, lufs=-23.0)
        for n, name in enumerate(names)
    )
    sounds = tuple(
        Sound(id=sound_id(0, name, c), task=name, condition=c, gain_db=0.0, matched=True, sha256="ab" * 32)
        for name in names
        for c in conditions
    )
    asked = trials(kind, conditions, names, sets=sets, heard=len(conditions), checks=3, seed=0)
    fields = {
        "name": "test", "kind": kind, "seed": 0, "edit_seed": 0, "sets": sets, "rate": 48_000, "lufs": -23.0,
        "suite": "suite@1", "suite_digest": "cd" * 32, "systems": systems, "items": items, "sounds": sounds,
        "trials": tuple(asked), **changes,
    }  # fmt: skip
    return Design(**fields)


def answers(
    test: Design, listeners: int, effects: Effects, *, seed: int = 0, taste: float = 0.3, careless: Sequence[int] = ()
) -> list[tuple[str, str, str, str]]:
    """What listeners answer, as rows (listener, trial, name of the clip, rating).

    Each has a level and a width of their own on the scale, and a taste for each condition, beside the true `effects`
    (in units of a listener's noise). The careless choose by chance, wherever they are.
    """
    dice = np.random.default_rng(seed)
    rows = []
    for number in range(listeners):
        level, width = dice.normal(0, 0.5), dice.uniform(0.5, 1.5)
        likes = {condition: dice.normal(0, taste) for condition in test.labels}
        for trial in (trial for trial in test.trials if trial.set == 1 + number % test.sets):
            low, high = test.scale(trial)
            for name, condition in trial.heard:
                if number in careless:
                    value = dice.uniform(low, high)
                elif trial.question == CHECK:
                    value = trial.expected
                elif test.kind == "mushra" and condition == REFERENCE:
                    value = dice.uniform(91, 100)
                else:
                    inner = level + width * (effects.get(condition, 0.0) + likes[condition] + dice.normal())
                    value = np.clip((low + high) / 2 + inner * (high - low) / 8, low, high)
                rows.append((f"listener{number:02d}", trial.id, name, str(round(value))))
    return rows


def ours_csv(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows in our own columns."""
    return "listener,trial,stimulus,rating\n" + "".join(",".join(row) + "\n" for row in rows)


def webmushra_csv(test: Design, rows: Sequence[tuple[str, str, str, str]]) -> tuple[str, str]:
    """Rows as webMUSHRA's service writes them: the file of MUSHRA pages, and that of single-stimulus pages."""
    of = {trial.id: trial for trial in test.trials}
    mushra = ["session_test_id,listener,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment"]
    single = ["session_test_id,listener,session_uuid,trial_id,stimuli_rating,stimuli,rating_time"]
    for listener, trial, name, rating in rows:
        head = f"{test.name},{listener},uuid-{listener},{trial}"
        if test.kind == "mushra" and of[trial].question != CHECK:
            mushra.append(f"{head},{name},{rating},1234,")
        else:
            single.append(f'{head}," {rating} ",{name},1234')
    return "\n".join(mushra) + "\n", "\n".join(single) + "\n"
