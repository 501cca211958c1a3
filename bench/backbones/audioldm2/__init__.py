"""AudioLDM 2 (Liu et al., IEEE/ACM TASLP 2024) as a backbone: any diffusers `AudioLDM2Pipeline` directory or hub id."""

from bench.backbones.audioldm2.model import AudioLDM2

__all__ = ["AudioLDM2"]
