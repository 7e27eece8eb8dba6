"""How large is each group, alone and within others? Shares of images, with 95 % intervals by patient.

`other` is `overall` (group `all`), another attribute, or `label` (`sick`, `healthy`): share = images in both / images of
the other group with a known attribute, per image. Not estimable where there is no such image.
"""

import polars as pl

from lib.audit.columns import DESCRIBED, I, S
from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions._shared import by_image, splits

name = "shares"
schema = {key: S for key in ("split", "attribute", "group", "other", "other_group")} | DESCRIBED | {"images": I}


def compute(context: Context) -> list[pl.DataFrame]:
    return [_of(context, split, people) for split, people in splits(context)]


def _of(context: Context, split: str, people: Population) -> pl.DataFrame:
    cells = [(cell.attribute, cell.group, cell.images) for cell in people.cells]
    others = cells + [("label", word, people.labels == value) for value, word in ((1, "sick"), (0, "healthy"))]
    keys, both, within = [], [], []
    for attribute, codes in people.groups.items():
        for own, group, images in cells:
            if own == attribute:
                for other, other_group, side in others:
                    if other != attribute:
                        keys.append((split, attribute, group, other, other_group, int((images & side).sum())))
                        both.append(images & side)
                        within.append(side & (codes >= 0))
    index = pl.DataFrame(keys, schema=[key for key in schema if key not in DESCRIBED], orient="row")
    return context.describe(by_image(people, index, both, within)).table()
