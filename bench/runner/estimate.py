"""What a run will take, before it starts: measured on this machine, not guessed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import perf_counter

from bench.backbone import Backbone
from bench.method import Context, Method
from bench.runner.run import share_cores
from bench.runner.spec import RunSpec, needs_backbone
from bench.store.atomic import free_bytes

_FLAC_BYTES_PER_SAMPLE = 2.4  # 24-bit FLAC of edits: 1.8 (copies) to 2.4 (codec) were measured
_ROWS = 2  # rows of the timed network call: what guidance sends for one edit


@dataclass(frozen=True)
class Estimate:
    """Size of a run.

    Attributes:
        edits, sources, songs: how many.
        network_rows: rows that will go through the backbone's network.
        backward_rows: those of them that a gradient goes back through.
        seconds: network time and decoding on one device of the run; None where nothing is timed.
        disk_bytes: of the audio to come. disk_free: where it goes.
    """

    edits: int
    sources: int
    songs: int
    network_rows: int
    backward_rows: int
    seconds: float | None
    disk_bytes: int
    disk_free: int


def estimate(spec: RunSpec, config: Method.Config) -> Estimate:
    """Plan a run, and time one network call and one decoding of its first source."""
    plan = spec.plan()
    sources = {item.source for item in plan}
    cost = spec.method_class()(config, Context(spec.devices[0], spec.suite)).cost()
    batches = sum(-(-edits // (spec.batch_size or edits)) for edits in Counter(item.source for item in plan).values())
    rows = cost.prepare * len(sources) + cost.batch * batches + cost.edit * len(plan)
    backward = cost.backward * len(plan)
    seconds, rate = None, 44_100
    if needs_backbone(spec.method_class()):
        share_cores(spec.devices)
        backbone = spec.load_backbone(spec.devices[0])
        per_row, per_clip = _time(backbone, spec)
        seconds = ((rows + backward) * per_row + len(plan) * per_clip) / len(spec.devices)
        rate = backbone.sample_rate
    length = sum(spec.suite.sources[item.source].excerpt.duration_s for item in plan)
    return Estimate(
        edits=len(plan),
        sources=len(sources),
        songs=len({item.song for item in plan}),
        network_rows=rows,
        backward_rows=backward,
        seconds=seconds,
        disk_bytes=int(length * rate * _FLAC_BYTES_PER_SAMPLE),
        disk_free=free_bytes(spec.out.absolute()),
    )


def _time(backbone: Backbone, spec: RunSpec) -> tuple[float, float]:
    """Seconds of a network row, and of decoding a clip, on the first source. The first call of each only warms up."""
    source = spec.suite.open(next(iter(spec.suite.sources)))
    encoded = backbone.encode(source.mixture)
    latents = encoded.latent.expand(_ROWS, -1, -1, -1)
    conditioning = backbone.condition([""])
    timestep = backbone.schedule(2).timesteps[0]

    def predict() -> None:
        # Copied to the CPU, so that the clock waits for the device.
        backbone.predict(latents, timestep=timestep, conditioning=conditioning).cpu()

    def decode() -> None:
        backbone.decode(encoded.latent, samples=encoded.samples, gain=encoded.gain)

    measured = []
    for call in (predict, decode):
        call()
        began = perf_counter()
        call()
        measured.append(perf_counter() - began)
    return measured[0] / _ROWS, measured[1]
