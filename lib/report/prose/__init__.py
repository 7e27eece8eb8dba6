"""Sentences computed from a results bundle, so that the text cannot contradict the tables.

Every function takes a `Results` and returns Markdown (`Words`). A change or a gap is only ever asserted where its
verdict says so; otherwise the sentence says that it cannot be told from noise, and what could have been seen.
"""

from lib.report.prose.answers import answer
from lib.report.prose.audit import (
    amplification,
    calibration,
    intersections,
    parity,
    probes,
)
from lib.report.prose.captions import caption
from lib.report.prose.decision import decision, read
from lib.report.prose.effects import (
    grid,
    most_effective,
    optimism,
    power,
    seeds,
    verdicts,
    who_gains,
)
from lib.report.prose.facts import (
    attributes,
    cohort,
    cost,
    gaps,
    initial_weights,
    limits,
    network,
    performance,
    predictions,
    references,
    reproducibility,
    training,
    uncertainty,
)
from lib.report.prose.noise import catalogue, noise_floor, placebos
from lib.report.prose.preferences import (
    closures,
    front,
    in_patients,
    recommendation,
    relaxation,
    signal,
    wrong_groups,
)
from lib.report.prose.provenance import (
    label_doubt,
    labels,
    next_steps,
    provenance_limits,
    source,
    unsaid,
    warning,
)

__all__ = [
    "amplification",
    "answer",
    "attributes",
    "calibration",
    "caption",
    "catalogue",
    "closures",
    "cohort",
    "cost",
    "decision",
    "front",
    "gaps",
    "grid",
    "in_patients",
    "initial_weights",
    "intersections",
    "label_doubt",
    "labels",
    "limits",
    "most_effective",
    "next_steps",
    "noise_floor",
    "optimism",
    "parity",
    "performance",
    "placebos",
    "power",
    "predictions",
    "read",
    "probes",
    "provenance_limits",
    "recommendation",
    "references",
    "relaxation",
    "reproducibility",
    "seeds",
    "signal",
    "source",
    "network",
    "training",
    "uncertainty",
    "unsaid",
    "verdicts",
    "warning",
    "who_gains",
    "wrong_groups",
]
