"""DPUM (Chen et al. 2023, arXiv 2305.11798): probability flow predictor, underdamped Langevin corrector."""

from simulators.samplers.pf_ei import PF_EI
from simulators.samplers.scheme import Composite
from simulators.samplers.ulmc import ULMC

DPUM = Composite("dpum", predictor=PF_EI, corrector=ULMC)
