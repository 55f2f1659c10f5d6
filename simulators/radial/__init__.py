"""Radial laws: concentric isotropic mixtures in three dimensions or more, propagated through samplers."""
