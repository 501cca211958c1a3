"""`ci`: the songs of `synth` that regression reports on method changes are made with, always the same.

Sixteen songs, since songs are what a comparison counts; two edits each, the first of vocals and of other, where timbre
is hardest; five seconds, so that one method on nano takes a few minutes of two cores. None of them was trained on.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tasks.synth.suite import Synth


class Ci(Synth):
    """The fixed songs of CI reports: 16, of five seconds, with two edits each."""

    name: ClassVar[str] = "ci"
    version: ClassVar[int] = 1

    class Options(Synth.Options):
        """Nothing that decides a task can be chosen, so that any two reports are about the same."""

        songs: Literal[16] = Field(16, description="number of songs; fixed")
        edits: Literal[2] = Field(2, description="edits a song; fixed")
        seed: Literal[2026] = Field(2026, description="of the songs; fixed")
        duration_s: Literal[5] = Field(5, description="length of the excerpt, in seconds; fixed")

    options: Options
