"""Diffusion in plain functions: schedules, samplers, inversion, attention control."""
