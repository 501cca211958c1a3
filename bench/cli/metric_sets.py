"""Which metrics `score` computes: named sets, and names with an embedder (`fad:vggish`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench.cli import catalogue
from bench.errors import UnknownNameError, UsageError, did_you_mean
from bench.registry import Entry

if TYPE_CHECKING:
    from bench.metric import Metric

DEFAULT = (
    "cqt1-pcc",
    "cqt1-pcc@steermusic",
    "chroma-cosine",
    "onset-f1",
    "dpd-pesto-cents",
    "background-logmel",
    "background-onset-f1",
    "true-edit-logmel",
    "loudness-change",
    "clipping",
)
"""What needs no checkpoint: every machine can compute it."""

POLYPHONIA = ("clap", "lpaps@manor2024", "cqt1-pcc@steermusic", "fad@fadtk", "kad@kadtk-1.1.0")
"""The columns of Polyphonia's table; ASB and AMB are made from them where methods stand side by side, in reports."""

MI_INPAINTING = ("dpd-pesto-cents", "onset-f1", "onset-f1-100ms", "fad:vggish", "fad", "clap-reference")
"""The columns of the MI-guided inpainting paper's table."""

CI = (
    "clap-phrase:nano-clap",
    "clap:nano-clap",
    "lpaps:nano-clap",
    *(name for name in DEFAULT if name != "cqt1-pcc@steermusic"),
)
"""For `synth` songs, whose sounds nano-clap knows: of no use on recorded music. The demo and CI reports use it."""

SETS = {
    "default": DEFAULT,
    "ci": CI,
    "polyphonia": POLYPHONIA,
    "mi-inpainting": MI_INPAINTING,
    "paper": tuple(dict.fromkeys(POLYPHONIA + MI_INPAINTING)),
}


def targets(text: str) -> list[str]:
    """The targets (see `bench.runner.scoring.load`) of sets and metrics named with commas between, each once.

    Raises:
        UsageError: for an unknown name, an embedder where none is used or one that cannot do what the metric asks for,
            or none where one is needed.
        ModelError: if a metric that is asked for by name needs a package that is not installed.
    """
    registered = [entry.name for entry in catalogue.metrics().entries()]
    sets = {**SETS, "all": registered}
    names: list[str] = []
    for name in (part.strip() for part in text.split(",") if part.strip()):
        base = _parted(name)[0]
        if base not in {*sets, *registered} and ":" not in base:
            raise UnknownNameError(f"unknown metric '{base}'", remedy=did_you_mean(base, [*sets, *registered]))
        if name not in sets and (package := getattr(catalogue.metrics().get(base), "package", None)):
            package.require()
        names += sets.get(name, (name,))
    if not names:
        raise UsageError("no metric is named", remedy=did_you_mean("", sets), code="no-metric")
    return list(dict.fromkeys(target(name) for name in names))


def target(name: str) -> str:
    """The target of one metric: `fad:vggish` is FAD in VGGish's space, `fad` in that of its default embedder.

    Both may be given by dotted paths, as plug-ins that nobody registered: `my.metrics:Warmth:my.models:Ears`.

    Raises:
        UsageError: as `targets`.
    """
    base, embedder = _parted(name)
    kind = catalogue.metrics().get(base)
    entries = catalogue.metrics().entry(base), *_embedder(name, kind, base, embedder)
    return "|".join((*(entry.target for entry in entries), *getattr(kind, "networks", ())))


def _embedder(name: str, kind: type[Metric], base: str, embedder: str) -> tuple[Entry, ...]:
    """The embedder that a metric is to be made with, if it is made with one."""
    default = getattr(kind, "default_embedder", None)
    if default is None:
        if embedder:
            raise UsageError(f"metric {base} uses no embedder", remedy=f"Write {base}.", code="no-embedder", where=name)
        return ()
    if not (embedder or default):
        raise UsageError(
            f"metric {base} needs an embedder",
            remedy=f"Name one: {base}:NAME. {did_you_mean('', _embedders())}",
            code="no-embedder",
            where=name,
        )
    found = catalogue.embedders().entry(embedder or default)
    _check_fit(name, kind, found)
    return (found,)


def _parted(name: str) -> tuple[str, str]:
    """Metric and embedder of `fad:vggish`; either may be a dotted `module:Class`."""
    base, _, rest = name.partition(":")
    if rest and base not in {entry.name for entry in catalogue.metrics().entries()} and _is_module(base):
        attribute, _, embedder = rest.partition(":")
        return f"{base}:{attribute}", embedder
    return base, rest


def _is_module(name: str) -> bool:
    """Whether a name is that of a module; one with dots counts by its looks, so that an error says what is wrong."""
    parts = name.split(".")
    return all(part.isidentifier() for part in parts) and (len(parts) > 1 or find_spec(name) is not None)


def _check_fit(name: str, kind: type[Metric], embedder: Entry) -> None:
    """See that an embedder can do what a metric asks of it, before anything is loaded or measured."""
    from bench.metric import Needs

    network = catalogue.embedders().get(embedder.name)
    lacks = {
        "reads no text": Needs.PROMPT in kind.needs and not network.reads_text,
        "gives no inner layers": getattr(kind, "stages", False) and not network.inner,
    }
    for lack, holds in lacks.items():
        if holds:
            raise UsageError(
                f"{name.removesuffix(':' + embedder.name)} cannot be asked of {embedder.name}, which {lack}",
                where=name,
                remedy="Choose another embedder, or leave it out to have the metric's own.",
                code="wrong-embedder",
            )


def _embedders() -> list[str]:
    return [entry.name for entry in catalogue.embedders().entries()]
