"""Of whom the report speaks where it cannot speak of all: the attribute that the reader cares about most."""

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    ERRORS,
    NO_TARGET,
    NOT_ESTIMABLE,
    NOT_TOLD,
    OVERALL,
    SUGGESTED,
)
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.results import Results


def focus(results: Results) -> str:
    """The attribute of the study's preferences, else that of the widest TPR gap under the untouched baseline."""
    preferred = results.manifest["settings"].get("preferences", {}).get("attribute")
    if preferred in results.attributes:
        return preferred
    baseline = evidence.gaps(results).filter(
        weighting=BASELINE_WEIGHTING, postprocessing=BASELINE_POSTPROCESSING, metric="tpr", contrast=WIDEST
    )
    widest = baseline.sort("value", descending=True, nulls_last=True)["attribute"].to_list()
    return widest[0] if widest else next(iter(results.attributes))


def aimed(attribute: str) -> pl.Expr:
    """Rows of post-processings that act on the attribute or on none."""
    return pl.col("target").is_in([NO_TARGET, attribute])


def outcome() -> pl.Expr:
    """Rows of what corrections are judged by: balanced accuracy of everyone and the gaps in error rates."""
    balanced = (pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy")
    return balanced | ((pl.col("contrast") == WIDEST) & pl.col("metric").is_in(ERRORS))


ON_SLIDE = 6
"""Post-processings, or weightings, that a slide shows at most beside the baseline's."""


def foremost(frame: pl.DataFrame, results: Results, attribute: str, most: int = ON_SLIDE) -> pl.DataFrame:
    """The rows of `frame` that a slide has room for: of the untouched decisions, and of the post-processings that do most.

    First those with a decided change of balanced accuracy or of an error gap by the attribute, unweighted; among equals
    those whose largest change is larger.
    """
    changes = evidence.changes(results).filter(aimed(attribute), weighting=BASELINE_WEIGHTING)
    keys = ["postprocessing", "target"]
    kept = [(BASELINE_POSTPROCESSING, NO_TARGET), *_ranked(changes, attribute, keys, most)]
    return frame.filter(pl.struct(keys).map_elements(lambda m: tuple(m.values()) in kept, pl.Boolean))


def foremost_weightings(frame: pl.DataFrame, results: Results, attribute: str, most: int = ON_SLIDE) -> pl.DataFrame:
    """The same of weightings, by what they change where decisions are made at 0.5."""
    changes = evidence.changes(results).filter(postprocessing=BASELINE_POSTPROCESSING)
    kept = [BASELINE_WEIGHTING, *(name for (name,) in _ranked(changes, attribute, ["weighting"], most))]
    return frame.filter(pl.col("weighting").is_in(kept))


def _ranked(changes: pl.DataFrame, attribute: str, keys: list[str], most: int) -> list[tuple[str, ...]]:
    decided = ~pl.col("verdict").is_in([SUGGESTED, NOT_TOLD, NOT_ESTIMABLE])
    return (
        changes.filter(outcome(), pl.col("attribute").is_in([OVERALL, attribute]))
        .group_by(keys, maintain_order=True)
        .agg(decided=decided.any(), largest=pl.col("change").abs().max())
        .sort("decided", "largest", descending=True, nulls_last=True, maintain_order=True)
        .head(most)
        .select(keys)
        .rows()
    )


def of_them(shown: pl.DataFrame, everything: pl.DataFrame, kind: str = "post-processing") -> str:
    """What a slide leaves out of the methods of a kind (`weighting`, `post-processing`), in words; nothing when it shows all."""
    column, baseline = (
        ("weighting", BASELINE_WEIGHTING) if kind == "weighting" else ("postprocessing", BASELINE_POSTPROCESSING)
    )
    keys = ["weighting"] if kind == "weighting" else ["postprocessing", "target"]
    few, many = (frame.filter(pl.col(column) != baseline).select(keys).n_unique() for frame in (shown, everything))
    return f"{few} of {many} {kind}s, those that change most" if few < many else ""
