"""Samplers as data, one scheme a file; a new sampler is one file and one line here."""

from simulators.samplers.cds_ei import CDS_EI
from simulators.samplers.cld_ei import CLD_EI
from simulators.samplers.continuous import LANGEVIN, OU_FLOW, PF_ODE, REVERSE_SDE
from simulators.samplers.ddpm_ei import DDPM_EI
from simulators.samplers.ddpm_em import DDPM_EM
from simulators.samplers.dpom import DPOM
from simulators.samplers.dpum import DPUM
from simulators.samplers.lmc import LMC
from simulators.samplers.none import NONE
from simulators.samplers.pf_ei import PF_EI
from simulators.samplers.pf_heun import PF_HEUN
from simulators.samplers.scheme import Sampler
from simulators.samplers.ulmc import ULMC

__all__ = ["SAMPLERS"]

SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler
    for sampler in (
        *(DDPM_EI, DDPM_EM, CDS_EI, PF_EI, PF_HEUN, LMC, ULMC, CLD_EI, DPUM, DPOM, NONE),
        *(REVERSE_SDE, PF_ODE, LANGEVIN, OU_FLOW),
    )
}
"""Every sampler by name."""
