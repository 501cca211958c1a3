"""Separate, edit, remix: any editor, given the stem alone; its result is laid back over the other stems.
 What many a user would do by hand, and a strong baseline: the background is kept to the bit, so every loss is in the
edited part, and coherence with the rest is left to luck. The inner editor sees the edited stem as its mixture, the
stem's phrases as its prompts ("A recording of a fast violin."), and runs once for each stem of a source that tasks
edit.
 The edited stem is brought to the loudness of the one it replaces (the editor's own level says nothing: backbones
normalise their input) and to the mixture's rate and channels.

Source: the Sep-Remix comparison of Polyphonia (ICML 2026, appendix), there around their own editor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pydantic import Field, field_validator

from bench.audio import Clip
from bench.errors import UsageError
from bench.method import Context, Cost, Decoding, Method, MethodName, Need, Prepared
from bench.registry import load_object
from bench.task import EditTask, Source, StemName


@dataclass(frozen=True, eq=False)
class _ByStem(Prepared):
    """What the inner editor prepared, for each stem that was asked for."""

    inner: dict[StemName, Prepared] = field(default_factory=dict)


class SeparateEditRemix(Method):
    """An inner editor on the stem alone, its result over the untouched others."""

    name = "separate-edit-remix"
    version = 1
    role = "baseline"
    status = "ours, after the Sep-Remix comparison of Polyphonia"
    needs = frozenset({Need.BACKBONE, Need.STEMS, Need.TARGET_PROMPT})

    class Config(Method.Config):
        """The editor, its knobs, and the level of what it gives back."""

        inner: MethodName = Field("baselines.sdedit:SDEdit", description="the editor: a method's name")
        knobs: dict[str, Any] = Field({}, description="its knobs, as JSON: '{\"steps\": 100}'")
        match_loudness: bool = Field(True, description="bring the edited stem to the loudness of the one it replaces")

        @field_validator("knobs", mode="before")
        @classmethod
        def _from_json(cls, value: Any) -> Any:
            return json.loads(value) if isinstance(value, str) else value

    config: Config

    def __init__(self, config: Config, context: Context):
        super().__init__(config, context)
        inner: type[Method] = load_object(config.inner, kind="method")
        if inner is SeparateEditRemix:
            raise UsageError(
                "the inner editor is this method itself", remedy="Choose another inner editor.", code="bad-setting"
            )
        self._editor = inner(inner.Config.model_validate(config.knobs), context)

    def cost(self) -> Cost:
        """As the inner editor's, which prepares once a stem instead of once a source: at most four times as much."""
        inner = self._editor.cost()
        return replace(inner, prepare=4 * inner.prepare, batch=4 * inner.batch)

    def networks(self) -> Mapping[str, str]:
        """Those of the inner editor."""
        return self._editor.networks()

    def prepare(self, source: Source) -> Prepared:
        """Nothing yet: which stems are edited, the tasks say."""
        return _ByStem(source)

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """The tasks of each stem as one batch of the inner editor."""
        assert isinstance(prepared, _ByStem)
        groups: dict[StemName, list[int]] = {}
        for index, task in enumerate(tasks):
            groups.setdefault(task.stem, []).append(index)
        edited = {
            stem: self._editor.edit(
                self._prepared(prepared, stem), [alone(tasks[i]) for i in rows], [seeds[i] for i in rows]
            )
            for stem, rows in groups.items()
        }
        return Decoding(partial(self._remixed, prepared.source, groups, edited))

    def _prepared(self, prepared: _ByStem, stem: StemName) -> Prepared:
        if stem not in prepared.inner:
            prepared.inner[stem] = self._editor.prepare(solo(prepared.source, stem))
        return prepared.inner[stem]

    def _remixed(
        self, source: Source, groups: Mapping[StemName, list[int]], edited: Mapping[StemName, list[Clip] | Decoding]
    ) -> list[Clip]:
        found: dict[int, Clip] = {}
        for stem, rows in groups.items():
            result = edited[stem]
            clips = result.finish() if isinstance(result, Decoding) else result
            found.update({row: self._remix(source, stem, clip) for row, clip in zip(rows, clips, strict=True)})
        return [found[row] for row in sorted(found)]

    def _remix(self, source: Source, stem: StemName, edit: Clip) -> Clip:
        """The edited stem over the others, in the mixture's rate, channels and length."""
        mixture = source.mixture
        part = edit.resample(mixture.rate).fit(mixture.length)
        if part.channels != mixture.channels:
            part = Clip.of(part.to_mono().samples.repeat(mixture.channels, axis=1), mixture.rate)
        before, after = source.stems[stem].loudness_lufs, part.loudness_lufs
        if self.config.match_loudness and before is not None and after is not None:
            part = part.scaled(10 ** ((before - after) / 20))
        return Clip.sum([source.background(stem).fit(mixture.length), part])


def solo(source: Source, stem: StemName) -> Source:
    """A source whose mixture is one of its stems.

    Raises:
        UsageError: if it has no such stem.
    """
    if stem not in source.stems:
        raise UsageError(
            f"the source has no {stem} stem to edit",
            where=source.id,
            remedy="Leave such tasks out (--only), or build the suite with stems.",
            code="no-stem",
        )
    clip = source.stems[stem]
    return Source(source.id, source.song, clip, {stem: clip}, source.stem_origin)


def alone(task: EditTask) -> EditTask:
    """The task as it is for the stem alone: prompts that name it and nothing else."""
    phrase = task.target_phrase or task.target_instrument or task.target_prompt
    source_phrase = task.source_instrument or task.stem
    prompt = f"A recording of {phrase}."
    start = prompt.index(phrase)
    return task.model_copy(
        update={
            "source_prompt": f"A recording of {source_phrase.replace('-', ' ')}.",
            "target_prompt": prompt,
            "target_phrase": phrase,
            "target_span": (start, start + len(phrase)),
            "stem_phrases": {task.stem: phrase},
        }
    )
