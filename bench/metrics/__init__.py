"""Metrics: one a file, pure functions on arrays under a small class that declares identity and needs."""
