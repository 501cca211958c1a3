"""`pairs`: a context and a reference of another instrument from another song, as in the paper on MI-guided inpainting.

The protocol is that of "Diffusion Timbre Transfer via Mutual Information Guided Inpainting" (arXiv 2601.01294): clips
of 10 s with at most 5 s of silence, instrument labels on both sides, DPD and onset F1 on monophonic clips only.

Read in this order: `rules` (silence, one note at a time), `recordings` (a clip that may be paired), `material` (where
clips come from), `joining` (clips made of single notes), `pairing` (who is paired with whom), `suite` (the builder).
"""

from tasks.pairs.suite import Pairs

__all__ = ["Pairs"]
