"""Exponential integrator that freezes the relative score s + x (Conforti, Durmus & Silveri 2023): exact on
gamma.

x+ = e^{-h} x + 2(1 - e^{-h})(s + x) + sqrt(1 - e^{-2h}) z.
"""

from simulators.exppoly import E
from simulators.samplers.scheme import OneStage

CDS_EI = OneStage("cds-ei", A=2 - E(-1), B=2 * (1 - E(-1)), Q=1 - E(-2))
