"""Distances between Gaussian laws in one eigenbasis: floats with error bounds, balls, a second road."""
