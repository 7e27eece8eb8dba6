"""Of whom the report speaks where it cannot speak of all: the attribute that the reader cares about most."""

import polars as pl

from lib.names import ATTRIBUTES, BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, MAX_MIN, NO_TARGET
from lib.results import Results


def focus(results: Results) -> str:
    """The attribute of the study's preferences, else that of the widest TPR gap under the untouched baseline."""
    preferred = results.manifest["settings"].get("preferences", {}).get("attribute")
    if preferred in ATTRIBUTES:
        return preferred
    baseline = results.gaps.filter(
        weighting=BASELINE_WEIGHTING, postprocessing=BASELINE_POSTPROCESSING, metric="tpr", contrast=MAX_MIN
    )
    widest = baseline.sort("value", descending=True, nulls_last=True)["attribute"].to_list()
    return widest[0] if widest else next(iter(ATTRIBUTES))


def aimed(attribute: str) -> pl.Expr:
    """Rows of post-processings that act on the attribute or on none."""
    return pl.col("target").is_in([NO_TARGET, attribute])
