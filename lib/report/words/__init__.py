"""Numbers, intervals, lists and plurals as words. Minus is a true minus; a missing number is `not estimable`."""

from collections.abc import Sequence
from typing import Any

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    CROSSED,
    DEFAULTS,
    METRICS,
    NOT_ESTIMABLE,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report.words.language import Words

__all__ = ["Words"]


def number(value: float | None, digits: int = 3) -> str:
    """`0.708`; `not estimable` for None."""
    return NOT_ESTIMABLE if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """A share in 0 to 1 as `66.8 %`."""
    return NOT_ESTIMABLE if share is None else f"{100 * share:.{digits}f} %".replace("-", "−")


def points(difference: float | None, digits: int = 1) -> str:
    """A difference of shares in percentage points, always signed: `+12.3`; 0 without a sign."""
    if difference is None:
        return NOT_ESTIMABLE
    text = f"{100 * difference:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def per_thousand(difference: float | None) -> str:
    """A difference of shares as people of 1,000, always signed: `+43`; 0 without a sign."""
    if difference is None:
        return NOT_ESTIMABLE
    text = f"{1000 * difference:+,.0f}"
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


def unit(metric: str) -> str:
    """`points` for rates, nothing for the AUC, which is read on its own scale."""
    return "" if metric == "auc" else " points"


def difference(metric: str, value: float | None) -> str:
    """A difference of a metric without its unit: rates in points, AUC with three signed decimals."""
    if metric != "auc" or value is None:
        return points(value)
    return f"{value:+.3f}".replace("-", "−")


def level(metric: str, value: float | None) -> str:
    """A metric's value: rates in percent, AUC with three decimals."""
    return number(value) if metric == "auc" else percent(value)


def interval(low: str, high: str) -> str:
    """`95 % interval −3.1 to +2.0`."""
    return f"95 % interval {low} to {high}"


def count(n: int) -> str:
    """A number of things with a thousands separator: `4,956`."""
    return f"{n:,}"


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """`1 image`, `4,956 images`."""
    return f"{count(n)} {singular if n == 1 else plural or singular + 's'}"


SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def few(n: int) -> str:
    """`one`, `four`, `12`: a number as one writes it within a sentence."""
    return SMALL[n] if n < len(SMALL) else count(n)


def spelled(n: int, singular: str, plural: str | None = None) -> str:
    """`no weighting`, `one weighting`, `four weightings`, `12 weightings`."""
    return f"{few(n)} {singular if n == 1 else plural or singular + 's'}"


def listed(items: Sequence[str], *, conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; an empty list is `none`."""
    if not items:
        return "none"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def some(items: Sequence[str], most: int = 4) -> str:
    """The same, but of a long list the first few and the number of the others: `a, b, c, d and 12 others`."""
    rest = len(items) - most
    return listed(items) if rest < 2 else listed([*items[:most], f"{few(rest)} others"])


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def method_words(row: dict[str, Any]) -> str:
    """The method of a row of a bundle, without the parts that are the baseline's; `untouched baseline` when both are."""
    parts = []
    if row["weighting"] != BASELINE_WEIGHTING:
        parts.append(weighting_label(row["weighting"]))
    if row["postprocessing"] != BASELINE_POSTPROCESSING:
        parts.append(postprocessing_label(row["postprocessing"], row["target"]))
    return " with ".join(parts) or "untouched baseline"


def outcome_words(attribute: str, metric: str) -> str:
    """`balanced accuracy`, `TPR gap by view`: what a method is judged by."""
    label = METRICS[metric].label
    return label if attribute == OVERALL else f"{label} gap by {attribute_words(attribute)}"


def attribute_words(attribute: str) -> str:
    """`age group`, `sex and view` of a crossing; an unknown attribute is shown as it is."""
    if CROSSED in attribute:
        return " and ".join(attribute_words(part) for part in attribute.split(CROSSED))
    return DEFAULTS[attribute].label if attribute in DEFAULTS else attribute.replace("_", " ")


def gap_label(attribute: str, metric: str) -> str:
    """The same as `outcome_words`, and `odds gap by view` for the larger of the TPR gap and the FPR gap."""
    if metric == "odds":
        return f"odds gap by {attribute_words(attribute)}"
    return outcome_words(attribute, metric)
