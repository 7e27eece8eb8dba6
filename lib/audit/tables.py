"""The whole audit: scores and decisions of every method in, tidy tables with intervals out."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from lib.audit.calibration import calibration
from lib.audit.changes import change_rows, changes, kind, warn_if_undecidable
from lib.audit.contrasts import contrasts
from lib.audit.estimates import Estimates, in_resamples, in_sample
from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.further import Further
from lib.audit.gaps import gaps
from lib.audit.networks import Retraining, deviations, network_draws
from lib.audit.permutation import permutation_p
from lib.audit.population import Population
from lib.audit.rates import DESCRIBED, check_rows, estimable, metric_base, resampled_images
from lib.audit.resampling import AndLeftOut, Array, never_certain, patient_counts, percentile_interval
from lib.cores import in_threads
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, NO_TARGET

BASELINE: Method = (BASELINE_WEIGHTING, BASELINE_POSTPROCESSING, NO_TARGET)
_CELL = {name: pl.String for name in ("attribute", "group", "metric")}
_VALUE = {name: pl.Float64 for name in ("value", "low", "high")}
METRICS_SCHEMA = (
    METHOD | _CELL | _VALUE | {"seed_sd": pl.Float64, "images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean}
)
LEVELS_SCHEMA = _CELL | {"level": pl.String} | _VALUE


def audit(
    population: Population,
    scores: Mapping[str, Array],
    decisions: Mapping[Method, Array],
    *,
    replicates: int = 2000,
    smallest_cell: int = 20,
    seed: int = 0,
    further: bool = True,
    progress: Callable[[int, int], None] | None = None,
    observe: Callable[[Method, Estimates], None] | None = None,
) -> dict[str, pl.DataFrame]:
    """Tables `metrics`, `gaps`, `changes` and `interval_levels`, with the columns that the results bundle fixes.

    With `further`, also `simpson` (of the model), `calibration` and `calibration_curve`, and, of the methods that alter
    one thing (no combinations), `parity`, `intersections` and `amplification`.

    Parameters: `scores[weighting]` (S, n), chance of sick in the order of the population's images, one row per network;
    `decisions[weighting, postprocessing, target]` (S, n), expected decisions in 0 to 1 of the same networks;
    `smallest_cell`, patients of a label under which a group is not estimable; `progress(done, total)`, called after
    each method; `observe(method, estimates)`, handed the replicates of each, in order, before they are let go. Every
    post-processing must be there for each weighting, the fixed threshold among them: its rows carry the AUC, which no
    later decision alters. The estimand is the training procedure: the mean over networks, in the population of patients.

    Read an interval as 95 % percentile, over patients and networks at once; thresholds are held as fitted. Columns
    `images` and `patients` count those a metric is about: the sick for tpr, the healthy for fpr, else all.
    Methods are taken in turn by a thread on each core; the result does not depend on how many there are.
    Adding a post-processing leaves the rates and gaps of the others as they were; adding a weighting leaves their
    values, and betters the pooled estimate of retraining noise. Raises ValueError in one sentence.
    """
    _check(population, scores, decisions)
    counts = patient_counts(population.n_patients, replicates, seed)
    networks = {weighting: len(rows) for weighting, rows in scores.items()}
    draws = network_draws(networks, replicates, seed)
    retraining = Retraining.of(networks, replicates, seed)
    warn_if_undecidable(len(decisions) - 1, replicates)
    ranked = {method: scores[method[0]] if method[1:] == BASELINE[1:] else None for method in decisions}
    sampled = in_threads(lambda method: in_sample(population, decisions[method], ranked[method]), decisions)
    sampled = dict(zip(decisions, sampled, strict=True))
    spreads = {method[1:]: deviations([sampled[w, *method[1:]].by_seed for w in scores]) for method in decisions}
    images = resampled_images(population, AndLeftOut(counts))

    def estimate(method: Method, people=population, drawn=counts, images=images) -> Estimates:
        levels = {
            "counts": drawn,
            "images": images,
            "spread": spreads[method[1:]],
            "weighting": method[0],
            "retraining": retraining,
        }
        return in_resamples(sampled[method], people, decisions[method], ranked[method], **levels)

    baseline = estimate(BASELINE)
    permuted = permutation_p(population, decisions, spreads, draws, networks, seed=seed)
    asked = Further(population, decisions, counts, retraining, smallest_cell) if further else None

    read = {
        metrics: contrasts(population, metrics, smallest_cell) for metrics in {own.metrics for own in sampled.values()}
    }

    def rows(method: Method) -> tuple[Estimates, dict[str, list]]:
        found = baseline if method == BASELINE else estimate(method)
        chosen = read[found.metrics]
        own = {
            "metrics": [(*method, *row) for row in _metric_rows(population, found, smallest_cell)],
            "gaps": [gaps(method, found, chosen, permuted[method])],
            "changes": [] if method == BASELINE else change_rows(method, found, baseline, chosen),
        }
        if asked is not None and kind(method) != "combination":
            own |= asked.rows(method, found)
        return found, own

    gathered: dict[str, list] = {}
    for done, (method, (found, own)) in enumerate(zip(decisions, in_threads(rows, decisions), strict=True), start=1):
        for name, some in own.items():
            gathered.setdefault(name, []).extend(some)
        if observe is not None:
            observe(method, found)
        if progress is not None:
            progress(done, len(decisions))
    by_image = patient_counts(population.n_images, replicates, seed, "images")
    by_image = estimate(BASELINE, population.by_image(), by_image, images=None)
    tables = {
        "metrics": frame(gathered["metrics"], METRICS_SCHEMA),
        "gaps": pl.concat(gathered["gaps"]),
        "changes": changes(gathered["changes"]),
        "interval_levels": _interval_levels(population, {"patient": baseline, "image": by_image}, smallest_cell),
    }
    if asked is not None:
        tables |= asked.tables(gathered, BASELINE, baseline)
        tables |= calibration(population, scores, counts, draws, smallest_cell=smallest_cell)
    return tables


def _metric_rows(population: Population, found: Estimates, smallest_cell: int) -> Iterator[tuple]:
    """Rows (attribute, group, metric, value, low, high, seed_sd, images, patients, estimable)."""
    enough = estimable(population, found.metrics, smallest_cell)
    about = [base[0] if len(base := metric_base(metric)) == 1 else 2 for metric in found.metrics]
    images, patients = (sizes[:, about] for sizes in population.sizes)
    bounds = never_certain(found.values, *percentile_interval(found.replicates), patients)
    figures = np.where(enough, [found.values, *bounds, found.seed_sd], np.nan)
    for g, cell in enumerate(population.cells):
        for m, metric in enumerate(found.metrics):
            sizes = int(images[g, m]), int(patients[g, m])
            known = bool(enough[g, m]) and not np.isnan(found.values[g, m])
            yield cell.attribute, cell.group, metric, *optional(figures[:, g, m]), *sizes, known


def _interval_levels(population: Population, levels: Mapping[str, Estimates], smallest_cell: int) -> pl.DataFrame:
    """The baseline's intervals by patient and by image; the second takes the images of a patient for strangers.

    A patient's images resemble each other, so the image-level interval is too narrow: shown once, never used.
    """
    rows = [
        (*row[:3], level, *row[3:6])
        for level, found in levels.items()
        for row in _metric_rows(population, found, smallest_cell)
        if row[2] not in DESCRIBED
    ]
    return frame(rows, LEVELS_SCHEMA)


def _check(population: Population, scores: Mapping[str, Array], decisions: Mapping[Method, Array]) -> None:
    if BASELINE not in decisions:
        raise ValueError(f"the untouched baseline {BASELINE} is not among the decisions.")
    for weighting, rows in scores.items():
        check_rows(population, rows, f"scores of {weighting!r}")
        if missing := [method[1:] for method in decisions if (weighting, *method[1:]) not in decisions]:
            raise ValueError(f"weighting {weighting!r} lacks the decisions {missing[0]}, which another weighting has.")
    for method, rows in decisions.items():
        check_rows(population, rows, f"decisions of {method}", bounded=True)
        if method[0] not in scores or len(scores[method[0]]) != len(rows):
            raise ValueError(f"decisions of {method} have {len(rows)} networks; the scores of {method[0]!r} differ.")
