"""Where a table has the outputs of its networks: the chance of sick, the outputs for two classes, or decisions alone.

The course's script writes classes: 0 = malade (sick), 1 = sain (healthy), in `labels` (truth) and `preds`, and the network's
outputs in `preds_logit0` and `preds_logit1`. Elsewhere 1 is sick; words (malade, sick, sain, healthy) say it themselves.
Logits and percent become chances in 0 to 1 where there is no doubt what they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from scipy.special import expit

from lib.tabular import Columns, Table
from lib.tabular import TableError as PredictionError
from lib.tabular.classes import classes, is_classes
from lib.tabular.columns import DECISION, LABEL, SCORE, candidates, is_numeric, named, option_for
from lib.tabular.values import bare, coded, numbers

PAIR = re.compile(r"^(?P<stem>.*?)[ _.-]?(?P<kind>logits?|probas?|probs?|scores?)[ _.-]?(?P<k>[01])$", re.IGNORECASE)
"""Two columns, of class 0 (malade, in the alphabetical order of the course's folders) and of class 1 (sain)."""
MANY = 0.1
"""Share of values below 0 from which on they are logits, and no slips of the pen."""
TURNED = re.compile(r"^1 ?- ?(?P<column>.+)$")
"""A chance of healthy, which is to be turned: `--score 1-p_normal`."""
OF_HEALTHY = ("sain", "saine", "healthy", "normal", "negative", "negatif", "nofinding")
OF_SICK = ("malade", "sick", "abnormal", "anormal", "disease", "positive", "positif", "patho")
NETWORK = re.compile(r"^(?P<method>.+)/seed(?P<seed>\d+)$")
"""A column for each network, as a study publishes them; all images of such a file were held out."""


@dataclass(frozen=True)
class Network:
    """One network of a file: its `method`, the `column` it was read from; `ranked`: scores are more than decisions."""

    method: str
    column: str
    ranked: bool


def networks_of(
    table: Table, columns: Columns, scores: Sequence[str], notes: list[str]
) -> tuple[tuple[Network, ...], dict[str, pl.Series]]:
    """The networks of a table and, for network k, `score k` of sick in 0 to 1 and `decision k`, 1 = called sick, (n,); null where
    none is written, a decision also where there are only scores.

    `scores` are the columns that `--score` names, a method each. `notes` gets what was made of the columns. Raises
    `PredictionError` for a value that is none, and where it is not clear which columns are meant.
    """
    outputs = _Outputs(table, columns, notes)
    if scores:
        names = [""] if len(scores) == 1 else scores
        read = [outputs.named(method, name) for method, name in zip(names, scores, strict=True)]
    elif wide := [(column, match["method"]) for column in table.columns if (match := NETWORK.match(column))]:
        read = [outputs.network(method, (column,)) for column, method in wide]
    else:
        read = [outputs.network("", chosen) if (chosen := outputs.likeliest()) else outputs.decided()]
    series: dict[str, pl.Series] = {}
    for k, (_, score, decision) in enumerate(read):
        unknown = pl.Series([None] * len(score), dtype=pl.Float64)
        series |= {f"score {k}": score, f"decision {k}": unknown if decision is None else decision.cast(pl.Float64)}
    return tuple(network for network, _, _ in read), series


_Read = tuple[Network, pl.Series, pl.Series | None]


class _Outputs:
    def __init__(self, table: Table, columns: Columns, notes: list[str]):
        self.table, self.notes, self.pairs = table, notes, _pairs(table)
        self.label, self.decision, self.score = (columns.find(table, role) for role in (LABEL, DECISION, SCORE))
        self.decision_stated = DECISION in columns.names

    def named(self, method: str, name: str) -> _Read:
        """The network that `--score` names: by a column, by what is common to two, or by the one of two that is of sick."""
        if (column := named(self.table, name)) is not None:
            pair = next((pair for pair in self.pairs.values() if column in pair), (column,))
            return self.network(method, pair if pair[0] == column else pair[::-1])
        if name in self.pairs:
            return self.network(method, self.pairs[name])
        if (turned := TURNED.match(name)) and (column := named(self.table, turned["column"])):
            return self.network(method, (column,), of_healthy=True)
        near = _likely(self.table) or self.table.columns
        raise PredictionError(f"{self.table.path} has no column {name!r} (--score); it has {', '.join(near[:12])}.")

    def network(self, method: str, outputs: tuple[str, ...], *, of_healthy: bool = False) -> _Read:
        """The network of these columns: one, of sick or `of_healthy`, or two, of sick, then of healthy."""
        score = chances(self.table, outputs, self.notes)
        score = 1 - score if of_healthy else score
        decision = self._decision_of(outputs, score)
        if decision is not None and "confidence" in bare(outputs[0]):
            both = pl.DataFrame({"score": score, "decision": decision}).drop_nulls()
            if both["decision"].n_unique() == 2 and both["score"].min() >= 0.5:
                score = score.zip_with((decision == 1).fill_null(False), 1 - score)
                said = f"{outputs[0]!r} is taken for the confidence in the decision, not for the chance of sick."
                self.notes.append(f"{self.table.path.name}: {said}")
        return Network(method, outputs[0], not score.drop_nulls().is_in([0.0, 1.0]).all()), score, decision

    def _decision_of(self, outputs: tuple[str, ...], score: pl.Series) -> pl.Series | None:
        """The decisions that go with a score, 1 = called sick; where they are 0 and 1, the one with higher scores is sick."""
        stem = next((stem for stem, pair in self.pairs.items() if pair == outputs), None)
        column = named(self.table, stem) if stem and not self.decision_stated else self.decision
        if column is None or column in outputs or not (self.decision_stated or is_classes(self.table, column)):
            return None
        values, words = classes(self.table, column)
        sick, healthy = (score.filter(values == called).mean() for called in (1, 0))
        as_written = words or (0.5 if sick is None else sick) >= (0.5 if healthy is None else healthy)
        return values if as_written else 1 - values

    def likeliest(self) -> tuple[str, ...]:
        """The column of the chance of sick, or those of sick and healthy; none where decisions are all there is."""
        table, decision = self.table, self.decision
        if self.decision_stated and self.score is None and not self.pairs:
            return ()
        if of_course := next((pair for stem, pair in self.pairs.items() if bare(stem) == "preds"), None):
            return of_course
        if len(self.pairs) > 1:
            allowed = " or ".join(f"--score {stem or pair[0]}" for stem, pair in self.pairs.items())
            raise PredictionError(
                f"{table.path} has the outputs of {len(self.pairs)} networks: choose with {allowed}, or several."
            )
        if self.pairs:
            return self._sick_first(*self.pairs.values())
        if self.score:
            return (self.score,)
        is_chance = decision and bare(decision) != "preds" and not is_classes(table, decision)
        return (decision,) if is_chance and is_numeric(table.frame[decision]) else ()  # `pred` of many is the chance

    def _sick_first(self, pair: tuple[str, str]) -> tuple[str, str]:
        """The column of sick, then that of healthy: as the file's truth counts its classes, else in the order of the course."""
        if self.label is None or bare(self.label) == "labels" or not is_classes(self.table, self.label):
            return pair
        written = coded(self.table.frame[self.label])
        values, words = classes(self.table, self.label)
        first_is_sick = words and values.filter(written == written.min()).first() == 1
        return pair if first_is_sick else pair[::-1]

    def decided(self) -> _Read:
        """A network known by its decisions only."""
        table, column = self.table, self._decision_column()
        decision, words = classes(table, column)
        if not words:
            sick = self._sick_code(column)
            decision = decision if sick else 1 - decision
            self.notes.append(f"{table.path.name}: in {column!r}, {sick} is taken for sick.")
        if not self.decision_stated and (likely := [c for c in _likely(table) if _may_be_chances(table, c)]):
            self.notes.append(
                f"{table.path.name}: the decisions in {column!r} are audited; {', '.join(map(repr, likely[:3]))} might be scores: "
                f"name one, as in {_option(likely[0])}."
            )
        return Network("", column, ranked=False), decision.cast(pl.Float64), decision

    def _decision_column(self) -> str:
        """The column of decisions, by its name or because no other holds such words. Raises `PredictionError`."""
        table, decision = self.table, self.decision
        if decision and (self.decision_stated or bare(decision) == "preds" or is_classes(table, decision)):
            return decision
        words = [c for c in table.columns if c and is_classes(table, c) and c != self.label]
        words = [c for c in words if not set(coded(table.frame[c]).drop_nulls()) <= {"0", "1"}]
        likely = _likely(table)
        if len(words) == 1 and not likely:
            return words[0]
        if likely:
            which = "one, or several as methods" if len(likely) > 1 else "it"
            raise PredictionError(
                f"{table.path} has no prediction under a name that is known; it might be {', '.join(likely[:8])}: name {which}, "
                f"as in {_option(likely[0])}."
            )
        raise PredictionError(
            f"{table.path} has no prediction: a column score, the columns preds_logit0 and preds_logit1, or a column preds is "
            f"needed; it has {', '.join(table.columns[:12])}."
        )

    def _sick_code(self, column: str) -> int:
        """What is sick in decisions of 0 and 1: what it is in the file's truth, else what the course's `preds` have."""
        if self.label and is_classes(self.table, self.label) and not classes(self.table, self.label)[1]:
            return int(bare(self.label) != "labels")
        return int(bare(column) != "preds")


def _pairs(table: Table) -> dict[str, tuple[str, str]]:
    """Columns of class 0 and class 1 by what is common in their names."""
    ends: dict[tuple[str, str], dict[str, str]] = {}
    for column in table.columns:
        if match := PAIR.match(column):
            ends.setdefault((match["stem"], match["kind"].lower()), {})[match["k"]] = column
    return {stem: (pair["0"], pair["1"]) for (stem, _), pair in ends.items() if len(pair) == 2}


def _likely(table: Table) -> list[str]:
    """Columns that may be the chance of sick: those within 0 to 1 if there are any, and those first that say so."""
    likely = candidates(table, SCORE)
    likely = [column for column in likely if _may_be_chances(table, column)] or likely
    return sorted(likely, key=lambda column: not any(word in bare(column) for word in OF_SICK) or _of_healthy(column))


def _may_be_chances(table: Table, column: str) -> bool:
    """Whether it has several values within 0 to 1, or is called so."""
    values = numbers(table.frame[column]).drop_nulls()
    within = len(values) > 0 and values.is_between(0, 1).all() and values.n_unique() > 2
    return within or any(word in bare(column) for word in ("logit", "proba", "score"))


def _of_healthy(column: str) -> bool:
    written = bare(column)
    return "abnormal" not in written and (written.startswith(OF_HEALTHY) or written.endswith(OF_HEALTHY))


def _option(column: str) -> str:
    return option_for(SCORE, f"1-{column}" if _of_healthy(column) else column)


def chances(table: Table, outputs: tuple[str, ...], notes: list[str]) -> pl.Series:
    """The chance of sick in 0 to 1 (n,), null where nothing is written, of `outputs`: one column, or those of sick and healthy.

    `notes` gets what was made of the columns. Raises `PredictionError` for a value that is no chance.
    """
    name, values = table.path.name, [_finite(table, column) for column in outputs]
    if len(values) == 1:
        return _of_one(table, outputs[0], values[0], notes)
    if bare(outputs[0]) != "predslogit0":
        notes.append(f"{name}: {outputs[0]!r} is taken for sick and {outputs[1]!r} for healthy.")
    if PAIR.match(outputs[0])["kind"].lower().startswith("logit"):
        return _logistic(values[0] - values[1])
    sick, healthy = (_bounded(table, *pair) for pair in zip(outputs, values, strict=True))
    return (sick / (sick + healthy)).fill_nan(None)


def _of_one(table: Table, column: str, values: pl.Series, notes: list[str]) -> pl.Series:
    """Values of one column as chances, from logits or percent, too, where there is no doubt that they are."""
    known = values.drop_nulls()
    low, high = known.min() or 0.0, known.max() or 0.0
    said = f"{table.path.name}: {column!r} ({low:.3g} to {high:.3g})"
    if "logit" in bare(column) or (high > 0 and (known < 0).mean() >= MANY):
        notes.append(f"{said} is turned from logits of sick into chances.")
        return _logistic(values)
    if low >= 0 and 50 < high <= 100 and (known > 1).mean() >= 0.5:
        notes.append(f"{said} is taken for percent.")
        return values / 100
    return _bounded(table, column, values)


def _logistic(logits: pl.Series) -> pl.Series:
    return pl.Series(expit(logits.to_numpy())).fill_nan(None)


def _finite(table: Table, column: str) -> pl.Series:
    """The numbers of a column, null where nothing is written. Raises `PredictionError` for what is no finite number."""
    values = numbers(table.frame[column])
    values = values.set(values.is_infinite().fill_null(False), None)
    table.require_read(column, values, "is not a finite number")
    return values


def _bounded(table: Table, column: str, values: pl.Series) -> pl.Series:
    if not values.drop_nulls().is_between(0, 1).all():
        raise PredictionError(
            f"{table.path}, column {column!r}: values from {values.min():g} to {values.max():g}; allowed is 0 to 1, the chance of "
            "sick."
        )
    return values
