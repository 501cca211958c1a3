"""`timbrebench analyse`: what a backbone's latent says about instruments, measured on labelled notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bench.cli.output import Output, output
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.backbone import Backbone
    from methods.mi_inpainting.notes import Frames, Note
    from methods.mi_inpainting.probe import Curve
    from methods.mi_inpainting.ranking import Ranking

SYNTH = "synth-notes"
RENDERED = 3_000
"""Notes that `synth-notes` renders: fifty of each sound."""

SYNTH_SEED = 0

app = typer.Typer(help="Measure what a backbone's latent says about instruments.", no_args_is_help=True)

Notes = Annotated[str, typer.Option(help="synth-notes (rendered), or the folder of NSynth or of one of its splits")]
Out = Annotated[Path, typer.Option(help="JSON file to write; the figure stands beside it (.png)")]
BackboneName = Annotated[str, typer.Option(help="backbone whose latent it is")]
Model = Annotated[str | None, typer.Option(help="weights: folder or hub id, where the backbone has a choice")]
Revision = Annotated[str | None, typer.Option(help="revision of a hub id")]
Dtype = Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda:1")]
Seed = Annotated[int, typer.Option(help="of every choice")]


@app.command("mi")
def mi(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    notes: Notes,
    out: Out,
    backbone: BackboneName = "nano",
    split: Annotated[
        str | None, typer.Option(help="train, valid, test or all  [default: train; all of synth-notes]")
    ] = None,
    frames: Annotated[int, typer.Option(min=100, help="latent frames, all families together")] = 200_000,
    per_note: Annotated[int, typer.Option(min=1, help="so many of each note")] = 16,
    model: Model = None,
    revision: Revision = None,
    dtype: Dtype = None,
    device: Device = "auto",
    seed: Seed = 0,
) -> None:
    """Rank latent channels by what they say about the instrument family, for mi-inpainting.

    Mutual information by nearest neighbours, a histogram estimate beside it, and intervals over instruments. If other
    splits than the chosen one are there, the ranking is compared with that of their instruments.
    """
    out_, figure = output(context), _prepare(out)
    material = _material(notes, split, out_, of_synth="all")
    network = _load(backbone, device, model=model, revision=revision, dtype=dtype)
    ranking = _rank(material, network, out_, frames=frames, per_note=per_note, seed=seed)

    from methods.mi_inpainting.plots import plot_ranking

    ranking.write(out)
    plot_ranking(ranking, figure)
    facts = {**ranking.model_dump(mode="json"), "digest": ranking.digest, "out": str(out), "figure": str(figure)}
    out_.give(facts, *_ranking_told(ranking), f"-> {out}, {figure} (digest {ranking.digest[:12]})")


def _rank(material: _Material, network: Backbone, out: Output, *, frames: int, per_note: int, seed: int) -> Ranking:
    """Measure and rank; with a quarter of the frames, measure the instruments that stand apart."""
    from methods.mi_inpainting import analysis, estimators
    from methods.mi_inpainting.notes import FLOOR_DB, choose, gather

    def hear(notes: tuple[Note, ...], count: int) -> Frames:
        chosen = choose(notes, count, seed=seed)
        return gather(network, chosen, per_note=per_note, seed=seed, track=out.track)

    wanted = -(-frames // per_note)
    heard = hear(material.notes, wanted)
    found = analysis.information(heard, seed=seed, resamples=analysis.RESAMPLES, track=out.track)
    apart = hear(material.others, -(-wanted // 4)) if material.others else None
    return analysis.rank(
        found,
        backbone=network.identity,
        data={**material.about, **analysis.describe(heard)},
        settings={
            "estimator": "nearest neighbours (Ross 2014)",
            "neighbours": estimators.NEIGHBOURS,
            "bins": estimators.BINS,
            "floor_db": FLOOR_DB,
            "frames": frames,
            "per_note": per_note,
            "resamples": analysis.RESAMPLES,
            "level": analysis.LEVEL,
            "seed": seed,
        },
        check=None if apart is None else analysis.cells(apart, seed=seed, track=out.track),
    )


@app.command("noise-level")
def noise_level(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    notes: Notes,
    out: Out,
    backbone: BackboneName = "nano",
    count: Annotated[int, typer.Option(min=2, help="notes to train on, and of the other splits a quarter")] = 2_000,
    steps: Annotated[int, typer.Option(min=1, help="of training")] = 1_500,
    levels: Annotated[int, typer.Option(min=1, help="noise levels, on the grid of Karras et al.")] = 20,
    draws: Annotated[int, typer.Option(min=1, help="of noise for each note and level")] = 4,
    model: Model = None,
    revision: Revision = None,
    dtype: Dtype = None,
    device: Device = "auto",
    seed: Seed = 0,
) -> None:
    """Find the noise level from which a classifier can no longer tell the instrument family from the latent.

    Trained on the notes of train; asked about other notes of the same instruments, and about the instruments of valid
    and test.
    """
    out_, figure = output(context), _prepare(out)
    material = _material(notes, None, out_, of_synth="train")
    network = _load(backbone, device, model=model, revision=revision, dtype=dtype)
    settings = {"count": count, "steps": steps, "levels": levels, "draws": draws, "seed": seed}
    curves, data = _probe(material, network, out_, settings)

    from bench.store.atomic import write_json
    from methods.mi_inpainting.plots import plot_noise_level

    chance = round(1 / len(data["families"]), 6)
    facts = {
        "kind": "noise-level",
        "format": 1,
        "backbone": dict(network.identity),
        "data": data,
        "settings": settings,
        "chance": chance,
        "curves": [asdict(curve) for curve in curves],
        "at_chance": {curve.name: _point(curve, chance) for curve in curves},
    }
    write_json(out, facts)
    plot_noise_level(curves, chance, f"{network.identity.get('model', backbone)}, {material.about['name']}", figure)
    out_.give({**facts, "out": str(out), "figure": str(figure)}, *_curves_told(curves, chance), f"-> {out}, {figure}")


def _probe(
    material: _Material, network: Backbone, out: Output, settings: Mapping[str, int]
) -> tuple[list[Curve], dict[str, Any]]:
    """Train on four notes of five, ask about the fifth and about the instruments that stand apart."""
    from methods.mi_inpainting import probe
    from methods.mi_inpainting.notes import choose

    seed, count = settings["seed"], settings["count"]
    families = sorted({note.family for note in material.notes})
    learnt, same = probe.held_out(choose(material.notes, count, seed=seed, even=False), seed=seed)
    sets = {"same instruments": same}
    if material.others:
        wanted = max(count // 4, len(families))
        sets["other instruments"] = list(choose(material.others, wanted, seed=seed, even=False))
    training = probe.windows(network, learnt, families, track=out.track)
    data = {name: probe.windows(network, each, families, track=out.track) for name, each in sets.items()}
    classifier = probe.train(training, len(families), steps=settings["steps"], seed=seed, track=out.track)
    curves = [
        probe.ask(classifier, each, name, levels=settings["levels"], draws=settings["draws"], seed=seed)
        for name, each in out.track(data.items(), "sets", len(data))
    ]
    about = {
        **material.about,
        "families": families,
        "trained_on": len(training),
        "window": probe.WINDOW,
        "digests": {"train": training.digest, **{name: each.digest for name, each in data.items()}},
    }
    return curves, about


# -- what it is measured on -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Material:
    """Notes to measure, notes of instruments apart from theirs (may be none), and what is recorded about them."""

    notes: tuple[Note, ...]
    others: tuple[Note, ...]
    about: Mapping[str, Any]


def _material(text: str, split: str | None, out: Output, *, of_synth: str) -> _Material:
    """The notes of a folder, or of `synth-notes`.

    Args:
        text: `synth-notes`, or the folder.
        split: which; by default train, or what there is of a folder without one.
        out: told how far the rendering is.
        of_synth: which of synth-notes by default: its sounds are few.

    Raises:
        UsageError: for a split that is not there. DataError: if the folder is not NSynth's, or damaged.
    """
    from tasks import nsynth

    about: dict[str, Any] = {"name": SYNTH}
    if text == SYNTH:
        from tasks.synth.notes import VERSION, cached_notes

        root = cached_notes(seed=SYNTH_SEED, notes=RENDERED, track=out.track)
        about |= {"version": VERSION, "rendered": RENDERED, "seed": SYNTH_SEED}
    else:
        root = Path(text)
        about = {"name": root.resolve().name}
    if nsynth.recognises(root):
        found = {"all": _labelled(root, nsynth.read_notes(root))}
    else:
        folders = nsynth.splits(root)
        found = {name: _labelled(folders[name], notes) for name, notes in nsynth.read_splits(root).items()}
    chosen = split or (of_synth if text == SYNTH else "train" if "train" in found else "all")
    if chosen != "all" and chosen not in found:
        raise UsageError(
            f"there is no split '{chosen}' in {text}",
            remedy=f"There is: {', '.join(sorted(found))}.",
            code="unknown-split",
        )
    notes = tuple(note for name, each in found.items() if chosen in (name, "all") for note in each)
    known = {note.instrument for note in notes}
    families = {note.family for note in notes}
    # Valid and test, as published, may share instruments, and train has a family that they lack.
    others = (note for each in found.values() for note in each)
    apart = tuple(note for note in others if note.instrument not in known and note.family in families)
    return _Material(notes, apart, {**about, "split": chosen})


def _labelled(folder: Path, notes: Any) -> tuple[Note, ...]:
    from methods.mi_inpainting.notes import Note

    return tuple(Note(note.note_str, note.instrument, note.family, folder / note.path) for note in notes)


def _load(name: str, device: str, **options: str | None) -> Backbone:
    from bench.cli import catalogue
    from bench.cli.run import model_options
    from bench.registry import load_object
    from bench.runner.run import resolve_devices

    target = catalogue.backbones().entry(name).target
    where = resolve_devices(device)[0]
    loaded: Backbone = load_object(target, kind="backbone").load(device=where, **model_options(target, **options))
    return loaded


# -- what is written and told -----------------------------------------------------------------------------------------


def _prepare(out: Path) -> Path:
    """Make the folder of a result before anything is measured; where the figure goes.

    Raises:
        UsageError: if the result would lie where the figure goes, or the folder cannot be made.
    """
    from bench.store.atomic import make_folder

    figure = out.with_suffix(".png")
    if figure == out:
        raise UsageError(
            "the result is JSON, and the figure takes its name with .png",
            where=str(out),
            remedy=f"Give --out {out.with_suffix('.json').name}.",
            code="out-taken",
        )
    make_folder(out.parent)
    return figure


def _ranking_told(ranking: Ranking) -> list[Table | str]:
    table = Table(box=None, pad_edge=False)
    for heading in ("rank", "channel", "I in nats", "95 % interval", "histogram"):
        table.add_column(heading, justify="right")
    for rank, number in enumerate(ranking.order, start=1):
        each = ranking.channels[number]
        table.add_row(
            str(rank), str(number), f"{each.mi:.3f}", f"{each.low:.3f}-{each.high:.3f}", f"{each.histogram:.3f}"
        )
    data, agreement = ranking.data, ranking.agreement
    lines: list[Table | str] = [
        f"{data['frames']:,} frames of {data['notes']:,} notes, {data['instruments']} instruments, "
        f"{len(data['families'])} families ({data['name']}, {data['split']})",
        table,
        f"the two estimators differ by at most {agreement['histogram_largest_difference']:.3f} nats; "
        f"rank correlation {_number(agreement['histogram_rank_correlation'])}",
    ]
    held_out = agreement["held_out"]
    if held_out is not None:
        shared = f"{held_out['shared_of_top_half']} of the top {held_out['top_half']} channels are the same"
        lines.append(f"other instruments: rank correlation {_number(held_out['rank_correlation'])}, {shared}")
    return lines


def _curves_told(curves: list[Curve], chance: float) -> list[Table | str]:
    table = Table(box=None, pad_edge=False)
    table.add_column("σ", justify="right")
    table.add_column("α", justify="right")
    for curve in curves:
        table.add_column(curve.name, justify="right")
    for points in zip(*(curve.points for curve in curves), strict=True):
        cells = [f"{point.accuracy:.2f}" for point in points]
        table.add_row(f"{points[0].sigma:.3g}", f"{points[0].alpha:.2f}", *cells)
    lines: list[Table | str] = [table]
    for curve in curves:
        found = curve.at_chance(chance)
        where = "nowhere on the grid" if found is None else f"from σ = {found.sigma:.3g} on (α = {found.alpha:.2f})"
        lines.append(f"{curve.name} ({curve.notes} notes, {curve.instruments} instruments): at chance {where}")
    return lines


def _point(curve: Curve, chance: float) -> dict[str, Any] | None:
    found = curve.at_chance(chance)
    return None if found is None else asdict(found)


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
