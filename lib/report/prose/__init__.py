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
    "cohort",
    "cost",
    "decision",
    "gaps",
    "initial_weights",
    "intersections",
    "label_doubt",
    "labels",
    "limits",
    "next_steps",
    "noise_floor",
    "parity",
    "performance",
    "placebos",
    "predictions",
    "read",
    "probes",
    "provenance_limits",
    "references",
    "reproducibility",
    "source",
    "network",
    "training",
    "uncertainty",
    "unsaid",
    "warning",
]
