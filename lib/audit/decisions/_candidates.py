"""Candidates for a recommendation, by what they leave: balanced accuracy of everyone, and the gaps of an attribute.

Disparity: the largest of the gaps in TPR and FPR of an attribute, `group - reference`, without its sign.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lib.audit.context import Context
from lib.audit.inference import Figures
from lib.audit.judged import judged
from lib.names import BASELINE, DEFAULTS, NO_TARGET, OVERALL, Method, must_know


@dataclass(frozen=True, eq=False)
class Candidate:
    """One method: `accuracy`, balanced accuracy of everyone (K = 1), and `gaps` (K) in TPR and FPR of an attribute."""

    method: Method
    accuracy: Figures
    gaps: Figures

    @property
    def sizes(self) -> np.ndarray:
        """The gaps without their signs, (K,)."""
        return np.abs(self.gaps.estimate)

    @property
    def disparity(self) -> float:
        """The largest gap without its sign."""
        return float(self.sizes.max())

    @property
    def largest(self) -> str:
        """Metric and contrast of that gap."""
        return ": ".join(self.gaps.index.select("metric", "contrast").row(int(self.sizes.argmax())))

    def signed(self) -> Figures:
        """The largest gap times its sign."""
        k = int(self.sizes.argmax())
        return self.gaps.take([k]) * (np.sign(self.gaps.estimate[k]) or 1.0)


def candidates(context: Context) -> list[Candidate]:
    """The baseline, then the methods that the preferences permit; none where the baseline's disparity is not estimable."""
    return context.once("candidates", None, lambda: _candidates(context, judged(context).compared))


def _candidates(context: Context, compared: Mapping[Method, Figures]) -> list[Candidate]:
    if BASELINE not in compared:
        return []
    index = compared[BASELINE].index
    of, estimable = index["attribute"].to_numpy(), index["estimable"].to_numpy()
    overall, own = np.flatnonzero(of == OVERALL), np.flatnonzero((of == context.preferences["attribute"]) & estimable)
    if not len(own) or not estimable[overall].all():
        return []
    asked = [BASELINE, *(method for method in compared if method != BASELINE and _permitted(method, context))]
    found = [Candidate(method, compared[method].take(overall), compared[method].take(own)) for method in asked]
    found = [one for one in found if np.isfinite(one.sizes).all()]
    return found if found and found[0].method == BASELINE else []


def _permitted(method: Method, context: Context) -> bool:
    """Whether a method acts on the attribute or on none, is not rejected, and asks, when deciding, for nothing that is forbidden."""
    preferences, attributes = context.preferences, context.population.attributes
    known = must_know(method[1], method[2])
    demographic = known is not None and attributes.get(known, DEFAULTS.get(known)).of_patient
    allowed = method[1] not in preferences.get("rejected", ()) and (
        preferences["may_use_demographics"] or not demographic
    )
    return allowed and method[2] in (NO_TARGET, preferences["attribute"])
