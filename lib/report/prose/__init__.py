"""Sentences computed from a results bundle, so that the text cannot contradict the tables.

Every function takes a `Results` and returns Markdown (`Words`). A change or a gap is only ever asserted where its
verdict says so; otherwise the sentence says that it cannot be told from noise, and what could have been seen.
"""

from lib.report.prose.answers import answer, headline
from lib.report.prose.audit import (
    amplification,
    calibration,
    intersections,
    parity,
    probes,
    simpson,
    visits,
)
from lib.report.prose.captions import caption
from lib.report.prose.data import associations, composition, exposure, interval_levels, prevalence
from lib.report.prose.effects import (
    grid,
    largest_change,
    most_effective,
    optimism,
    power,
    seeds,
    verdicts,
    who_gains,
)
from lib.report.prose.facts import (
    cohort,
    cost,
    gaps,
    initial_weights,
    limits,
    performance,
    predictions,
    reproducibility,
    training,
    uncertainty,
)
from lib.report.prose.noise import catalogue, noise_floor, placebos
from lib.report.prose.preferences import (
    advice,
    closures,
    front,
    in_patients,
    recommendation,
    relaxation,
    signal,
    wrong_groups,
)

__all__ = [
    "advice",
    "amplification",
    "answer",
    "associations",
    "calibration",
    "caption",
    "catalogue",
    "closures",
    "cohort",
    "composition",
    "cost",
    "exposure",
    "front",
    "gaps",
    "grid",
    "headline",
    "initial_weights",
    "intersections",
    "interval_levels",
    "largest_change",
    "limits",
    "most_effective",
    "noise_floor",
    "optimism",
    "parity",
    "in_patients",
    "performance",
    "placebos",
    "predictions",
    "power",
    "prevalence",
    "probes",
    "reproducibility",
    "seeds",
    "simpson",
    "recommendation",
    "relaxation",
    "reproducibility",
    "seeds",
    "signal",
    "training",
    "uncertainty",
    "verdicts",
    "visits",
    "who_gains",
    "wrong_groups",
]
