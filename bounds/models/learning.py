"""The models of learning theory."""

from __future__ import annotations

from bounds.models.estimation import ESTIMATION
from bounds.models.identities import IDENTITIES
from bounds.models.learners import LEARNERS
from bounds.models.model import Model
from bounds.models.pinned import PROCESSES
from bounds.models.quantiles import QUANTILES
from bounds.models.stability import STABILITY
from bounds.models.students import STUDENTS
from bounds.models.two_times import TWO_TIMES

__all__ = ["LEARNING_MODELS"]

LEARNING_MODELS: tuple[Model, ...] = (
    *IDENTITIES,
    *TWO_TIMES,
    *STABILITY,
    *STUDENTS,
    *ESTIMATION,
    *PROCESSES,
    *QUANTILES,
    *LEARNERS,
)
"""The order is that of the catalogue's lists."""
