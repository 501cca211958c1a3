from __future__ import annotations

import numpy as np
import torch

from bench.audio import Clip
from bench.backbones.mel import MelFrontEnd
from bench.identity import canonical_json
from tasks.synth.mixing import mix
from tasks.synth.songs import compose


def _log_mel(clip: Clip) -> torch.Tensor:
    return MelFrontEnd().log_mel(torch.from_numpy(clip.mono)[None])


def _song(number: int) -> Clip:
    song = compose(11, number, edits=1, seconds=4.0)
    return mix(song, 4.0, 3.0).mixture.window(0.0, 3.0).to_mono().resample(16_000)


def test_says_what_it_is(nano) -> None:
    assert (nano.name, bool(nano.untrained), nano.sample_rate) == ("nano-untrained", True, 16_000)
    assert canonical_json(nano.identity).count("sha256:") == 2
    assert nano.identity["vocoder"]["phase_iterations"] == 32


def test_has_the_attentions_of_audioldm2(nano) -> None:
    kinds = [site.kind for site in nano.attention_sites]
    assert [kinds.count(kind) for kind in ("self", "loa", "text")] == [64, 16, 16]


def test_codec_round_trip_lies_between_the_source_and_another_clip(nano) -> None:
    source, other = (_song(number) for number in (0, 1))
    encoded = nano.encode(source)
    (rebuilt,) = nano.decode(encoded.latent, samples=encoded.samples, gain=encoded.gain)
    assert rebuilt.length == source.length
    to_rebuilt = (_log_mel(rebuilt) - _log_mel(source)).abs().mean()
    to_other = (_log_mel(other) - _log_mel(source)).abs().mean()
    assert 0.0 < to_rebuilt < 0.5 * to_other


def test_two_rows_are_two_single_rows(nano) -> None:
    latents = torch.randn(2, 8, 25, 16, generator=torch.Generator().manual_seed(0))
    conditioning = nano.condition(["a violin", "a flute and heavy drums"], negative="")
    both = nano.predict(latents, timestep=501, conditioning=conditioning, guidance=3.5)
    for row, prompt in enumerate(conditioning.prompts):
        alone = nano.condition([prompt], negative="")
        single = nano.predict(latents[row : row + 1], timestep=501, conditioning=alone, guidance=3.5)
        np.testing.assert_allclose(single[0], both[row], atol=1e-4)
