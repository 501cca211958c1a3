"""Where the source's queries and keys are kept: the same edits, in less memory."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers import AudioLDM2UNet2DConditionModel
from polyphonia_on_nano import STEPS, Make, latents, method

from bench.backbones.audioldm2.attention import find_sites
from bench.diffusion.attention import AttentionSite, select
from bench.method import Context
from bench.task import Source


def cached_values(sites: tuple[AttentionSite, ...], widths: dict[int, int], time: int, frequency: int) -> int:
    """Queries and keys of one row and step: as many queries as tokens, keys likewise, or the 8 LoA tokens."""
    values = 0
    for site in sites:
        tokens = math.prod(site.grid(time, frequency))
        values += widths[site.level] * (tokens + (tokens if site.kind == "self" else 8))
    return values


TOLERANCE = {"same": 0.0, "float32": 0.0, "float16": 2e-4, "bfloat16": 2e-3}
"""Of the largest latent, on nano in float32; 2e-5 and 2e-4 were measured for the last two."""


def test_places_and_types_give_the_same_latents(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """To the bit in the network's own type, wherever they are kept; in half precision to its rounding."""
    tasks = [make_task(), make_task("a cello", stem="bass")]
    reference = method(nano_context)
    expected = latents(reference, reference.prepare(two_stems), tasks)
    ways = [(cache, dtype) for cache in ("cpu", "recompute") for dtype in ("same", "float16")]
    for cache, dtype in [*ways, ("device", "float16"), ("device", "float32"), ("device", "bfloat16")]:
        other = method(nano_context, cache=cache, cache_dtype=dtype)
        found = latents(other, other.prepare(two_stems), tasks)
        error = float((found - expected).abs().max() / expected.abs().max())
        assert error <= TOLERANCE[dtype], (cache, dtype)
        assert (error > 0) == (TOLERANCE[dtype] > 0), (cache, dtype)


def test_recomputed_queries_and_keys_are_kept_for_one_step(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = method(nano_context, cache="recompute")
    prepared = made.prepare(two_stems)
    assert len(prepared.recorder.memory) == 0
    once = latents(made, prepared, [make_task()])
    assert len(prepared.recorder.memory) == 30
    assert torch.equal(latents(made, prepared, [make_task()]), once), "a second batch of the same source"


@pytest.mark.parametrize(("dtype", "size"), [("same", 4), ("float16", 2)])
def test_memory_is_what_the_formula_says(nano_context: Context, two_stems: Source, dtype: str, size: int) -> None:
    prepared = method(nano_context, cache_dtype=dtype).prepare(two_stems)
    sites = select(nano_context.backbone.attention_sites, kinds=("self", "loa"), blocks=("down",))
    _, _, time, frequency = prepared.encoded.latent.shape
    values = cached_values(sites, {1: 16, 2: 32, 3: 48}, time, frequency)
    assert prepared.recorder.nbytes() == values * size * STEPS


def test_memory_at_the_published_size() -> None:
    """10.24 s, 100 steps, half precision: 1.45 GB in the down blocks (methods.md §15.6)."""
    with torch.device("meta"):
        unet = AudioLDM2UNet2DConditionModel(
            sample_size=256,
            in_channels=8,
            out_channels=8,
            down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
            up_block_types=(*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
            block_out_channels=(128, 256, 384, 640),
            cross_attention_dim=[[None, 768, 1024]] * 4,
            attention_head_dim=8,
            transformer_layers_per_block=1,
        )
    sites = find_sites(unet, loa_width=768, text_width=1024)
    widths = {site.level: unet.get_submodule(site.name).inner_dim for site in sites}
    assert widths == {1: 256, 2: 384, 3: 640}
    down = select(sites, kinds=("self", "loa"), blocks=("down",))
    assert len(down) == 30
    assert cached_values(down, widths, 256, 16) == 7_245_824
    assert 200 * cached_values(down, widths, 256, 16) == pytest.approx(1.45e9, rel=0.001)
    everywhere = select(sites, kinds=("self", "loa"))
    assert 200 * cached_values(everywhere, widths, 256, 16) == pytest.approx(3.70e9, rel=0.001)
