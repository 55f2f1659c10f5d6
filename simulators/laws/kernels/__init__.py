"""Compiled recurrences, with running bounds on their rounding errors."""
