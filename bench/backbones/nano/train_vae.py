"""Train nano's codec: `python -m bench.backbones.nano.train_vae`, ten to fifteen minutes on one CPU core.

The only trained part of nano. An `AutoencoderKL` of AudioLDM 2's geometry learns to reconstruct log-mels of
random General MIDI pieces (`corpus.py`) under mean L1 + 0.03 × mean KL; the weights are written in half precision
into the package, in diffusers' own layout, from where `build.py` loads them.
"""

from __future__ import annotations

import argparse
import logging
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from bench.backbones.mel import MelFrontEnd
from bench.backbones.nano import corpus
from bench.backbones.nano.build import VAE_DIRECTORY, vae_config

CLIP_SECONDS = 10.0
CROP_FRAMES = 64
KL_WEIGHT = 0.03
HELD_OUT_SEED = 1_000_003
log = logging.getLogger(__name__)


def corpus_mels(seed: int, count: int) -> torch.Tensor:
    """Log-mels (count, frames, 64) of `count` random pieces."""
    front_end = MelFrontEnd()
    clips = (torch.from_numpy(audio) for audio in corpus.clips(seed, count, CLIP_SECONDS))
    return torch.cat([front_end.log_mel(clip[None]) for clip in clips])


def new_vae(seed: int) -> AutoencoderKL:
    """An untrained codec whose decoder starts at the mean of log-mels, so that it works on raw log-mel at once."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = AutoencoderKL(**vae_config())
    with torch.no_grad():
        vae.decoder.conv_out.weight.mul_(2.0)
        vae.decoder.conv_out.bias.fill_(-5.0)
    return vae


def train(mels: torch.Tensor, *, steps: int, batch: int, seed: int, peak_rate: float = 1.5e-3) -> AutoencoderKL:
    """A codec trained for `steps` on random crops of `mels` (clips, frames, 64)."""
    vae = new_vae(seed).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(vae.parameters(), lr=peak_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 50, 0.5 * (1 + math.cos(math.pi * step / steps)))
    )
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        crops = _crops(mels, batch, generator)
        posterior = vae.encode(crops).latent_dist
        error = F.l1_loss(vae.decode(posterior.sample(generator)).sample, crops)
        divergence = posterior.kl().mean() / posterior.mean[0].numel()
        optimiser.zero_grad()
        (error + KL_WEIGHT * divergence).backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            log.info("step %d: L1 %.3f, KL %.3f", step, error.item(), divergence.item())
    return vae.eval()


@torch.no_grad()
def evaluate(vae: AutoencoderKL, mels: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Mean L1 of the reconstruction from the posterior's mode, and the latents (clips, 8, frames / 4, 16)."""
    latents = torch.cat([vae.encode(clip[None, None]).latent_dist.mode() for clip in mels])
    decoded = torch.cat([vae.decode(latent[None]).sample for latent in latents])[:, 0]
    return F.l1_loss(decoded, mels).item(), latents


@torch.no_grad()
def standardise(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    """Give every latent channel mean 0 and variance 1 on `latents`, in place, without changing what the codec does.

    Training leaves some channels with little variance. The 1 × 1 convolutions on both sides of the latent take up
    the change: z' = (z − mean) / std in `quant_conv` (whose second half is the log variance), its inverse in
    `post_quant_conv`.
    """
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    into, out = vae.quant_conv, vae.post_quant_conv
    channels = len(std)
    into.weight[:channels] /= std[:, None, None, None]
    into.bias[:channels] = (into.bias[:channels] - mean) / std
    into.bias[channels:] -= 2 * std.log()
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= std[None, :, None, None]
    vae.register_to_config(scaling_factor=1.0)


def _crops(mels: torch.Tensor, batch: int, generator: torch.Generator) -> torch.Tensor:
    clips = torch.randint(len(mels), (batch,), generator=generator)
    starts = torch.randint(mels.shape[1] - CROP_FRAMES + 1, (batch,), generator=generator)
    crops = torch.stack([mels[c, s : s + CROP_FRAMES] for c, s in zip(clips, starts, strict=True)])
    return crops[:, None].contiguous(memory_format=torch.channels_last)


def main() -> None:
    """Render, train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--clips", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=VAE_DIRECTORY)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)

    vae = train(corpus_mels(options.seed, options.clips), steps=options.steps, batch=options.batch, seed=options.seed)
    held_out = corpus_mels(HELD_OUT_SEED, 40)
    error, latents = evaluate(vae, held_out)
    log.info("held-out L1 %.3f; std of the latent channels %s", error, _stds(latents))
    standardise(vae, latents)
    error, latents = evaluate(vae, held_out)
    log.info("standardised: held-out L1 %.3f; std of the latent channels %s", error, _stds(latents))
    vae.to(memory_format=torch.contiguous_format).half().save_pretrained(options.out)


def _stds(latents: torch.Tensor) -> list[float]:
    return [round(std, 2) for std in latents.std(dim=(0, 2, 3)).tolist()]


if __name__ == "__main__":
    main()
