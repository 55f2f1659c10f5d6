"""Shared settings of the tests: the plugin, and a Hypothesis profile that is the same on every machine."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester", "properties.plugin"]

settings.register_profile(
    "lesssim",
    derandomize=True,
    deadline=None,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("lesssim")
