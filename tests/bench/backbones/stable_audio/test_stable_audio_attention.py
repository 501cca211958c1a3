"""Attention control on Stable Audio Open."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import StableAudioAttnProcessor2_0
from tiny_stable_audio import FRAMES, LATENT, LAYERS, TOKENS, transformer

from bench.backbones.stable_audio import StableAudio
from bench.backbones.stable_audio.attention import find_sites
from bench.diffusion.attention import AttentionCall, AttentionSite, select
from bench.diffusion.control import Chain
from bench.diffusion.samplers import seeded_noise
from bench.errors import UsageError


class Recorder:
    """Computes what the network would have computed, and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[AttentionCall] = []

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        self.calls.append(call)
        return call.plain()


def run(backbone: StableAudio, *, guidance: float = 2.0, timestep: int = 600_000) -> torch.Tensor:
    conditioning = backbone.condition(["a bright flute", "deep bass"], negative="")
    x = seeded_noise([0, 1], (LATENT, FRAMES, 1))
    return backbone.predict(x, timestep=timestep, conditioning=conditioning, guidance=guidance)


def test_the_published_layout() -> None:
    sites = find_sites(transformer(num_layers=24))
    assert len(sites) == 48
    assert [site.order for site in sites] == list(range(48))
    assert {site.position for site in sites} == set(range(1, 25))
    for kind, name in (("self", "attn1"), ("text", "attn2")):
        assert [s.name for s in sites if s.kind == kind] == [f"transformer_blocks.{i}.{name}" for i in range(24)]
    blocks = {block: {s.position for s in sites if s.block == block} for block in ("down", "mid", "up")}
    assert blocks == {"down": set(range(1, 9)), "mid": set(range(9, 17)), "up": set(range(17, 25))}
    assert all(site.grid(1024, 1) == (1024, 1) and site.prefix == 1 for site in sites)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_controller_that_computes_the_plain_attention_changes_nothing(sao: StableAudio, guidance: float) -> None:
    plain, recorder = run(sao, guidance=guidance), Recorder()
    with sao.control(recorder, sao.attention_sites):
        controlled = run(sao, guidance=guidance)
    torch.testing.assert_close(controlled, plain, rtol=1e-5, atol=1e-5)
    assert [call.site for call in recorder.calls] == list(sao.attention_sites), "in the order of execution"
    assert len(recorder.calls) == 2 * LAYERS
    for call in recorder.calls:
        rows, (time, frequency) = 2 * (1 + (guidance != 1.0)), call.site.grid(FRAMES, 1)
        queries = call.site.prefix + time * frequency
        assert call.q.shape[:3] == (rows, call.site.heads, queries)
        assert call.k.shape[:3] == (rows, call.site.heads, queries if call.site.kind == "self" else TOKENS + 2)
        assert (call.timestep, call.guided, call.mask) == (600_000, guidance != 1.0, None)


def test_controllers_see_queries_and_keys_after_their_rotation(sao: StableAudio) -> None:
    """Without it, two frames with the same content would have the same key wherever they are."""
    recorder = Recorder()
    x = torch.ones(1, LATENT, FRAMES, 1)
    with sao.control(recorder, select(sao.attention_sites, positions=(1,))):
        sao.predict(x, timestep=1, conditioning=sao.condition([""]))
    own, text = recorder.calls
    turning = own.k.shape[-1] // 2
    for each in (own.q, own.k):
        frames = each[0, :, 1:]
        assert (frames[:, 5] - frames[:, 6]).abs()[:, :turning].max() > 1e-3
        torch.testing.assert_close(frames[:, 5, turning:], frames[:, 6, turning:])
        torch.testing.assert_close(frames.norm(dim=-1)[:, 5], frames.norm(dim=-1)[:, 6])
    torch.testing.assert_close(text.k[:, 0], text.k[:, 1], msg="two heads share the keys of text attention")


@pytest.mark.parametrize("kind", ["self", "text"])
def test_a_controller_changes_the_network_at_its_sites_only(sao: StableAudio, kind: str) -> None:
    plain = run(sao)
    with sao.control(lambda call: torch.zeros_like(call.q), [s for s in sao.attention_sites if s.kind == kind]):
        assert (run(sao) - plain).abs().max() > 1e-3
    with sao.control(lambda call: torch.zeros_like(call.q), []):
        assert torch.equal(run(sao), plain)
    assert torch.equal(run(sao), plain)


def test_the_network_is_as_before_after_an_exception(sao: StableAudio) -> None:
    before = dict(sao._transformer.attn_processors)

    def broken(call: AttentionCall) -> torch.Tensor:
        raise RuntimeError("from the controller")

    with pytest.raises(RuntimeError, match="from the controller"), sao.control(broken, sao.attention_sites):
        run(sao)
    after = sao._transformer.attn_processors
    assert all(after[name] is before[name] for name in before)
    assert {type(processor) for processor in after.values()} == {StableAudioAttnProcessor2_0}


def test_sites_that_are_taken_or_foreign_are_refused(sao: StableAudio) -> None:
    with sao.control(Chain(), sao.attention_sites[:2]):
        with pytest.raises(UsageError) as caught, sao.control(Chain(), sao.attention_sites[1:]):
            pass
        assert caught.value.code == "attention-taken"
    foreign = AttentionSite("transformer_blocks.99.attn1", "self", "up", 100, 198, 0, 4)
    with pytest.raises(UsageError) as caught, sao.control(Chain(), [foreign]):
        pass
    assert caught.value.code == "unknown-attention"
