"""Experiments of the papers, run again at a size where every number has an interval."""
