"""DPOM (Chen et al. 2023, arXiv 2305.11798): probability flow predictor, overdamped Langevin corrector."""

from simulators.samplers.lmc import LMC
from simulators.samplers.pf_ei import PF_EI
from simulators.samplers.scheme import Composite

DPOM = Composite("dpom", predictor=PF_EI, corrector=LMC)
