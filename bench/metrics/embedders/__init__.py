"""Embedders: the networks whose vectors metrics compare, one a file, behind `bench.embedder.Embedder`."""
