"""No sampler: for claims about the forward process, or about one law."""

from simulators.samplers.scheme import Forward

NONE = Forward("none")
