"""The codec: an `AutoencoderKL` of AudioLDM 2's geometry learns to reconstruct log-mels.

Loss: mean L1 of the log-mel + β × mean KL per latent element. β is 0.01 at first, so that detail is learned, and 0.03
in the last quarter: the posterior gets wider, and a decoder that has learned under that much noise forgives a U-Net
errors of the same size. Afterwards every latent channel that carries something is given variance 1, and all get mean 0,
exactly and without changing what the codec does (`standardise`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from bench.backbones import mel
from bench.backbones.nano.config import vae_config
from bench.backbones.nano.train.loop import TrainingTask
from bench.backbones.nano.train.mixtures import draw_any
from bench.backbones.nano.train.takes import TakenSong

CROP_FRAMES = 64
KL_WEIGHTS = ((0.0, 0.01), (0.75, 0.03))
"""β, from which share of the steps on."""

EMPTY_STD = 0.2
"""A channel with less is left as small as it is: at variance 1 it would be noise for the U-Net to learn."""

BATCH = 8
_MARGIN = (mel.N_FFT - mel.HOP) // 2


def new_vae(seed: int) -> AutoencoderKL:
    """An untrained codec whose decoder starts at the mean of log-mels, so that it works on raw log-mel at once."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = AutoencoderKL(**vae_config())
    with torch.no_grad():
        vae.decoder.conv_out.weight.mul_(2.0)
        vae.decoder.conv_out.bias.fill_(-5.0)
    return vae


class VaeTask(TrainingTask):
    """Reconstruction of random crops of random mixtures, solos and parts, at peaks from 0.5 down to 0.03.

    Args:
        songs: to draw from.
        seed: of the first weights.
        batch: crops a step, of 0.64 s.
    """

    def __init__(self, songs: Sequence[TakenSong], *, seed: int = 0, batch: int = BATCH):
        self._vae = new_vae(seed).to(memory_format=torch.channels_last)
        self._songs, self._batch = songs, batch
        self._front_end = mel.MelFrontEnd()
        self.modules = {"vae": self._vae}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Mean L1, and the divergence of the posterior from the standard normal."""
        crops = self._crops(rng)
        posterior = self._vae.encode(crops).latent_dist
        error = F.l1_loss(self._vae.decode(posterior.sample()).sample, crops)
        divergence = posterior.kl().mean() / posterior.mean[0].numel()
        weight = next(weight for start, weight in reversed(KL_WEIGHTS) if progress >= start)
        return {"loss": error + weight * divergence, "l1": error, "kl": divergence}

    def _crops(self, rng: np.random.Generator) -> torch.Tensor:
        """(batch, 1, 64, 64) log-mels."""
        length = CROP_FRAMES * mel.HOP + 2 * _MARGIN
        waves = []
        for _ in range(self._batch):
            drawn = draw_any(self._songs, rng, solo=0.4, full=0.4)
            start = int(rng.integers(drawn.song.length - length))
            wave = drawn.song.sum(drawn.takes, start=start, length=length)
            # Takes are mixed near the peak that is asked for; the rest of the range is drawn.
            waves.append(wave * np.float32(10 ** (rng.choice((0.0, rng.uniform(-24, 6))) / 20)))
        padded = self._front_end.log_mel(torch.from_numpy(np.stack(waves)))
        # The front end reflects its edges: crops keep the frames that saw none.
        skipped = (padded.shape[1] - CROP_FRAMES) // 2
        crops = padded[:, None, skipped : skipped + CROP_FRAMES]
        return crops.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def standardise(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    """Give every latent channel mean 0, and variance 1 if it carries something, without changing what the codec does.

    Training leaves channels with different variances. The 1 × 1 convolutions on both sides of the latent take up the
    change: z' = (z − mean) / std in `quant_conv` (whose second half is the log variance), its inverse in
    `post_quant_conv`.

    Args:
        vae: the codec.
        latents: (n, 8, frames / 4, 16), modes of its posterior.
    """
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    std = torch.where(std < EMPTY_STD, torch.ones_like(std), std)
    into, out = vae.quant_conv, vae.post_quant_conv
    channels = len(std)
    into.weight[:channels] /= std[:, None, None, None]
    into.bias[:channels] = (into.bias[:channels] - mean) / std
    into.bias[channels:] -= 2 * std.log()
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= std[None, :, None, None]
    vae.register_to_config(scaling_factor=1.0)
