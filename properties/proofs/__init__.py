"""Interval proofs over boxes of Gaussian cases."""
