"""The command line: one verb a file, and the only place that wires everything together."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `timbrebench` command."""
    from bench.cli.app import run

    run()
