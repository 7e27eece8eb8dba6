"""Candidates for a recommendation, judged once: price, disparity and how sure both are, the choice among many allowed for."""

from dataclasses import dataclass

import polars as pl

from lib.audit.columns import METHOD
from lib.audit.context import Context
from lib.audit.decisions._disparity import Disparity, permitted
from lib.audit.inference import Figures, Inference
from lib.audit.judged import judged
from lib.names import BASELINE, NARROWED, OPENED, PATIENT, SHOWN, SUGGESTED, TURNED, WIDENED, Method


@dataclass(frozen=True, eq=False)
class Candidate:
    """One permitted method: `loss` of balanced accuracy and `change` of disparity, as positions in their `Inference`.

    `support`: the surest verdict among the gaps of the attribute that it narrows, None if it narrows none; `harms`: it is
    shown to widen, turn or open one.
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
    attribute, allowed = context.preferences["attribute"], context.preferences["may_use_demographics"]
    compared = judged(context).compared
    known = {own.method: own for own in Disparity.known(compared, attribute)}
    base = known.pop(BASELINE, None)
    if base is None:
        return None
    attributes = context.population.attributes
    sides = [own for method, own in known.items() if permitted(method, attribute, attributes, allowed)]
    words = _outcomes(context.table("effects"), attribute)
    family: list[Figures] = []
    for own in sides:
        family += [base.accuracy - own.accuracy, own.signed() - base.signed()]
    others = tuple(
        Candidate(own, 2 * k, 2 * k + 1, *words.get(own.method, (None, False))) for k, own in enumerate(sides)
    )
    return Candidates(base, others, context.infer(family) if family else None)


def _outcomes(effects: pl.DataFrame, attribute: str) -> dict[Method, tuple[str | None, bool]]:
    """The surest narrowing of a gap of the attribute by method, and whether one is shown to widen, turn or open."""
    own = effects.filter(pl.col("outcome_verdict").is_in([SHOWN, SUGGESTED]), attribute=attribute, unit=PATIENT)
    found: dict[Method, tuple[str | None, bool]] = {}
    for *method, outcome, verdict in own.select(*METHOD, "outcome", "outcome_verdict").rows():
        support, harms = found.get(tuple(method), (None, False))
        if outcome == NARROWED and support != SHOWN:
            support = verdict
        harms |= outcome in (WIDENED, TURNED, OPENED) and verdict == SHOWN
        found[tuple(method)] = support, harms
    return found
