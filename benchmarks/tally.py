"""What is counted of simulated cohorts: coverage, one-sided errors, false alarms, power, wrong claims."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from benchmarks.simulation import Batch
from lib.audit.inference import ALPHA, Figures, Inference, Summary, describe, summary
from lib.audit.inference.infer import MARGIN
from lib.audit.inference.pivot import Pivot
from lib.audit.inference.simultaneous import stepped

KEY = ("source", "world", "unit", "patients", "networks", "kind", "attribute", "metric", "contrast")
COUNTED = (
    *("truth", "covered", "below", "above", "width", "p_below_5", "shown", "simultaneous", "at_most", "wrong"),
    *("agree", "wald", "wald_holm", "permutation"),
)
PERMUTATIONS = 199
FAMILY, ALL = "family", "all"
NULL = 1e-3
"""A true figure below this counts as none."""


@dataclass(frozen=True, eq=False)
class Told:
    """What is said of K figures, cohort by cohort (as many each), and the columns that belong to a family."""

    of: Summary
    asked: tuple[tuple[str, str, str, str], ...]
    true: np.ndarray

    @cached_property
    def found(self) -> Inference:
        return describe(self.of)

    @cached_property
    def pivot(self) -> Pivot:
        return Pivot.for_summary(self.of)

    @cached_property
    def size(self) -> np.ndarray:
        return self.pivot.size(family=True)

    @cached_property
    def off(self) -> np.ndarray:
        """How far estimates are from the truth, as normal deviates with the same tail in the family."""
        return self.pivot.size(np.tile(self.true, len(self.of) // len(self.true)), family=True)


@dataclass(frozen=True, eq=False)
class _Some:
    """What `stepped` asks of a summary, for some of its columns."""

    rows: np.ndarray
    network_rows: dict[str, np.ndarray]

    @classmethod
    def of(cls, own: Summary, at: np.ndarray) -> "_Some":
        return cls(own.rows[:, at], {n: r[:, at] for n, r in own.network_rows.items()})

    def __len__(self) -> int:
        return self.rows.shape[1]


class Tally:
    """Sums by key: how often counted, and the sum, of each of `COUNTED`."""

    def __init__(self) -> None:
        self.sums: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(2 * len(COUNTED)))

    def add(self, key: tuple, **numbers: float) -> None:
        for k, name in enumerate(COUNTED):
            number = numbers.get(name, np.nan)
            if not np.isnan(number):
                self.sums[key][2 * k : 2 * k + 2] += (1, number)

    def intervals(self, key: tuple, kind: str, told: Told, adjusted: np.ndarray | None = None) -> None:
        """A row for each figure of the baseline, for each metric of methods, over all cohorts side by side."""
        found, many = told.found, len(told.asked)
        for k, (what, attribute, contrast, metric) in enumerate(told.asked):
            at = np.arange(k, len(found.p), many)
            at = at[np.isfinite(found.low[at])]
            t, low, high = told.true[k], found.low[at], found.high[at]
            where = (
                (what, attribute, metric, contrast) if kind == "baseline" else (f"{kind} ({what})", ALL, metric, ALL)
            )
            place = (*key, *where)
            columns = {
                "truth": np.full(len(at), t),
                "covered": (low <= t) & (t <= high),
                "below": t < low,
                "above": t > high,
                "width": high - low,
            }
            if what == "gap" or kind != "baseline":
                equal = found.p_equivalent[at] <= ALPHA
                columns |= {"p_below_5": found.p[at] <= ALPHA, "at_most": equal}
                if abs(t) >= MARGIN - 1e-9:
                    columns["wrong"] = equal
            if adjusted is not None and what == "gap":
                columns["shown"] = adjusted[at] <= ALPHA
            self.count(place, columns)

    def count(self, key: tuple, columns: dict[str, np.ndarray]) -> None:
        """Adds columns of as many figures each."""
        for name, column in columns.items():
            at = 2 * COUNTED.index(name)
            self.sums[key][at : at + 2] += (len(column), column.sum())

    def family(
        self, key: tuple, kind: str, members: list[tuple[Told, np.ndarray]], cohorts: int, seeds: int = 1
    ) -> list[np.ndarray]:
        """Adjusted p (K,) of each member's columns (K,) chosen; counts false claims and joint coverage, cohort by cohort."""
        adjusted = [np.full(len(told.found.p), np.nan) for told, _ in members]
        for c in range(cohorts):
            some, sizes, places = [], [], []
            for told, chosen in members:
                many = len(told.asked)
                at = c * many + np.flatnonzero(chosen[c * many : (c + 1) * many])
                at = at[np.isfinite(told.found.p[at])]
                some.append(_Some.of(told.of, at))
                sizes.append(told.size[at])
                places.append(at)
            if not sum(map(len, sizes)):
                continue
            whole = np.concatenate(sizes)
            p, critical = stepped(some, whole, seed=0)
            words = [tuple(stepped(some, whole, seed=seed)[0] <= ALPHA) for seed in range(1, seeds)]
            parts = np.split(p, np.cumsum([len(at) for at in places])[:-1])
            claims, wrong, covered = [], [], []
            for (told, _), at, own, column in zip(members, places, parts, adjusted, strict=True):
                column[at] = own
                t = told.true[at % len(told.asked)]
                shown = own <= ALPHA
                claims.append(shown)
                wrong.append(shown & ((np.abs(t) < NULL) | (np.sign(told.found.estimate[at]) != np.sign(t))))
                covered.append(told.off[at] <= critical)
            numbers = {
                "shown": np.concatenate(claims).any(),
                "wrong": np.concatenate(wrong).any(),
                "simultaneous": np.concatenate(covered).all(),
                "agree": np.nan if not words else all(word == tuple(p <= ALPHA) for word in words),
            }
            self.add((*key, kind, FAMILY, FAMILY, FAMILY), **numbers)
        return adjusted

    def baseline(
        self, key: tuple, own: Figures, asked: tuple, true: np.ndarray, cohorts: int, seeds: int
    ) -> np.ndarray:
        """Levels and gaps, and which gaps are established, (K,)."""
        told = Told(summary(own), asked, true)
        chosen = np.tile([what == "gap" for what, *_ in asked], cohorts)
        (adjusted,) = self.family(key, "baseline gaps", [(told, chosen)], cohorts, seeds)
        self.intervals(key, "baseline", told, adjusted)
        return adjusted <= ALPHA

    def effects(
        self,
        key: tuple,
        kind: str,
        effects: dict[str, tuple[np.ndarray, Figures]],
        asked: tuple,
        established: np.ndarray,
    ) -> None:
        """Effects of methods on levels and gaps; as a family, on established gaps and on balanced accuracy."""
        members = []
        cohorts = len(established) // len(asked)
        accuracy = np.tile([metric == "balanced_accuracy" for *_, metric in asked], cohorts)
        for name, (true, figures) in effects.items():
            told = Told(summary(figures), asked, true)
            self.intervals(key, f"{kind}: {name}", told)
            members.append((told, established | accuracy))
        self.family(key, f"family of {kind}s", members, cohorts)

    def rivals(
        self, key: tuple, batch: Batch, called: np.ndarray, own: Figures, asked: tuple, true: np.ndarray
    ) -> None:
        """Power of other tests of the gaps by view: Wald's with Holm's correction, and the permutation of all patients."""
        told = summary(own)
        t = (np.abs(told.estimate) / np.sqrt(told.patients)).reshape(batch.cohorts, -1)
        p = 2 * norm.sf(t)
        chosen = [k for k, (what, *_) in enumerate(asked) if what == "gap"]
        holm = np.stack([multipletests(row[chosen], ALPHA, "holm")[0] for row in p])
        for k, (what, attribute, contrast, metric) in enumerate(asked):
            if what == "gap" and attribute == "view":
                permuted = permutation_p(batch, called, metric, t[:, k])
                for c in range(batch.cohorts):
                    numbers = {"wald": p[c, k] <= ALPHA, "wald_holm": holm[c, chosen.index(k)]}
                    place = (*key, 1, "gap", attribute, metric, contrast)
                    self.add(place, permutation=permuted[c] <= ALPHA, **numbers)

    def narrowed(
        self,
        key: tuple,
        name: str,
        before: Figures,
        after: Figures,
        asked: tuple,
        true: np.ndarray,
        established: np.ndarray,
    ) -> None:
        """What is left of a gap; and how often it is said to be narrowed, by view."""
        if name == "closed":
            self.intervals(key, "left", Told(summary(after), asked, true))
        effect, total = (Pivot.for_summary(summary(own)) for own in (after - before, after + before))
        sign = np.sign(before.estimate)
        closing = np.where(sign > 0, effect.below(0.0), effect.above(0.0))
        same_side = np.where(sign > 0, total.above(0.0), total.below(0.0))
        narrowed = np.maximum(closing, same_side) <= ALPHA
        for k, (what, attribute, contrast, metric) in enumerate(asked):
            if what == "gap" and attribute == "view":
                at = np.arange(k, len(narrowed), len(asked))
                at = at[established[at]]
                for c in at:
                    wrong = narrowed[c] if name == "mirrored" else np.nan
                    place = (*key, f"narrowed: {name}", attribute, metric, contrast)
                    self.add(place, truth=true[k], shown=narrowed[c], wrong=wrong)


def permutation_p(batch: Batch, called: np.ndarray, metric: str, observed: np.ndarray) -> np.ndarray:
    """p (M,) of the gap by view in each cohort: whole patients are permuted over all, carrying the share of AP among their images.

    `observed` (M,) studentised gaps are compared with those of permuted patients: the difference of the mean decision of patients
    with AP images and of those with PA images, over its standard error, of which those with both are in both.
    """
    people = batch.population
    side = people.labels == (metric == "tpr")
    table = np.stack([side, side & (people.groups["view"] == 0), side * called, np.ones(len(side))], axis=1)
    images, in_ap, sick, _ = people.sums_by_patient(table).reshape(batch.cohorts, -1, 4).transpose(2, 0, 1)
    found = []
    for n, ap, s, seen in zip(images, in_ap, sick, observed, strict=True):
        have = n > 0
        x, share = s[have] / n[have], ap[have] / n[have]
        orders = np.stack([batch.generator.permutation(len(x)) for _ in range(PERMUTATIONS)])
        members = share[orders] > 0, share[orders] < 1
        counts = [member.sum(axis=1, keepdims=True) for member in members]
        means = [member @ x[:, None] / count for member, count in zip(members, counts, strict=True)]
        pushed = [m * (x - mean) / n_ for m, mean, n_ in zip(members, means, counts, strict=True)]
        t = np.abs(means[0] - means[1])[:, 0] / np.sqrt(((pushed[0] - pushed[1]) ** 2).sum(axis=1))
        found.append((1 + (t >= seen).sum()) / (PERMUTATIONS + 1))
    return np.array(found)
