"""Audio made elsewhere: scored like any method's, matched to tasks by name.

For systems that cannot run here: without public weights (WaveTransfer, Diff-A-Riff, Music ControlNet), with their own
inputs (Instruct-MusicGen), or simply in another program. A task's file is its id with any of these endings, folders or
not: `synth/0001-night/voice2violin.wav`, `synth__0001-night__voice2violin.flac`. A task without a file has failed, and
counts as such; files that belong to no task are an error when the run begins, because they are a misspelt id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from bench.audio import Clip
from bench.errors import DataError
from bench.identity import digest, sha256_file
from bench.method import Context, Method, Prepared
from bench.task import EditTask

ENDINGS = (".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3")


class External(Method):
    """Files of a folder in place of a method's edits."""

    name = "external"
    version = 1
    status = "audio made elsewhere, by whatever made it"

    class Config(Method.Config):
        """Where the audio is; only the hash of what is in it is part of a run's identity."""

        audio: Path = Field(description="folder with one file a task, named by the task's id", exclude=True)
        content: str = Field("", description="hash of the files, found when the run begins; never given")

        @model_validator(mode="before")
        @classmethod
        def _hashed(cls, values: Any) -> Any:
            if not isinstance(values, Mapping) or "audio" not in values:
                return values  # which is for the model itself to refuse
            if not Path(str(values["audio"])).is_dir():
                raise ValueError("audio is not a folder")
            files = audio_files(Path(str(values["audio"])))
            return {**values, "content": digest({name: sha256_file(path) for name, path in files.items()})}

    config: Config

    def __init__(self, config: Config, context: Context):
        super().__init__(config, context)
        self._files = audio_files(config.audio)
        known = {task.id for task in context.suite.tasks}
        strange = sorted(set(self._files) - known)
        if strange:
            raise DataError(
                f"{len(strange)} files belong to no task of the suite, first {strange[0]}",
                where=str(config.audio),
                remedy="Name each file by its task's id (`timbrebench tasks list FILE`), with '/' or '__' in it.",
                code="data/external-names",
            )

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """The files of the tasks, as they are.

        Raises:
            DataError: if a task has none.
            AudioError: if one cannot be used.
        """
        return [self._read(task) for task in tasks]

    def _read(self, task: EditTask) -> Clip:
        if task.id not in self._files:
            raise DataError(
                "there is no file for this task",
                where=f"{task.id} in {self.config.audio}",
                remedy=f"Add {task.id}.wav, or accept that the task counts as failed.",
                code="data/external-missing",
            )
        return Clip.read(self._files[task.id])


def audio_files(folder: Path) -> dict[str, Path]:
    """The audio files of a folder by the task id that their names spell.

    Raises:
        DataError: if two spell one id.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix().replace("__", "/")
        if name in found:
            raise DataError(
                f"two files are for {name}",
                where=f"{found[name]} and {path}",
                remedy="Keep one of them.",
                code="data/external-twice",
            )
        found[name] = path
    return found
