"""Who is in two groups at once? Images, patients and sick images in each crossing of two attributes, by split.

Empty crossings are kept. Counts, no rates.
"""

from itertools import combinations

import polars as pl

from lib.audit.columns import I, S
from lib.audit.context import Context
from lib.audit.questions._shared import splits

name = "pairs"
schema = {key: S for key in ("split", "attribute", "group", "other", "other_group")} | {
    key: I for key in ("images", "patients", "sick")
}


def compute(context: Context) -> pl.DataFrame:
    rows = []
    for split, people in splits(context):
        for one, two in combinations(people.cells[1:], 2):
            if one.attribute != two.attribute:
                both = one.images & two.images
                sizes = int(both.sum()), people.count_patients(both), int((people.labels[both] == 1).sum())
                rows.append((split, one.attribute, one.group, two.attribute, two.group, *sizes))
    return pl.DataFrame(rows, schema=schema, orient="row")
