"""Polyphonia (Li et al., ICML 2026, arXiv 2605.10203): acoustic priors steer the attention of AudioLDM 2."""
