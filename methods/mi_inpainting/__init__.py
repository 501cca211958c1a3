"""MI-guided inpainting (Lee et al., ICASSP 2026), ported to open latent models: analysis, ranking, method."""
