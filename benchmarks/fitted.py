"""What is fitted on the cohort itself: deployed rules, optimism, probes, and what is recommended, on cohorts of known truth.

Two weightings (one closes half of the gaps by view) and three rules go through post-processing and audit as a study's do. Such
figures are about rules fitted on cohorts of this size, so that the truth is their mean over all other cohorts of the batch;
that of a deployed rule is what this very rule does in the whole population. Of a single network nothing is said about others: all cohorts
of a batch then have the same one, and the truth of losses, changes and probes is what the very rules and probes of the five folds do in
the whole population (Bayle et al. 2020, arXiv 2007.12671): intervals hold them as fitted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import polars as pl
from scipy.special import expit

from benchmarks.coverage import DRAWS
from benchmarks.methods import Setting, world_of
from benchmarks.simulation import Batch, draw
from benchmarks.tally import ALL, Tally
from lib.audit import Context, answer
from lib.audit.columns import METHOD
from lib.audit.inference import Population, simultaneous
from lib.audit.inference.infer import MARGIN
from lib.audit.judged import outcomes
from lib.audit.metrics import Unit, auc
from lib.audit.questions import probes
from lib.names import BASELINE, BASELINE_WEIGHTING, ERRORS, NO_TARGET, OVERALL, PATIENT, RECOMMENDED
from lib.postprocessing import post_process
from lib.postprocessing.methods import REGISTRY
from lib.postprocessing.sample import Sample

FITTED = ("deployed", "optimism", "probes", "recommendation", "chosen_anew")
RULES = ("fixed_0.5", "best_threshold", "group_best_threshold", "equal_tpr")
SETTINGS = ((375, 1), (375, 3), (1500, 3))
"""Patients and networks."""
BATCH = {375: 20, 1500: 10}
"""Cohorts of a batch: a truth that is a mean over so many others widens errors by 2 to 5 %, which costs up to a point of coverage."""
VERDICTS = ("recommended",)
"""Kinds of rows that count what is said, not intervals."""
REFITS = 100
"""Of deployed rules; a study makes 200. The interval allows for their number by its degrees of freedom."""
PREFERENCES = {"attribute": "view", "largest_loss": 0.02, "may_use_demographics": False}
FEATURES = 8
KEYS = ("question", "kind", "measure", "about")
NUMBERS = ("estimate", "low", "high", "true")
OUTSIDE = {"below": pl.col("true") < pl.col("low"), "above": pl.col("true") > pl.col("high")}
TOGETHER = ("recommendation",)
"""Questions whose intervals are told for all their figures together."""


def one_batch(source: str, patients: int, networks: int, seed: int) -> dict[tuple, np.ndarray]:
    """Sums by key of everything that the report prints of some cohorts."""
    setting = Setting(source, "gaps", Unit.PATIENT, patients)
    generator = np.random.default_rng([seed, patients, networks, 19])
    cohorts, given = [], None
    with patch.object(simultaneous, "MOST", DRAWS):
        for _ in range(BATCH[patients]):
            if given is None or networks > 1:
                given = Networks.drawn(setting, networks, generator)
            cohorts.append(_answered(setting, given, networks, generator, seed))
    rows = pl.concat([_rows(*own).with_columns(cohort=k) for k, own in enumerate(cohorts)])
    tally, key = Tally(), (*setting.key, networks)
    for place, columns in held_against(rows):
        tally.count((*key, *place), columns)
    for place, numbers in _chosen([tables for _, tables in cohorts]):
        tally.add((*key, *place), **numbers)
    return dict(tally.sums)


@dataclass(frozen=True, eq=False)
class Networks:
    """S networks of each weighting: `logits[weighting]` (S, n) of everyone, and what their last features show, (S, K, d)."""

    logits: dict[str, np.ndarray]
    directions: np.ndarray
    everyone: Population

    @classmethod
    def drawn(cls, setting: Setting, networks: int, generator: np.random.Generator) -> "Networks":
        people = world_of(setting, "baseline").population
        count = people.n_images
        whole = Batch(people, np.arange(count), np.zeros(count, dtype=int), 1, generator)
        logits = {w: world_of(setting, m).logit + whole.noise(networks) for w, m in WEIGHTINGS.items()}
        directions = generator.normal(0, 1 / np.sqrt(FEATURES), (networks, 1 + len(people.groups), FEATURES))
        return cls(logits, directions, people)

    def features(self, population: Population, generator: np.random.Generator) -> np.ndarray:
        """Last features (S, n, d): of groups and label a little, else of the patient, the image and the network."""
        shown = np.stack([population.labels, *population.groups.values()], axis=1) - 0.5
        own = generator.normal(0, 1, (population.n_patients, FEATURES))[population.patients]
        noise = generator.normal(0, 1, (len(self.directions), population.n_images, FEATURES))
        return shown @ self.directions + own + noise


def _answered(
    setting: Setting, given: Networks, networks: int, generator: np.random.Generator, seed: int
) -> tuple[Context, dict[str, pl.DataFrame]]:
    """One cohort's tables, what everything would change, and the truth of the rules."""
    batch = draw(world_of(setting, "baseline"), setting.patients, 1, generator)
    scores = {weighting: expit(rows[:, batch.rows]) for weighting, rows in given.logits.items()}
    processed = post_process(batch.population, scores, RULES, ["view"], refits=REFITS)
    frame = pl.DataFrame({"patient": batch.population.patients, "label": batch.population.labels})
    context = Context(
        batch.population,
        frame,
        scores,
        processed.decisions,
        seed=seed,
        naive=processed.naive,
        deployed=processed.deployed,
        folds=processed.folds,
        embeddings={BASELINE_WEIGHTING: given.features(batch.population, generator)},
        preferences=PREFERENCES,
    )
    tables = answer(context, FITTED)
    tables["rules"] = _truth_of_rules(context, given)
    if networks == 1:
        tables |= _as_fitted(context, given, generator)
    return context, tables


WEIGHTINGS = {BASELINE_WEIGHTING: "baseline", "closing": "half"}
"""What each makes of the population."""


def _truth_of_rules(context: Context, given: Networks) -> pl.DataFrame:
    """What each deployed rule does to everyone: columns of `METHOD`, attribute, metric, contrast, true."""
    parts, people = [], given.everyone
    scores = expit(given.logits[BASELINE_WEIGHTING][0])
    for method, own in context.deployed.items():
        groups = people.groups.get(method[2], np.full(len(scores), -1))
        found = outcomes(people, own.rule.decide(scores, groups)[None], smallest_cell=1)
        about = pl.lit(method[2] == NO_TARGET) | pl.col("attribute").is_in([OVERALL, method[2]])
        names = {key: pl.lit(part) for key, part in zip(METHOD, method, strict=True)}
        told = found.index.select("attribute", "metric", "contrast").with_columns(true=found.estimate, **names)
        parts.append(told.filter(about))
    return pl.concat(parts)


def _as_fitted(context: Context, given: Networks, generator: np.random.Generator) -> dict[str, pl.DataFrame]:
    """What the rules and probes of the folds do to everyone, by one network: rows of `KEYS` but the kind, and `true`."""
    people, own = given.everyone, context.population
    scores = {weighting: expit(rows) for weighting, rows in given.logits.items()}
    decisions = {}
    for weighting, name, target in context.decisions:
        groups, everyones = (each.groups.get(target, np.full(each.n_images, -1)) for each in (own, people))
        columns = (context.scores[weighting][0], own.labels, own.patients, groups)
        called = []
        for k in range(context.folds.max() + 1):
            sample = Sample(*(column[context.folds[0] != k] for column in columns))
            rule = REGISTRY[name].fit(sample, context.smallest_cell)
            called.append(rule.decide(scores[weighting][0], everyones))
        decisions[weighting, name, target] = np.mean(called, axis=0)[None]
    whole = Context(people, pl.DataFrame({"patient": people.patients}), scores, decisions, tables=context.tables)
    gaps = pl.col("metric").is_in(ERRORS) & (pl.col("attribute") == PREFERENCES["attribute"])
    left = [
        (
            *method,
            whole.levels(method).where(pl.col("metric") == "balanced_accuracy").estimate[0],
            np.abs(whole.gaps(method).where(gaps).estimate).max(),
        )
        for method in decisions
    ]
    left = pl.DataFrame(left, schema=[*METHOD, "accuracy", "gap"], orient="row")
    return {"left": left, "read": _truth_of_probes(context, given, generator)}


def _truth_of_probes(context: Context, given: Networks, generator: np.random.Generator) -> pl.DataFrame:
    """AUC of the folds' probes on everyone: columns attribute, group, true."""
    (features,), (everyones,) = context.embeddings[BASELINE_WEIGHTING], given.features(given.everyone, generator)
    found = []
    for (attribute, names, codes), (*_, everyone) in zip(
        probes._targets(context.population), probes._targets(given.everyone), strict=True
    ):
        known, chances = codes >= 0, []
        for _, model in probes.fitted_probes(
            features[known], codes[known], context.population.patients[known], seed=context.seed
        ):
            chance = np.zeros((len(everyone), len(names)))
            chance[:, model.classes_] = model.predict_proba(everyones)
            chances.append(chance)
        told = dict(enumerate(names)) if len(names) > 2 else {0: probes.EVERYONE}
        inside = everyone >= 0
        _, patients = np.unique(given.everyone.patients[inside], return_inverse=True)
        areas = []
        for code, name in told.items():
            sides = Population(patients, (everyone[inside] == code).astype(np.int64), groups={}, attributes={})
            area = auc(sides, np.stack([chance[inside, code] for chance in chances])).estimate[0]
            areas.append((attribute, name, float(area)))
        if len(names) > 2:
            areas.append((attribute, probes.EVERYONE, float(np.mean([own for *_, own in areas]))))
        found += areas
    return pl.DataFrame(found, schema=["attribute", "group", "true"], orient="row")


def _rows(context: Context, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Rows of `KEYS` and `NUMBERS`."""
    where = [*METHOD, "attribute", "metric", "contrast"]
    rules = tables["deployed"].filter("estimable").join(tables["rules"], on=where)
    advice = tables["recommendation"].drop_nulls("change")
    read = tables["probes"].filter("estimable")
    true = {"true": "true"} if "left" in tables else {}
    if true:
        read = read.join(tables["read"], on=["attribute", "group"], how="left")
        base = tables["left"].filter(**dict(zip(METHOD, BASELINE, strict=True))).row(0, named=True)
        left = tables["left"].with_columns(
            loss_true=base["accuracy"] - pl.col("accuracy"), change_true=pl.col("gap") - base["gap"]
        )
        advice = advice.join(left, on=list(METHOD), how="left", maintain_order="left")
    found = [
        _part("deployed", rules, where, "metric", true="true"),
        _part("optimism", tables["optimism"], where, "metric"),
        _part("probes", read, ["attribute", "group"], "attribute", **true),
        _part("chosen_anew", tables["chosen_anew"], ["attribute", "metric", "contrast"], "metric"),
    ]
    for what in ("change", "loss"):
        ends = {"estimate": what, "low": f"{what}_low_simultaneous", "high": f"{what}_high_simultaneous"}
        own = {"true": f"{what}_true"} if true else {}
        found.append(_part("recommendation", advice, METHOD, pl.lit(what), **ends, **own))
    return pl.concat(found)


def _part(question: str, table: pl.DataFrame, about, measure, **named: str) -> pl.DataFrame:
    """`named`: columns of the numbers that are called otherwise."""
    numbers = {name: pl.col(named.get(name, name)) if name != "true" else pl.lit(None) for name in NUMBERS}
    if "true" in named:
        numbers["true"] = pl.col(named["true"])
    return table.select(
        question=pl.lit(question),
        kind=pl.lit("figure"),
        measure=pl.col(measure) if isinstance(measure, str) else measure,
        about=pl.concat_str([pl.col(column) for column in about], separator=", ", ignore_nulls=True),
        **{name: value.cast(pl.Float64) for name, value in numbers.items()},
    )


def held_against(rows: pl.DataFrame) -> Iterator[tuple[tuple, dict[str, np.ndarray]]]:
    """What is counted of the intervals of each question and measure: the truth, where none is given, is the mean of the other cohorts.

    Those of `TOGETHER` hold for all figures of a cohort or for none.
    """
    others = pl.col("estimate").is_not_null().sum().over(KEYS) - 1
    mean = (pl.col("estimate").sum().over(KEYS) - pl.col("estimate")) / others
    known = rows.with_columns(true=pl.coalesce("true", pl.when(others > 2).then(mean)))
    for (question, kind, measure), own in known.drop_nulls(NUMBERS).group_by(
        "question", "kind", "measure", maintain_order=True
    ):
        columns = own.select("cohort", truth="true", width=pl.col("high") - pl.col("low"), **OUTSIDE).with_columns(
            covered=~pl.col("below") & ~pl.col("above")
        )
        if question in TOGETHER:
            columns = columns.group_by("cohort", maintain_order=True).agg(
                pl.col("truth", "width").mean(), pl.col("below", "above").any(), pl.col("covered").all()
            )
        yield (
            (f"{question} ({kind})", ALL, measure, ALL),
            {name: own.to_numpy() for name, own in columns.drop("cohort").to_dict().items()},
        )


def _chosen(cohorts: list[dict[str, pl.DataFrame]]) -> Iterator[tuple[tuple, dict[str, float]]]:
    """How often something is recommended (`shown`), and `wrong`: though it truly loses more than is acceptable, or leaves a wider gap."""
    truths = _means(cohorts)
    for tables in cohorts:
        advice = tables["recommendation"].filter(role=RECOMMENDED)
        if advice.is_empty():
            continue
        best, base = truths[advice.row(0)[:3]], truths[BASELINE]
        something = advice.row(0)[:3] != BASELINE
        dear = base[0] - best[0] > PREFERENCES["largest_loss"]
        for metric, wrong in (("loss", dear), ("gap", best[1] > base[1]), ("gap + margin", best[1] > base[1] + MARGIN)):
            yield ("recommended", ALL, metric, ALL), {"shown": something, "wrong": something and wrong}


def _means(cohorts: list[dict[str, pl.DataFrame]]) -> dict[tuple, tuple[float, float]]:
    """Balanced accuracy of everyone, and the largest gap by view, of each method: means over cohorts."""
    levels = pl.concat([own["metrics"] for own in cohorts])
    levels = levels.filter(attribute=OVERALL, metric="balanced_accuracy", unit=PATIENT)
    gaps = pl.concat([own["gaps"] for own in cohorts])
    gaps = gaps.filter(pl.col("contrast").str.contains(" - "), pl.col("metric").is_in(["tpr", "fpr"]), unit=PATIENT)
    gaps = gaps.filter(attribute=PREFERENCES["attribute"]).group_by(*METHOD, "metric").agg(pl.col("estimate").mean())
    accuracy = levels.group_by(*METHOD).agg(accuracy=pl.col("estimate").mean())
    both = accuracy.join(gaps.group_by(*METHOD).agg(pl.col("estimate").abs().max()), on=list(METHOD))
    return {row[:3]: row[3:] for row in both.rows()}
