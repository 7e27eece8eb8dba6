"""Inference: figures with the influence of patients and networks in; estimates, intervals, p-values and words out.

gap = gaps(rates(population, decisions), population)      # lib.audit.metrics
infer(gap).table()                                        # one family: verdicts hold for all of its figures together
infer(changed - gap).table()                              # paired by patient and by network
"""

from lib.audit.inference.cells import Arm, Cells
from lib.audit.inference.figures import Figures, pool
from lib.audit.inference.infer import Inference, describe, infer
from lib.audit.inference.narrowing import narrowings
from lib.audit.inference.population import Cell, Population
from lib.audit.inference.replicates import from_replicates, jackknife, patient_weights, ratio
from lib.audit.inference.variance import Summary, summary
from lib.audit.inference.verdicts import ALPHA

__all__ = [
    "ALPHA",
    "Arm",
    "Cell",
    "Cells",
    "Figures",
    "Inference",
    "Population",
    "Summary",
    "describe",
    "from_replicates",
    "infer",
    "jackknife",
    "narrowings",
    "patient_weights",
    "pool",
    "ratio",
    "summary",
]
