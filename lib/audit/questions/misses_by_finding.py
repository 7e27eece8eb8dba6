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

from lib.audit.columns import STANDARD, B, I, S, with_figures
from lib.audit.context import Context
from lib.audit.inference import ratio
from lib.audit.questions._curves import Shares, levels_and_gaps
from lib.audit.questions._findings import findings
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "misses_by_finding"
KEYS = dict.fromkeys(("finding", "attribute", "group", "contrast", "metric"), S)
KEYS |= {"images": I, "patients": I, "estimable": B}
schema = with_figures(KEYS, STANDARD)
needs = ("findings",)


def compute(context: Context) -> list[pl.DataFrame]:
    population = context.population
    names, has = findings(context.people, population.labels == 1)
    if not names:
        return []
    columns = [(finding, cell, has[:, f] & cell.images) for f, finding in enumerate(names) for cell in population.cells]
    images = np.stack([mask for *_, mask in columns], axis=1)
    missed = [
        Shares.of(population, np.repeat(1 - own[:, None], images.shape[1], axis=1), images)
        for own in context.decisions[BASELINE]
    ]
    patients = missed[0].there.sum(axis=0).astype(int)
    enough = patients >= max(1, context.smallest_cell)
    rows = [
        (finding, cell.attribute, cell.group, None, "fnr", int(images[:, k].sum()), int(patients[k]), bool(enough[k]))
        for k, (finding, cell, _) in enumerate(columns)
    ]
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    totals = np.stack([own.totals for own in missed])
    counted = index["images"].to_numpy()
    levels = ratio(index, BASELINE_WEIGHTING, totals, missed[0].there, images=counted, proportion=True)
    return levels_and_gaps(context, levels, KEYS)
