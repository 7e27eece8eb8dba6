"""Of whom the report speaks where it cannot speak of all: the attribute that the reader cares about most."""

import polars as pl

from lib.names import (
    ATTRIBUTES,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    MAX_MIN,
    NO_TARGET,
    NOT_ESTIMABLE,
    OVERALL,
    UNDECIDED,
)
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


ON_SLIDE = 7
"""Post-processings that a slide shows at most."""


def foremost(frame: pl.DataFrame, results: Results, attribute: str, most: int = ON_SLIDE) -> pl.DataFrame:
    """The rows of `frame` that a slide has room for: of the untouched decisions, and of the post-processings that do most.

    First those with a decided change of balanced accuracy or of an error gap by the attribute, unweighted; among equals
    those whose largest change is larger.
    """
    about = (pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy")
    about |= (
        (pl.col("attribute") == attribute) & (pl.col("contrast") == MAX_MIN) & pl.col("metric").is_in(["tpr", "fpr"])
    )
    decided = ~pl.col("verdict").is_in([UNDECIDED, NOT_ESTIMABLE])
    ranked = (
        results.changes.filter(about & aimed(attribute), weighting=BASELINE_WEIGHTING)
        .group_by("postprocessing", "target", maintain_order=True)
        .agg(decided=decided.any(), largest=pl.col("change").abs().max())
        .sort("decided", "largest", descending=True, nulls_last=True, maintain_order=True)
        .head(most)["postprocessing", "target"]
    )
    kept = [(BASELINE_POSTPROCESSING, NO_TARGET), *ranked.iter_rows()]
    return frame.filter(
        pl.struct("postprocessing", "target").map_elements(lambda m: tuple(m.values()) in kept, pl.Boolean)
    )


def of_them(shown: pl.DataFrame, everything: pl.DataFrame) -> str:
    """What a slide leaves out, in words; nothing when it shows all."""
    few, many = (
        frame.filter(pl.col("postprocessing") != BASELINE_POSTPROCESSING).select("postprocessing", "target").n_unique()
        for frame in (shown, everything)
    )
    return f"{few} of {many} post-processings, those that change most" if few < many else ""
