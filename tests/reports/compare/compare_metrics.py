"""Metrics as scoring describes them, for runs that are made up."""

from __future__ import annotations

CQT = {
    "name": "cqt1-pcc",
    "identity": "cqt1-pcc@1[16 kHz mono, hop 512, as published]",
    "direction": "higher",
    "unit": "",
    "summary": "correlation of the strongest CQT bins of edit and source",
}
DPD = {
    "name": "dpd-pesto-cents",
    "identity": "dpd-pesto-cents@1[PESTO mir-1k_g7, hop 10 ms]",
    "direction": "lower",
    "unit": "cents",
    "summary": "median pitch difference of the edited stem",
}


def CLAP(network: str) -> dict[str, str]:  # noqa: N802
    """CLAP with one network or another."""
    return {
        "name": f"clap:{network}",
        "identity": f"clap@1[{network} sha256:{len(network)}, 48 kHz]",
        "direction": "higher",
        "unit": "",
        "summary": "the edit sounds like the target prompt",
    }
