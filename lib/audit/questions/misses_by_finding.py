"""Whose findings are missed? The share of sick patients called healthy (FNR), by finding and group. By patient.

fnr(finding, group) = mean, over the patients with such an image, of the share of these images that is called healthy.
`contrast` null: the level of a group; else its difference group - reference. An image with several findings counts under
each; under `not named`, the sick of whom no finding is known. A group that has more of what is hard to see is missed
more often in all and alike by finding: `gap_by_findings` says how much of a gap that is. The NIH's findings are mined from reports
(Wang et al. 2017, doi 10.1109/CVPR.2017.369) and differ from what radiologists see (Oakden-Rayner 2020, doi
10.1016/j.acra.2019.10.006). Needs the findings; rates in 0 to 1; means over networks; intervals over patients.
"""

import numpy as np
import polars as pl

from lib.audit.columns import COUNTED, STANDARD, S
from lib.audit.context import Context
from lib.audit.questions._curves import Shares, levels_and_gaps, means
from lib.audit.questions._findings import findings
from lib.names import BASELINE

name = "misses_by_finding"
KEYS = ("finding", "attribute", "group", "metric")
schema = dict.fromkeys(("finding", "attribute", "group", "contrast", "metric"), S) | STANDARD | COUNTED
needs = ("findings",)


def compute(context: Context) -> list[pl.DataFrame]:
    population = context.population
    names, has = findings(context.people, population.labels == 1)
    if not names:
        return []
    keys = [(finding, cell.attribute, cell.group, "fnr") for finding in names for cell in population.cells]
    images = np.stack([own & cell.images for own in has.T for cell in population.cells], axis=1)
    missed = [Shares.of(population, 1 - own, images) for own in context.decisions[BASELINE]]
    return levels_and_gaps(context, means(context, keys, KEYS, missed, images.sum(axis=0), proportion=True))
