"""Backbones: one latent diffusion model a file, each behind `bench.backbone.Backbone`."""
