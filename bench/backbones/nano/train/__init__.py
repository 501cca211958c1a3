"""How nano and nano-clap are trained: from rendered songs of `synth` alone, stage by stage, on two CPU cores or a GPU.

In order: `takes` (rendered songs on disk), `mixtures` (what is drawn from them), `captions` (the words), `loop`
(checkpoints, resuming, averaging, several processes), then a stage a file: `vae`, `clap`, `latents`, `unet`, and
`judge`, the classifier that measures what they make. `docs/nano.md` has the recipe.
"""
