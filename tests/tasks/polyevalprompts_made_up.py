"""Made-up prompts and recordings in the layouts of PolyEvalPrompts and MUSDB18-HQ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.audio import Clip
from bench.suite import Suite
from tasks.polyevalprompts import MUSDB18_TEST, MUSICDELTA, PolyEvalPrompts

INSTRUMENTS = (
    *("violin", "viola", "cello", "flute", "oboe", "clarinet", "trumpet"),
    *("trombone", "harp", "piano", "organ", "banjo", "marimba", "accordion"),
)
TRACKS = ("PR - Oh No", "Zeno - Signs")


def build(prompts: Path | None = None, medleydb: Path | None = None, **options: object) -> Suite:
    return PolyEvalPrompts(PolyEvalPrompts.Options(prompts=prompts, medleydb=medleydb, **options)).build()


def entry(song: str, **stems: str) -> dict[str, str]:
    """An edit without defects: the stems given are what changes."""
    phrases = {"Vocals": "", "Others": "a guitar", "Bass": "a bass", "Drums": "drums"}

    def prompt(words: dict[str, str]) -> str:
        return f"{song} with {words['Others']}, {words['Bass']} and {words['Drums']}."

    target = phrases | stems
    fields = {f"{stem} Softmask Prompt": phrase for stem, phrase in target.items()}
    return {"Original Prompt": prompt(phrases), "Baseline Prompt": prompt(target)} | fields


def edits(song: str, **changes: str) -> dict[str, dict[str, str]]:
    """Fifteen edits of the guitar and the bass; the fields given are other than they should be in the first."""
    found = {f"guitar2{name}": entry(song, Others=f"a {name}") for name in INSTRUMENTS}
    found["bass2tuba"] = entry(song, Bass="a tuba")
    found["guitar2violin"] |= changes
    return found


def write_prompts(root: Path) -> Path:
    """All 78 folders with made-up prompts that have no defects."""
    for folder, names in (("musdb18_test", MUSDB18_TEST), ("musicdelta", MUSICDELTA)):
        for name in names:
            (root / folder / name).mkdir(parents=True)
            (root / folder / name / "prompt_multi.json").write_text(json.dumps(edits(name)))
    return root


def write_musdb(root: Path, tracks: tuple[str, ...] = TRACKS) -> Path:
    """Tracks of 12.5 s, whose drums come in at 2 s; at a low rate, to be quick."""
    rng = np.random.default_rng(0)
    for name in tracks:
        stems = {}
        for stem in ("vocals", "drums", "bass", "other"):
            samples = rng.integers(-2000, 2000, (100_000, 2)) / 2**15
            samples[: 16_000 if stem == "drums" else 0] = 0
            stems[stem] = Clip.of(samples, 8000)
        for stem, clip in {**stems, "mixture": Clip.sum(list(stems.values()))}.items():
            clip.write_wav(root / "test" / name / f"{stem}.wav")
    return root
