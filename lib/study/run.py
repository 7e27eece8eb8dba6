"""The study: from a cohort folder to its results bundle. Everything kept is reused; a killed study resumes."""

import logging
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lib import results
from lib.audit import QUESTIONS, Context, Population, answer
from lib.audit.questions.exposure import grey_levels
from lib.cohort import Cohort, read_cohort, readable
from lib.files import alone_with, writing_to
from lib.messages import message
from lib.names import attributes_as_json
from lib.pictures.tables import picture_tables
from lib.postprocessing import post_process
from lib.postprocessing.deployed import REFITS
from lib.preprocessing import example_weights
from lib.settings import ROOT, bundle_folder, data_folder, settings_error, study_settings
from lib.settings_schema import StudySettings
from lib.study.attributes import asked_attributes
from lib.study.catalogue import catalogue_tables, embeddings, retraining_floor
from lib.study.ownership import claim
from lib.study.published import may_be_published, predictions
from lib.study.records import (
    cohort_facts,
    hardware,
    history_table,
    model_facts,
    odd_network_tables,
    run_table,
    scores_by_weighting,
    weight_table,
)
from lib.tables import TABLES
from lib.training.batches import fit_and_tune
from lib.training.settings import TrainingSettings
from lib.training.store import Plan, Run
from lib.training.workers import train_all

log = logging.getLogger(__name__)
LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "polars", "scikit-learn", "numpy")
NOT_OF_THE_NETWORK = {"weightings", "seeds", "initial_weights"}
"""Keys of `[training]` that are not stated of each network."""


def run_study(
    folder: str | Path, name: str | None = None, *, root: Path = ROOT, again: bool = False, minutes: float | None = None
) -> Path:
    """Train, adjust and audit the cohort in `folder`; returns its bundle, `data/<name>/results`.

    `name` defaults to the folder's own, see `lib.study.ownership.claim`. A bundle of the same cohort under the same
    settings is left as it is, unless `again`. The first seed of every weighting is trained first and audited, then the
    others; with `minutes` no training goes on after them, and the bundle rests on the seeds with which every weighting
    was trained by then: started again, the study goes on. Raises `CohortError`, `SettingsError`, `WeightingError` or
    `TrainingError`, each with one sentence.
    """
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    settings = study_settings(root)
    attributes = asked_attributes(settings, root)
    stated, training = _training(settings, root)
    cohort = read_cohort(folder, attributes=attributes)
    name = claim(folder, cohort.key, name, root)
    target = bundle_folder(name, root)
    _sweep(target)
    requested = settings.model_dump(include={"training", "audit", "preferences", "results"}, exclude_none=True)
    requested["code"] = results.audit_code()
    before = _earlier_manifest(target, cohort)
    seeds, weightings = tuple(settings.training.seeds), tuple(settings.training.weightings)
    same_networks = before is not None and _are_networks(before["settings"]["training"], stated, weightings)
    complete = same_networks and before["settings"]["training"]["seeds"] == list(seeds)
    if complete and before["requested"] == requested and not again:
        log.info(message("{folder} is up to date: nothing to train or audit.", target))
        return target

    cache = root / "data" / ".pixels"
    frame, checks, pixels = readable(cohort, training.image_size, cache)
    store = data_folder(name, root) / "runs"
    _refuse_small_parts(frame, weightings, seeds, training.tune_share)
    compute = settings.compute
    plan = Plan(frame, cohort.key, training, weightings, seeds, store, cache, compute, stated)
    study = _Study(name, cohort, settings, requested, checks, pixels, target)
    if len(seeds) > 1 and not same_networks and plan.missing():
        study.write(*train_all(replace(plan, seeds=seeds[:1])))  # killed later, the study has a bundle
    runs, done = train_all(plan, deadline)
    study.write(runs, done)
    if len(done.seeds) < len(seeds):
        log.warning(
            message(
                "The results rest on {count} of {total} networks of each weighting; `study`, started again, trains the "
                "others.",
                len(done.seeds),
                len(seeds),
            )
        )
    return target


def _are_networks(before: dict[str, Any], stated: dict[str, Any], weightings: Sequence[str]) -> bool:
    """Whether a bundle rests on such networks, if on more or fewer of them: it is kept until all are trained.

    `before`: settings of its networks. `stated`: what is now asked of networks, the rest is as their recipe has it. What the
    networks could start from, and the precision that was measured, may differ.
    """
    settings = asdict(TrainingSettings.for_start(stated, before["initial_weights"])) | {"weightings": list(weightings)}
    return all(before.get(name) == value for name, value in settings.items() if name != "precision")


def _sweep(target: Path) -> None:
    """Delete what a study left that was killed while it wrote its results, or just after."""
    if target.parent.is_dir():
        with writing_to(target.parent), alone_with(target):
            for leftover in target.parent.glob(".results-*"):
                shutil.rmtree(leftover, ignore_errors=True)


@dataclass(frozen=True)
class _Study:
    """What stays the same while networks are added: `pixels` are those of the plan's frame."""

    name: str
    cohort: Cohort
    settings: StudySettings
    requested: dict[str, Any]
    checks: pl.DataFrame
    pixels: np.ndarray
    target: Path

    def write(self, runs: Sequence[Run], plan: Plan) -> None:
        """Audit these networks and write the bundle."""
        began, attributes = time.monotonic(), self.cohort.attributes
        scores = scores_by_weighting(plan, runs)
        valid = plan.frame.filter(pl.col("split") == "valid")
        with threadpool_limits(1, user_api="blas"):  # many small products: more threads wait for each other
            people = Population.from_frame(valid, attributes=list(attributes.values()))
            tables = {"checks": self.checks} | self._audited(people, valid, scores, plan, runs)
            tables |= picture_tables(plan, self.pixels, scores, list(attributes))
            tables |= odd_network_tables(people, plan, runs, scores)
        source = self.cohort.source or self.settings.source
        durations = {
            "training": round(sum(run.facts["seconds"] for run in runs), 1),
            "audit": round(time.monotonic() - began, 1),
        }
        public = may_be_published(self.settings, self.name, source, valid["image"])
        with writing_to(self.target.parent), alone_with(self.target):
            published = predictions(valid["image"], scores, plan.seeds) if public else None
            results.save(self.target, self._manifest(plan, runs, source, durations), tables, TABLES, published)

    def _manifest(self, plan: Plan, runs: Sequence[Run], source: str, durations: dict[str, float]) -> dict[str, Any]:
        networks = {**asdict(plan.settings), "seeds": list(plan.seeds), "weightings": list(plan.weightings)}
        return {
            "cohort": {"name": self.name, "source": source, **cohort_facts(self.cohort, plan.frame)},
            "requested": self.requested,
            "attributes": attributes_as_json(self.cohort.attributes.values()),
            "settings": {"training": networks} | {table: self.requested[table] for table in ("audit", "preferences")},
            "model": model_facts(plan, runs),
            "made": date.today().isoformat(),
            "versions": {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
            "hardware": hardware(runs),
            "durations": durations,
        }

    def _audited(
        self, people: Population, valid: pl.DataFrame, scores: dict[str, np.ndarray], plan: Plan, runs: Sequence[Run]
    ) -> dict[str, pl.DataFrame]:
        """Answers to all questions, and the tables that they may ask for."""
        audit, attributes = self.settings.audit, self.cohort.attributes
        processed = post_process(
            people,
            scores,
            audit.postprocessings,
            list(attributes),
            folds=audit.folds,
            smallest_cell=audit.smallest_cell,
            refits=REFITS,
        )
        alike = {"margin": audit.margin, "smallest_cell": audit.smallest_cell}
        heads = catalogue_tables(plan, self.pixels, people, valid, **alike)
        floor = retraining_floor(people, scores, smallest_cell=audit.smallest_cell)
        recorded = heads | {
            "thresholds": processed.thresholds,
            "replaced_scores": processed.replaced,
            "weights": weight_table(plan.frame, plan.weightings, list(attributes)),
            "runs": run_table(plan, runs),
            "history": history_table(runs),
            "noise_floor": pl.concat([floor, heads["noise_floor"]]),
        }
        context = Context(
            people,
            valid,
            scores,
            processed.decisions,
            **alike,
            naive=processed.naive,
            as_group=processed.as_group,
            deployed=processed.deployed,
            folds=processed.folds,
            embeddings=embeddings(plan, self.pixels),
            grey=grey_levels(self.pixels),
            cohort=plan.frame,
            preferences=self.requested["preferences"],
        )
        with tqdm(total=len(QUESTIONS), desc=message("Auditing"), unit=message(" questions")) as bar:
            return recorded | answer(context, progress=lambda name: bar.update())


def _training(settings: StudySettings, root: Path) -> tuple[dict[str, Any], TrainingSettings]:
    """What is stated of the networks, and their settings."""
    stated = settings.training.model_dump(exclude=NOT_OF_THE_NETWORK, exclude_none=True)
    try:
        return stated, TrainingSettings.for_start(stated, settings.training.initial_weights)
    except ValueError as error:
        raise settings_error(root, ("training",), str(error).removesuffix(".")) from None


def _earlier_manifest(target: Path, cohort: Cohort) -> dict[str, Any] | None:
    """The manifest of a bundle of this cohort, if there is one."""
    try:
        manifest = results.load(target.parent.name, target.parent.parent.parent).manifest
    except results.BundleError:
        return None
    return manifest if manifest.get("cohort", {}).get("key") == cohort.key and "requested" in manifest else None


def _refuse_small_parts(
    frame: pl.DataFrame, weightings: Sequence[str], seeds: Sequence[int], tune_share: float
) -> None:
    """Every seed can divide the training patients, and every weighting weigh what it fits on, before anything is trained."""
    train = frame.filter(pl.col("split") == "train")
    for seed in seeds:
        fit, _ = fit_and_tune(train, tune_share, seed)
        for weighting in weightings:
            example_weights(weighting, train[fit], seed=seed)
