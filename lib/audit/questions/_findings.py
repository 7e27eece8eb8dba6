"""Which findings an image has, from the reports' column."""

import numpy as np
import polars as pl

from lib.audit.questions._curves import Mask

NOTHING = "No Finding"
UNNAMED = "not named"
"""What is told of sick images of which no finding is known."""


def findings(people: pl.DataFrame, sick: Mask) -> tuple[list[str], Mask]:
    """Names of findings, most frequent first, and which of the sick images (n,) has which, (n, F).

    `people.findings` is a String such as "Effusion|Mass" (null = not known).
    """
    told = people["findings"].fill_null("").str.split("|").to_list()
    told = [set(names) - {NOTHING, ""} or {UNNAMED} if own else set() for names, own in zip(told, sick, strict=True)]
    names = sorted(set().union(*told)) if told else []
    has = np.array([[name in own for name in names] for own in told], dtype=bool).reshape(len(told), len(names))
    order = np.argsort(-has.sum(axis=0), kind="stable")
    return [names[k] for k in order], has[:, order]
