"""The builder of `pairs`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from bench.errors import DataError, UsageError
from bench.suite import Suite, SuiteBuilder
from bench.task import EditTask, SourceRef
from tasks import excerpts, instruments
from tasks.pairs import rules
from tasks.pairs.from_notes import of_notes
from tasks.pairs.from_phrases import of_phrases, of_rendered_phrases
from tasks.pairs.from_suite import of_suite
from tasks.pairs.material import Material, Wanted
from tasks.pairs.pairing import Pair, choose_pairs, possible_pairs
from tasks.pairs.recordings import Recording
from tasks.synth.phrases import has_phrases

PROMPT = "A recording of {}."


def _folders(value: Any) -> Any:
    """`medleydb=/data/MedleyDB,synth=/data/synth`, as the command line gives it."""
    if not isinstance(value, str):
        return value
    pairs = [each.partition("=") for each in value.split(",")]
    if not all(name and folder for name, _, folder in pairs):
        raise ValueError("not NAME=FOLDER, or several with commas between")
    return {name: folder for name, _, folder in pairs}


class Pairs(SuiteBuilder):
    """Contexts and references of different songs and different instruments, after the paper on MI-guided inpainting."""

    name: ClassVar[str] = "pairs"
    version: ClassVar[int] = 1

    class Options(SuiteBuilder.Options):
        """How many pairs, of what; without `notes` and `tasks`, of phrases that are rendered for it."""

        pairs: int = Field(100, ge=1, le=100_000, description="number of pairs")
        seed: int = Field(0, ge=0, lt=2**53, description="of every choice, and of the phrases that are rendered")
        duration_s: float = Field(10.0, ge=2.0, le=60.0, description="length of the clips, in seconds")
        max_silence_s: float = Field(5.0, ge=0.0, description="how much of a clip may be silent, in seconds")
        notes: Path | None = Field(
            None, description="folder in NSynth's layout (audio/, examples.json): its phrases, else its notes joined"
        )
        tasks: Path | None = Field(None, description="tasks file whose stems are the clips")
        root: Annotated[dict[str, Path], BeforeValidator(_folders)] = Field(
            {}, description="NAME=FOLDER: where the audio of `tasks` is now, if it was moved; several with commas"
        )
        monophonic_only: bool = Field(False, description="only contexts that are a single line")

    options: Options

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """`pairs:200@7` is 200 pairs of seed 7.

        Raises:
            UsageError: if it is not a number, or two with @ between.
        """
        count, at, seed = text.partition("@")
        if not count.isdecimal() or (at and not seed.isdecimal()):
            raise UsageError(
                f"'{text}' is not a number of pairs", remedy="Write pairs:200, or pairs:200@7.", code="bad-shorthand"
            )
        return {"pairs": count} | ({"seed": seed} if at else {})

    def build(self) -> Suite:
        """Hear the material, choose the pairs and lay out their tasks.

        Raises:
            UsageError: if both `notes` and `tasks` are given.
            DataError: if the material does not suffice (it says for how many pairs it would), or cannot be read.
            AudioError: if an audio file cannot be used.
        """
        material = self._material()
        contexts = [each for each in material.recordings if each.monophonic or not self.options.monophonic_only]
        pairs = choose_pairs(contexts, material.recordings, self.options.pairs, seed=self.options.seed)
        if len(pairs) < self.options.pairs:
            raise self._too_few(contexts, material)
        tasks = [self._task(number, *pair) for number, pair in enumerate(pairs)]
        sources = _sources(pairs)
        return Suite(self.name, self.version, self._rules(material), sources, tuple(tasks), material.roots)

    def _material(self) -> Material:
        options = self.options
        wanted = Wanted(options.pairs, options.duration_s, options.max_silence_s, options.seed)
        if options.notes and options.tasks:
            raise UsageError(
                "the clips are of notes or of a tasks file, not both",
                remedy="Give --notes FOLDER or --tasks FILE.",
                code="pairs/one-material",
            )
        if options.tasks:
            return of_suite(options.tasks, options.root, wanted, self.track)
        if options.notes:
            of_folder = of_phrases if has_phrases(options.notes) else of_notes
            return of_folder(options.notes, wanted, self.track)
        return of_rendered_phrases(wanted, self.track)

    def _rules(self, material: Material) -> dict[str, Any]:
        """All that decides the tasks, but where the audio is."""
        return {
            **self.options.model_dump(mode="json", exclude={"notes", "tasks", "root"}),
            **rules.describe(self.options.max_silence_s),
            "excerpt": excerpts.describe(self.options.duration_s),
            "instruments": instruments.VERSION,
            "material": dict(material.rules),
        }

    def _task(self, number: int, context: Recording, reference: Recording) -> EditTask:
        stem, phrase, start = context.label.stem, reference.label.phrase, PROMPT.index("{}")
        return EditTask(
            id=f"{self.name}/{number:05d}/{context.label.instrument}2{reference.label.instrument}",
            suite=self.name,
            song=context.song,
            source=context.id,
            stem=stem,
            source_prompt=PROMPT.format(context.label.phrase),
            target_prompt=PROMPT.format(phrase),
            target_phrase=phrase,
            target_span=(start, start + len(phrase)),
            stem_phrases={stem: phrase},
            source_instrument=context.label.instrument,
            target_instrument=reference.label.instrument,
            monophonic=context.monophonic,
            target_audio=reference.reference(),
            flags=tuple(sorted({*context.flags, *(("monophonic",) if context.monophonic else ())})),
        )

    def _too_few(self, contexts: Sequence[Recording], material: Material) -> DataError:
        count = possible_pairs(contexts, material.recordings)
        clips = Counter(each.label.instrument for each in material.recordings)
        told = ", ".join(f"{name} {number}" for name, number in sorted(clips.items())) or "none"
        refused = ", ".join(f"{number} {why}" for why, number in sorted(material.refused.items()))
        single = f", {len(contexts)} of them single lines" if self.options.monophonic_only else ""
        return DataError(
            f"the material gives {count} pairs of different songs and instruments, not {self.options.pairs}",
            where=f"usable clips: {told}{single}{'; not usable: ' if refused else ''}{refused}",
            remedy=(f"Ask for --pairs {count}, or g" if count else "G")
            + "ive material with more songs or instruments.",
            code="pairs/too-few",
        )


def _sources(pairs: Sequence[Pair]) -> dict[str, SourceRef]:
    """The contexts, each once. Its licence names those of its references, which its tasks need as well."""
    licences: dict[str, dict[str, None]] = defaultdict(dict)
    for context, reference in pairs:
        licences[context.id] |= {context.licence: None, reference.licence: None}
    contexts = {context.id: context for context, _ in pairs}
    return {name: context.source("; ".join(licences[name])) for name, context in contexts.items()}
