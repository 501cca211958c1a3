from collections import Counter

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0

from bench.backbones.audioldm2 import AudioLDM2
from bench.backbones.audioldm2.attention import find_sites
from bench.diffusion.attention import AttentionCall, AttentionSite
from bench.diffusion.samplers import seeded_noise
from bench.errors import ModelError, UsageError

PROMPTS = ["a recording of smooth violin and drums, guitar", "guitar"]


class Recorder:
    """Computes what the network would have computed, and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[AttentionCall] = []

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        self.calls.append(call)
        return call.plain()


def mute(call: AttentionCall) -> torch.Tensor:
    return torch.zeros_like(call.q)


def run(backbone: AudioLDM2, *, time: int = 32, guidance: float = 2.0, timestep: int = 501) -> torch.Tensor:
    conditioning = backbone.condition(PROMPTS, negative="")
    x = seeded_noise([0, 1], (8, time, 16))
    return backbone.predict(x, timestep=timestep, conditioning=conditioning, guidance=guidance)


def processors(backbone: AudioLDM2) -> dict[str, object]:
    return dict(backbone._unet.attn_processors)


def pick(backbone: AudioLDM2, **wanted: object) -> list[AttentionSite]:
    return [s for s in backbone.attention_sites if all(getattr(s, k) == v for k, v in wanted.items())]


def test_the_published_layout(backbone: AudioLDM2) -> None:
    sites = backbone.attention_sites
    assert Counter(site.kind for site in sites) == {"self": 64, "loa": 16, "text": 16}
    assert Counter(site.kind for site in sites if site.block == "down") == {"self": 24, "loa": 6, "text": 6}
    assert [site.order for site in sites] == list(range(96))
    assert len({site.name for site in sites}) == 96
    block_of = {site.position: site.block for site in sites}
    assert block_of == {p: "down" if p <= 6 else "mid" if p == 7 else "up" for p in range(1, 17)}
    assert all(count == 6 for count in Counter(site.position for site in sites).values())
    first_of_up2 = [s for s in pick(backbone, position=14) if s.name.startswith("up_blocks.2.attentions.0")]
    assert len(first_of_up2) == 2, "Melodia's layers 8-14 end with the first position of up_blocks.2"


def test_order_is_the_order_of_execution(backbone: AudioLDM2) -> None:
    executed: list[str] = []
    modules = [(name, m) for name, m in backbone._unet.named_modules() if isinstance(m, Attention)]
    hooks = [m.register_forward_hook(lambda *_, name=name: executed.append(name)) for name, m in modules]
    run(backbone)
    for hook in hooks:
        hook.remove()
    assert executed == [site.name for site in backbone.attention_sites]


@pytest.mark.parametrize(
    ("time", "grids"),
    [(256, {1: (128, 8), 2: (64, 4), 3: (32, 2)}), (250, {1: (125, 8), 2: (63, 4), 3: (32, 2)})],
)
def test_grids_and_kinds_are_what_the_attentions_see(
    backbone: AudioLDM2, time: int, grids: dict[int, tuple[int, int]]
) -> None:
    recorder = Recorder()
    with backbone.control(recorder, backbone.attention_sites):
        run(backbone, time=time, guidance=1.0)
    assert [call.site for call in recorder.calls] == list(backbone.attention_sites)
    text_tokens = max(len(offsets) for offsets in backbone.condition(PROMPTS).offsets)
    assert text_tokens not in (8, 64)
    for call in recorder.calls:
        queries = call.q.shape[2]
        assert call.site.grid(time, 16) == grids[call.site.level]
        assert queries == grids[call.site.level][0] * grids[call.site.level][1]
        assert call.k.shape[2] == {"self": queries, "loa": 8, "text": text_tokens}[call.site.kind]
        assert call.q.shape[1] == call.site.heads


@pytest.mark.parametrize("time", [32, 30])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_controller_that_computes_the_plain_attention_changes_nothing(
    backbone: AudioLDM2, time: int, guidance: float
) -> None:
    plain = run(backbone, time=time, guidance=guidance)
    with backbone.control(Recorder(), backbone.attention_sites):
        controlled = run(backbone, time=time, guidance=guidance)
    torch.testing.assert_close(controlled, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["self", "loa", "text"])
def test_a_controller_changes_the_network_at_its_sites_only(backbone: AudioLDM2, kind: str) -> None:
    plain = run(backbone)
    with backbone.control(mute, pick(backbone, kind=kind)):
        assert (run(backbone) - plain).abs().max() > 1e-3
    with backbone.control(mute, []):
        assert torch.equal(run(backbone), plain)
    assert torch.equal(run(backbone), plain)


def test_a_call_knows_its_timestep_rows_and_guidance(backbone: AudioLDM2) -> None:
    recorder = Recorder()
    with backbone.control(recorder, pick(backbone, kind="text", position=1)):
        run(backbone, timestep=991, guidance=1.0)
        run(backbone, timestep=41, guidance=2.0)
    one, guided = recorder.calls
    assert (one.timestep, one.guided, one.q.shape[0]) == (991, False, 2)
    assert (guided.timestep, guided.guided, guided.q.shape[0]) == (41, True, 4)
    torch.testing.assert_close(one.scale, one.q.shape[-1] ** -0.5)


def test_rows_are_unconditional_then_conditional(backbone: AudioLDM2) -> None:
    """Swapping the second half of the rows' attention leaves the unconditional prediction (guidance 0) alone."""

    def mute_conditional(call: AttentionCall) -> torch.Tensor:
        unconditional, _ = call.plain().chunk(2)
        return torch.cat([unconditional, torch.zeros_like(unconditional)])

    plain, guided = run(backbone, guidance=0.0), run(backbone, guidance=2.0)
    with backbone.control(mute_conditional, backbone.attention_sites):
        torch.testing.assert_close(run(backbone, guidance=0.0), plain, rtol=1e-5, atol=1e-5)
        assert (run(backbone, guidance=2.0) - guided).abs().max() > 1e-3


def test_padding_gets_no_attention(backbone: AudioLDM2) -> None:
    recorder = Recorder()
    with backbone.control(recorder, pick(backbone, kind="text")):
        run(backbone, guidance=1.0)
    short = len(backbone.condition(PROMPTS).offsets[1])
    for call in recorder.calls:
        assert call.mask is not None
        weights = (call.q @ call.k.transpose(2, 3) * call.scale + call.mask).softmax(dim=-1)
        assert weights[1, :, :, short:].max() == 0.0
        assert weights[0, :, :, short:].max() > 0.0


def test_the_network_is_as_before_after_an_exception(backbone: AudioLDM2) -> None:
    before, plain = processors(backbone), run(backbone)

    def broken(call: AttentionCall) -> torch.Tensor:
        raise RuntimeError("from the controller")

    with (
        pytest.raises(RuntimeError, match="from the controller"),
        backbone.control(broken, pick(backbone, block="mid")),
    ):
        run(backbone)
    after = processors(backbone)
    assert all(after[name] is before[name] for name in before)
    assert {type(processor) for processor in after.values()} == {AttnProcessor2_0}
    assert torch.equal(run(backbone), plain)


def test_controls_on_disjoint_sites_nest(backbone: AudioLDM2) -> None:
    outer, inner = Recorder(), Recorder()
    with backbone.control(outer, pick(backbone, block="down")):
        with backbone.control(inner, pick(backbone, block="up")):
            run(backbone)
        run(backbone)
    assert (len(outer.calls), len(inner.calls)) == (72, 54)


def test_controls_on_the_same_site_are_refused(backbone: AudioLDM2) -> None:
    outer = Recorder()
    with backbone.control(outer, pick(backbone, block="mid")):
        with (
            pytest.raises(UsageError) as caught,
            backbone.control(Recorder(), pick(backbone, kind="self")),
        ):
            pass
        assert caught.value.code == "attention-taken"
        run(backbone)
    assert len(outer.calls) == 6, "the outer control is still in place"
    assert {type(processor) for processor in processors(backbone).values()} == {AttnProcessor2_0}


def test_a_site_of_another_network_is_refused(backbone: AudioLDM2) -> None:
    foreign = AttentionSite("down_blocks.0.attn", "self", "down", 1, 0, 0, 8)
    with pytest.raises(UsageError) as caught, backbone.control(mute, [foreign]):
        pass
    assert caught.value.code == "unknown-attention"


def test_a_controller_must_return_the_shape_of_the_attended_values(backbone: AudioLDM2) -> None:
    with (
        pytest.raises(ValueError, match="controller returned"),
        backbone.control(lambda call: call.plain().transpose(1, 2), pick(backbone, position=1)),
    ):
        run(backbone)


def test_deeper_transformers_share_a_position(build_unet) -> None:
    """audioldm2-large has two transformer blocks where the base model has one."""
    sites = find_sites(build_unet(depth=2), loa_width=16, text_width=24)
    assert Counter(site.kind for site in sites) == {"self": 128, "loa": 32, "text": 32}
    assert max(site.position for site in sites) == 16


def test_kinds_that_cannot_be_told_apart_are_refused(build_unet) -> None:
    with pytest.raises(ModelError) as caught:
        find_sites(build_unet(), loa_width=16, text_width=16)
    assert caught.value.code == "model/ambiguous-attention"
    with pytest.raises(ModelError) as caught:
        find_sites(build_unet(), loa_width=16, text_width=32)
    assert caught.value.code == "model/unknown-attention"
