"""Differences between groups: `group - reference`."""

import numpy as np
import polars as pl

from lib.audit.inference.figures import Figures
from lib.audit.inference.population import Population

SCHEMA = {
    **{name: pl.String for name in ("attribute", "contrast", "metric", "unit")},
    **{"images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean},
}


def gaps(levels: Figures, population: Population) -> Figures:
    """For each attribute and metric of `levels`, the difference of each group and the reference.

    0 means that both groups fare alike, above 0 that the group has more. Estimable where both groups are; `patients` are those of the
    smaller group. An attribute's first group is compared first.
    """
    at = {key: k for k, key in enumerate(levels.index.select("attribute", "group", "metric").rows())}
    metrics = levels.index["metric"].unique(maintain_order=True).to_list()
    rows, pairs = [], []
    for name, attribute in population.attributes.items():
        for metric in metrics:
            for group in attribute.groups:
                if group == attribute.reference:
                    continue
                pair = at[name, group, metric], at[name, attribute.reference, metric]
                own = levels.index[list(pair)]
                contrast = f"{group} - {attribute.reference}"
                rows.append((name, contrast, metric, own["unit"][0], *_smaller(own)))
                pairs.append(pair)
    matrix = np.zeros((len(levels), len(pairs)))
    for k, (one, two) in enumerate(pairs):
        matrix[one, k], matrix[two, k] = 1, -1
    return levels.contrast(pl.DataFrame(rows, schema=SCHEMA, orient="row"), matrix)


def _smaller(own: pl.DataFrame) -> tuple[int, int, bool]:
    return int(own["images"].sum()), int(own["patients"].min()), bool(own["estimable"].all())
