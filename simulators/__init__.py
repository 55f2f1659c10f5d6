"""Exact laws of diffusion samplers on Gaussian targets and mixtures, as enclosures."""
