"""How good the embedded models are, on songs that nothing was trained on: what `timbrebench nano eval` measures.

`figures` (what a figure is), `material` (what is drawn from rendered songs), then a question a file: `judging` (does
the independent classifier deserve trust?), `codec` (what is lost on the way into the latent space and back?),
`retrieval` (does nano-clap hear which instrument plays?), `generation` (does nano play what a prompt asks for?), with
`notes` and `sounds` for what they share; `evaluate` puts them together. `docs/nano-eval.md` says what each figure
means.

Editing is measured by the benchmark itself.
"""
