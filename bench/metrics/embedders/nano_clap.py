"""nano-clap: a small `ClapModel` trained on rendered songs, which ships with timbrebench.

It hears which instrument of the synth suite plays, alone and in mixtures, as far as `docs/nano-eval.md` says. Its
numbers are comparable among themselves only: it has never heard a recording.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bench.metrics.embedders.hf_clap import HfClap


def _shipped() -> Path:
    """`SHIPPED / CLAP` of `bench.backbones.nano.ship`, not imported: backbones and metrics stay apart."""
    spec = find_spec("bench")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "backbones" / "nano" / "shipped" / "text_encoder"


class NanoClap(HfClap):
    """The embedded CLAP, at 16 kHz."""

    name = "nano-clap"
    version = 1
    rate = 16_000
    licence = "MIT; trained on audio rendered with the samples of TimGM6mb.sf2 (GPL-2.0)"
    folder = _shipped()
