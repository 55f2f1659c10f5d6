"""Samples of sampler outputs by a compiled simulator."""
