"""timbrebench: the benchmark for zero-shot, stem-specific timbre transfer in music.

`bench` is the harness. It knows no data set and no method by name: those live in `tasks`, `methods`,
`baselines` and `reports`, which import `bench` and are wired to it in `bench.cli` alone.
"""

__version__ = "0.1.0"
