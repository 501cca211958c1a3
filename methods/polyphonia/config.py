"""Polyphonia's knobs: the paper, the released code, and every ablation between and beside them.

`variant` chooses the text of the paper or the released code (github.com/Ltx-Leif/polyphonia, commit 26a5fca), which
differ in the six knobs of `VARIANTS`; one that is set by itself is obeyed whatever the variant. (A seventh difference,
which stem a task edits, lies in the tasks: `docs/methods/polyphonia.md`.)

`PRESETS` has the published settings and the rows of the paper's ablations. Their source stems come from HT-Demucs, as
published; without a preset the suite's own stems are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from bench.diffusion.attention import Block
from bench.diffusion.source_cache import CacheDtype, CachePlace
from bench.identity import digest, sha256_file
from bench.method import Method
from bench.task import STEMS

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "paper": {
        "denominator": "sum",
        "gate_axes": "time-frequency",
        "bias_stems": "target",
        "bias_words": "subject",
        "frames": "exact",
        "channels": "mean",
    },
    "release": {
        "denominator": "mixture",
        "gate_axes": "time",
        "bias_stems": "all",
        "bias_words": "phrase",
        "frames": "padded",
        "channels": "first",
    },
}
"""What the two variants decide: papers.md A3, points 1 to 6, in this order."""

_PUBLISHED = {"variant": "paper", "separator": "htdemucs", "steps": 100, "guidance": 3.5, "lam": 2.5}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "published": _PUBLISHED,
    "release": {**_PUBLISHED, "variant": "release"},
    "oracle-stems": {**_PUBLISHED, "separator": "true"},
    "without-modulation": {**_PUBLISHED, "modulation": False},
    "without-interpolation": {**_PUBLISHED, "interpolation": "off"},
    "post-softmax": {**_PUBLISHED, "interpolation": "post-softmax"},
    "norm-prior": {**_PUBLISHED, "prior": "norm"},
    "without-prior": {**_PUBLISHED, "prior": "none"},
    "linear-decay": {**_PUBLISHED, "lam_schedule": "linear"},
    "cosine-decay": {**_PUBLISHED, "lam_schedule": "cosine"},
    "up-layers": {**_PUBLISHED, "blocks": ("up",)},
    "all-layers": {**_PUBLISHED, "blocks": ("down", "mid", "up")},
}
"""Knobs that differ from the defaults, by name of the preset."""


def _split(value: object) -> object:
    """The command line gives "down,mid" for a list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _in_order(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """As executed and each once, so that one choice is recorded in one way."""
    return tuple(block for block in get_args(Block) if block in blocks)


Blocks = Annotated[tuple[Block, ...], BeforeValidator(_split), AfterValidator(_in_order)]


def _content(folder: Path) -> str:
    """Hash of the stems in a folder, wherever the folder is."""
    paths = [path for stem in STEMS for path in folder.glob(f"**/{stem}.wav")]
    return digest({path.relative_to(folder).as_posix(): sha256_file(path) for path in paths})


class PolyphoniaConfig(Method.Config):
    """Published values: paper, Sec. 5 and App.; official code, `BEST_EDIT_PARAMS`."""

    variant: Literal["paper", "release"] = Field(
        "paper", description="whose word counts where paper and released code differ"
    )

    steps: int = Field(100, ge=1, le=999, description="DDIM steps of the whole schedule")
    guidance: float = Field(3.5, ge=0, description="classifier-free guidance of the generation; 1 turns it off")
    strength: float = Field(
        1.0, gt=0, le=1, description="fraction of the schedule that is inverted and run again (release: t_start / 1000)"
    )
    break_point: float = Field(
        0.0, ge=0, lt=1, description="fraction at its end without attention control (release: swap_break_point / 1000)"
    )

    separator: Literal["true", "htdemucs", "external"] = Field(
        "true",
        description="stems behind the prior: the suite's, HT-Demucs's (published), or files of another separator",
    )
    external_stems: Path | None = Field(
        None,
        validate_default=True,
        exclude=True,
        description="for separator=external: a folder with <source id>/{vocals,drums,bass,other}.wav",
    )
    external_content: str = Field("", description="hash of these files, found when the run begins; never given")

    prior: Literal["irm", "norm", "none"] = Field(
        "irm", description="G: ideal ratio mask (eq. 9), the target's normalised envelope alone, or 1 everywhere"
    )
    denominator: Literal["sum", "mixture"] = Field(
        "sum", description="of eq. 9: target plus other stems, or (release) the mixture, and the ratio clamped to 1"
    )
    gate_axes: Literal["time-frequency", "time"] = Field(
        "time-frequency", description="G at a level: means over cells, or (release) two central bands at each time"
    )

    interpolation: Literal["pre-softmax", "post-softmax", "off"] = Field(
        "pre-softmax", description="mix of logits with the source's (eqs. 10-11), of attention maps, or none"
    )
    modulation: bool = Field(True, description="bias of text attention (eqs. 13-14)")
    lam: float = Field(2.5, ge=0, description="λ, strength of the bias")
    lam_schedule: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="λ over the steps: as it is, or decaying to 0 in a line or half a cosine"
    )
    bias_stems: Literal["target", "all"] = Field(
        "target", description="which stems' words are favoured: the edited one's, or (release) all that are named"
    )
    bias_words: Literal["subject", "phrase"] = Field(
        "subject", description="which of them: those that name the instrument, or (release) the whole phrase"
    )
    blocks: Blocks = Field(("down",), min_length=1, description="controlled blocks of the network: down, mid, up")

    frames: Literal["exact", "padded"] = Field(
        "exact", description="the clip's own mel frames, or (release) 102.4 a second with G stretched over them"
    )
    channels: Literal["mean", "first"] = Field(
        "mean", description="what is encoded: the mean of the channels, or (release) the first, its own mean removed"
    )

    cache: CachePlace = Field(
        "device", description="where the source's queries and keys are kept; recompute keeps its latents instead"
    )
    cache_dtype: CacheDtype = Field("same", description="what they are kept in; same: as the network computed them")
    entropy: bool = Field(False, description="measure the entropy of attention, and journal it with every edit")

    @model_validator(mode="before")
    @classmethod
    def _of_variant(cls, values: Any) -> Any:
        """Knobs that are not set follow the variant, so that what is recorded says them all; files go by their hash."""
        if not isinstance(values, Mapping):
            return values
        folder = Path(str(values.get("external_stems") or ""))
        content = {"external_content": _content(folder)} if values.get("external_stems") else {}
        return {**VARIANTS.get(str(values.get("variant", "paper")), {}), **values, **content}

    @property
    def separates(self) -> bool:
        """Whether stems come from HT-Demucs; a prior of 1 everywhere needs none."""
        return self.separator == "htdemucs" and self.prior != "none"

    @field_validator("external_stems")
    @classmethod
    def _with_its_separator(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        if (info.data.get("separator") == "external") != (folder is not None):
            raise ValueError("separator=external and external_stems=FOLDER go together")
        if folder is not None and not folder.is_dir():
            raise ValueError("external_stems is not a folder")
        return folder
