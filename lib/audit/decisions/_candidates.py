"""Candidates for a recommendation, judged once: price, disparity and how sure both are, the choice among many allowed for.

Disparity: the largest of the gaps in TPR and FPR of an attribute, `group - reference`, without its sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from lib.audit.columns import METHOD
from lib.audit.context import Context
from lib.audit.inference import Figures, Inference
from lib.audit.judged import judged
from lib.names import (
    BASELINE,
    DEFAULTS,
    NARROWED,
    NO_TARGET,
    OPENED,
    OVERALL,
    PATIENT,
    SHOWN,
    SUGGESTED,
    TURNED,
    WIDENED,
    Method,
    must_know,
)


@dataclass(frozen=True, eq=False)
class Disparity:
    """One method: `accuracy`, balanced accuracy of everyone (K = 1), `gaps` (K) of an attribute, and which is the largest."""

    method: Method
    accuracy: Figures
    gaps: Figures

    @classmethod
    def known(cls, compared: Mapping[Method, Figures], attribute: str) -> "list[Disparity]":
        """Those of methods of which balanced accuracy and a gap of the attribute are estimable; all are figures of one kind."""
        if not compared:
            return []
        index = next(iter(compared.values())).index
        of, estimable = index["attribute"].to_numpy(), index["estimable"].to_numpy()
        overall, own = np.flatnonzero(of == OVERALL), np.flatnonzero((of == attribute) & estimable)
        if not len(own) or not estimable[overall].all():
            return []
        found = [cls(method, figures.take(overall), figures.take(own)) for method, figures in compared.items()]
        return [one for one in found if np.isfinite(one.sizes).all()]

    @cached_property
    def sizes(self) -> np.ndarray:
        """The gaps without their signs, (K,)."""
        return np.abs(self.gaps.estimate)

    @property
    def largest(self) -> int:
        """Which gap is the largest."""
        return int(self.sizes.argmax())

    @property
    def value(self) -> float:
        """The largest gap without its sign."""
        return float(self.sizes.max())

    @property
    def which(self) -> tuple[str, str]:
        """Metric and contrast of that gap."""
        row = self.gaps.index.row(self.largest, named=True)
        return row["metric"], row["contrast"]

    def signed(self) -> Figures:
        """The largest gap times its sign."""
        return self.gaps.take([self.largest]) * (np.sign(self.gaps.estimate[self.largest]) or 1.0)


@dataclass(frozen=True, eq=False)
class Candidate:
    """One permitted method: `loss` of balanced accuracy and `change` of disparity, as positions in their `Inference`.

    `support`: the surest verdict among the gaps of the attribute that it narrows, None if it narrows none; `harms`: it is
    shown to widen, turn or open one, of any attribute.
    """

    own: Disparity
    loss: int
    change: int
    support: str | None
    harms: bool

    @property
    def method(self) -> Method:
        return self.own.method


@dataclass(frozen=True, eq=False)
class Candidates:
    """All of them, the baseline first, with the one family of their losses and changes."""

    baseline: Disparity
    others: tuple[Candidate, ...]
    judged: Inference | None


def candidates(context: Context) -> Candidates | None:
    """The methods that the preferences permit; None where the disparity of the baseline is not estimable."""
    return context.once("candidates", None, lambda: _candidates(context))


def _candidates(context: Context) -> Candidates | None:
    attribute = context.preferences["attribute"]
    compared = judged(context).compared
    known = {own.method: own for own in Disparity.known(compared, attribute)}
    base = known.pop(BASELINE, None)
    if base is None:
        return None
    sides = [own for method, own in known.items() if _permitted(method, context)]
    words = _outcomes(context.table("effects"), attribute)
    family: list[Figures] = []
    for own in sides:
        family += [base.accuracy - own.accuracy, own.signed() - base.signed()]
    others = tuple(
        Candidate(own, 2 * k, 2 * k + 1, *words.get(own.method, (None, False))) for k, own in enumerate(sides)
    )
    return Candidates(base, others, context.infer(family) if family else None)


def _permitted(method: Method, context: Context) -> bool:
    """Whether a method acts on the attribute or on none, is not rejected, and asks, when deciding, for nothing that is forbidden."""
    preferences, attributes = context.preferences, context.population.attributes
    known = must_know(method[1], method[2])
    demographic = known is not None and attributes.get(known, DEFAULTS.get(known)).of_patient
    allowed = method[1] not in preferences.get("rejected", ()) and (
        preferences["may_use_demographics"] or not demographic
    )
    return allowed and method[2] in (NO_TARGET, preferences["attribute"])


def _outcomes(effects: pl.DataFrame, attribute: str) -> dict[Method, tuple[str | None, bool]]:
    """The surest narrowing of a gap of the attribute by method, and whether one of any attribute is shown to widen, turn or open."""
    told = effects.filter(pl.col("outcome_verdict").is_in([SHOWN, SUGGESTED]), unit=PATIENT)
    found: dict[Method, tuple[str | None, bool]] = {}
    for *method, of, outcome, verdict in told.select(*METHOD, "attribute", "outcome", "outcome_verdict").rows():
        support, harms = found.get(tuple(method), (None, False))
        if outcome == NARROWED and of == attribute and support != SHOWN:
            support = verdict
        harms |= outcome in (WIDENED, TURNED, OPENED) and verdict == SHOWN
        found[tuple(method)] = support, harms
    return found
