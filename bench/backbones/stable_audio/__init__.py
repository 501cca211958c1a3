"""Stable Audio Open (Evans et al., 2024) as a backbone: any diffusers `StableAudioPipeline` directory or hub id."""

from bench.backbones.stable_audio.model import StableAudio

__all__ = ["StableAudio"]
