"""The study: from a cohort folder to its results bundle. Everything kept is reused; a killed study resumes."""

import logging
import os
import platform
import shutil
import time
from dataclasses import asdict, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lib import results
from lib.audit import QUESTIONS, Context, Population, answer
from lib.audit.questions.exposure import grey_levels
from lib.catalogue import catalogue_tables, embeddings, retraining_floor
from lib.cohort import Cohort, read_cohort, readable
from lib.files import alone_with, writing_to
from lib.names import BY_PATIENT, PLACEBO, Attribute, told
from lib.ownership import claim
from lib.pictures.tables import picture_tables
from lib.postprocessing import REGISTRY, post_process
from lib.postprocessing.deployed import REFITS
from lib.preprocessing import effective_share, example_weights, is_known, names
from lib.published import may_be_published, predictions
from lib.settings import ROOT, SettingsError, bundle_folder, data_folder, read_settings
from lib.tables import RECORDED, TABLES
from lib.tabular import AttributeSpec, TableError, parse_attribute
from lib.training.batches import fit_and_tune
from lib.training.networks import build
from lib.training.networks import facts as network_facts
from lib.training.odd_networks import odd_networks, without_failed
from lib.training.settings import ComputeSettings, TrainingSettings
from lib.training.store import Plan, Run
from lib.training.workers import train_all

log = logging.getLogger(__name__)
MARGIN = 0.05
"""Differences of rates smaller than this are called none, unless `study.toml` says otherwise."""
MOST_ATTRIBUTES = 8
LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "polars", "scikit-learn", "numpy")


def run_study(
    folder: str | Path, name: str | None = None, *, root: Path = ROOT, again: bool = False, minutes: float | None = None
) -> Path:
    """Train, adjust and audit the cohort in `folder`; returns its bundle, `data/<name>/results`.

    `name` defaults to the folder's own, see `lib.ownership.claim`. A bundle of the same cohort under the same settings is left as it is, unless
    `again`. The first seed of every weighting is trained first and audited, then the others; with `minutes` no training
    goes on after them, and the bundle rests on the seeds with which every weighting was trained by then: started again,
    the study goes on. Raises `CohortError`, `SettingsError`, `WeightingError` or `TrainingError`, each with one sentence.
    """
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    settings = read_settings(root)
    stated, training, compute = _check(settings)
    cohort = read_cohort(folder, attributes=_attributes(settings))
    name = claim(folder, cohort.key, name, root)
    target = bundle_folder(name, root)
    wanted = {key: settings[key] for key in ("training", "audit", "preferences", "results")}
    wanted["code"] = results.audit_code()
    seeds = tuple(settings["training"]["seeds"])
    before = _manifest(target, cohort)
    complete = before is not None and before["settings"]["training"]["seeds"] == list(seeds)
    if complete and before["requested"] == wanted and not again:
        log.info("%s is up to date: nothing to train or audit.", target)
        return target

    cache = root / "data" / ".pixels"
    frame, checks, pixels = readable(cohort, training.image_size, cache)
    attributes = cohort.attributes
    weightings, store = tuple(settings["training"]["weightings"]), data_folder(name, root) / "runs"
    _check_parts(frame, weightings, seeds, training.tune_share)
    plan = Plan(frame, cohort.key, training, weightings, seeds, store, cache, compute, stated)

    def write(runs: list[Run], plan: Plan) -> None:
        began = time.monotonic()
        with threadpool_limits(1, user_api="blas"):  # many small products: more threads wait for each other
            tables = {"checks": checks} | _audited(frame, attributes, pixels, plan, runs, settings)
            tables |= _pictured(pixels, plan, runs, settings["audit"], attributes)
        manifest = {
            "cohort": {"name": name, "source": cohort.source or settings["source"], **_cohort_facts(cohort, frame)},
            "requested": wanted,
            "attributes": told(attributes.values()),
            "settings": {
                "training": {**asdict(plan.settings), "seeds": list(plan.seeds), "weightings": list(plan.weightings)},
                "audit": settings["audit"],
                "preferences": settings["preferences"],
            },
            "model": _model(plan, runs),
            "made": date.today().isoformat(),
            "versions": {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
            "hardware": _hardware(runs),
            "durations": {
                "training": round(sum(run.facts["seconds"] for run in runs), 1),
                "audit": round(time.monotonic() - began, 1),
            },
        }
        with writing_to(target.parent), alone_with(target):
            _sweep(target)
            published = _published(plan, runs, settings, manifest["cohort"])
            results.save(target, manifest, tables, TABLES, published)

    if len(seeds) > 1 and (before is None or before["requested"]["training"] != wanted["training"]):
        # killed later, the study has a bundle
        write(*train_all(replace(plan, seeds=seeds[:1])))
    runs, done = train_all(plan, deadline)
    write(runs, done)
    if len(done.seeds) < len(seeds):
        log.warning(
            "The results rest on %d of %d networks of each weighting; `study`, started again, trains the others.",
            len(done.seeds),
            len(seeds),
        )
    return target


def _sweep(target: Path) -> None:
    """Delete what a study left that was killed while it wrote its results."""
    for leftover in target.parent.glob(".results-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _check(settings: dict[str, Any]) -> tuple[dict[str, Any], TrainingSettings, ComputeSettings]:
    """What is stated of the networks, their settings, and those of where they are trained.

    Raises `SettingsError` for any value in `study.toml` that cannot be used.
    """
    for where, key, is_allowed, allowed in (
        (
            "training",
            "weightings",
            is_known,
            [*names(), f"{BY_PATIENT}... of any other", f"{PLACEBO}... of any but uniform"],
        ),
        ("audit", "postprocessings", REGISTRY.__contains__, REGISTRY),
    ):
        values = settings[where][key]
        if wrong := [v for v in values if not is_allowed(v)]:
            raise SettingsError(
                f"study.toml, [{where}] {key}: {wrong[0]!r} is unknown; allowed are {', '.join(allowed)}."
            )
        if not values or len(set(values)) < len(values):
            raise SettingsError(f"study.toml, [{where}] {key} must name at least one, each once.")
    attributes = [spec.key for spec in _attributes(settings)]
    if not 1 <= len(attributes) <= MOST_ATTRIBUTES or len(set(attributes)) < len(attributes):
        raise SettingsError(f"study.toml, [audit] attributes must name 1 to {MOST_ATTRIBUTES} columns, each once.")
    if settings["training"]["weightings"][0] != "uniform" or settings["audit"]["postprocessings"][0] != "fixed_0.5":
        raise SettingsError("study.toml: the first weighting is 'uniform' and the first post-processing 'fixed_0.5'.")
    seeds = settings["training"]["seeds"]
    if not seeds or any(type(s) is not int or not 0 <= s < 2**32 for s in seeds) or len(set(seeds)) < len(seeds):
        raise SettingsError("study.toml, [training] seeds must hold at least one whole number from 0, each once.")
    for key, least in (("folds", 2), ("smallest_cell", 1)):
        if settings["audit"][key] < least:
            raise SettingsError(f"study.toml, [audit] {key} is {settings['audit'][key]}; at least {least} is needed.")
    if not 0 < settings["audit"].setdefault("margin", MARGIN) < 0.5:
        raise SettingsError(
            f"study.toml, [audit] margin is {settings['audit']['margin']}; allowed is above 0.0 to below 0.5."
        )
    preferences = settings["preferences"]
    if preferences["attribute"] not in attributes:
        allowed = ", ".join(attributes)
        raise SettingsError(
            f"study.toml, [preferences] attribute: {preferences['attribute']!r} is not audited; allowed are {allowed}."
        )
    if not 0 <= preferences["largest_loss"] <= 0.5:
        raise SettingsError(
            f"study.toml, [preferences] largest_loss is {preferences['largest_loss']}; allowed is 0.0 to 0.5."
        )
    stated = {k: v for k, v in settings["training"].items() if k not in ("weightings", "seeds", "initial_weights")}
    try:
        training = TrainingSettings.for_start(stated, settings["training"]["initial_weights"])
    except ValueError as error:
        raise SettingsError(f"study.toml, [training]: {error}") from None
    try:
        compute = ComputeSettings(**settings["compute"])
    except ValueError as error:
        raise SettingsError(f"study.toml, [compute]: {error}") from None
    return stated, training, compute


def _attributes(settings: dict[str, Any]) -> list[AttributeSpec]:
    """What `[audit] attributes` asks for: `sex`, `race:Race`, `age:Patient Age:40,60`."""
    try:
        return [parse_attribute(str(written)) for written in settings["audit"]["attributes"]]
    except TableError as error:
        raise SettingsError(f"study.toml, [audit] attributes: {error}") from None


def _manifest(target: Path, cohort: Cohort) -> dict[str, Any] | None:
    """The manifest of a bundle of this cohort, if there is one."""
    try:
        manifest = results.load(target.parent.name, target.parent.parent.parent).manifest
    except results.BundleError:
        return None
    return manifest if manifest.get("cohort", {}).get("key") == cohort.key and "requested" in manifest else None


def _check_parts(frame: pl.DataFrame, weightings: tuple[str, ...], seeds: tuple[int, ...], tune_share: float) -> None:
    """Every seed can divide the training patients, and every weighting weigh what it fits on, before anything is trained."""
    train = frame.filter(pl.col("split") == "train")
    for seed in seeds:
        fit, _ = fit_and_tune(train, tune_share, seed)
        for weighting in weightings:
            example_weights(weighting, train[fit], seed=seed)


def _audited(
    frame: pl.DataFrame,
    attributes: dict[str, Attribute],
    pixels: np.ndarray,
    plan: Plan,
    runs: list[Run],
    settings: dict[str, Any],
) -> dict[str, pl.DataFrame]:
    preferences, settings = settings["preferences"], settings["audit"]
    valid = frame.filter(pl.col("split") == "valid")
    people = Population.from_frame(valid, attributes=attributes)
    scores = _scores(plan, runs)
    small = settings["smallest_cell"]
    processed = post_process(
        people,
        scores,
        settings["postprocessings"],
        list(attributes),
        folds=settings["folds"],
        smallest_cell=small,
        refits=REFITS,
    )

    alike = {"margin": settings["margin"], "smallest_cell": small}
    heads = catalogue_tables(plan, pixels, people, valid, **alike)
    floor = retraining_floor(people, scores, smallest_cell=small)
    recorded = {
        "thresholds": processed.thresholds,
        "replaced_scores": processed.replaced,
        "weights": _weights(frame, plan.weightings, list(attributes)),
        "runs": _runs(frame, valid, plan, runs),
        "history": _history(runs),
    }
    recorded |= heads | {"noise_floor": pl.concat([floor, heads["noise_floor"]])}
    context = Context(
        people,
        valid,
        scores,
        processed.decisions,
        **alike,
        naive=processed.naive,
        as_group=processed.as_group,
        relaxed=processed.relaxed,
        deployed=processed.deployed,
        folds=processed.folds,
        embeddings=embeddings(plan, pixels),
        grey=grey_levels(pixels),
        cohort=frame,
        preferences=preferences,
        recorded=recorded,
    )
    with tqdm(total=len(QUESTIONS), desc="Auditing", unit=" questions") as bar:
        return recorded | answer(context, progress=lambda name: bar.update())


def _pictured(
    pixels: np.ndarray, plan: Plan, runs: list[Run], settings: dict[str, Any], attributes: dict[str, Attribute]
) -> dict[str, pl.DataFrame]:
    """Pictures, and the networks that failed or are odd, with what is told without those that failed."""
    facts = ("epochs", "best_epoch", "seconds", "tune_auc", "precision", "device")
    odd = odd_networks([{"weighting": r.weighting, "seed": r.seed} | {k: r.facts[k] for k in facts} for r in runs])
    failed = odd.filter("failed").select("weighting", "seed").unique(maintain_order=True).rows()
    positions = {w: [plan.seeds.index(seed) for v, seed in failed if v == w] for w, _ in failed}
    valid, scores = plan.frame.filter(pl.col("split") == "valid"), _scores(plan, runs)
    return picture_tables(plan, pixels, scores, list(attributes)) | {
        "odd_networks": odd,
        "without_failed": without_failed(valid, scores, positions, list(attributes.values())),
    }


def _scores(plan: Plan, runs: list[Run]) -> dict[str, np.ndarray]:
    return {w: np.stack([run.scores for run in runs if run.weighting == w]) for w in plan.weightings}


def _published(plan: Plan, runs: list[Run], settings: dict[str, Any], cohort: dict[str, Any]) -> pl.DataFrame | None:
    images = plan.frame.filter(pl.col("split") == "valid")["image"]
    if not may_be_published(settings, cohort["name"], cohort["source"], images):
        return None
    return predictions(images, _scores(plan, runs), plan.seeds)


def _model(plan: Plan, runs: list[Run]) -> dict[str, Any]:
    """What a model card says of the networks: whose start, how large, and how they were trained."""
    settings = plan.settings
    parameters = sum(tensor.numel() for tensor in build(settings.network, settings.initial_weights).parameters())
    return asdict(network_facts(settings.network)) | {
        "parameters": parameters,
        "input_size": settings.image_size,
        "initial_weights": settings.initial_weights,
        "networks": len(runs),
        "seeds": list(plan.seeds),
        "precision": sorted({run.facts["precision"] for run in runs}),
    }


def _weights(frame: pl.DataFrame, weightings: tuple[str, ...], attributes: list[str]) -> pl.DataFrame:
    """Mean weight of the training images in each group and label, for every weighting."""
    train = frame.filter(pl.col("split") == "train")
    parts = []
    for weighting in weightings:
        weighted = train.with_columns(weight=pl.Series(example_weights(weighting, train)))
        for attribute in attributes:
            cells = weighted.filter(pl.col(attribute).is_not_null()).group_by(attribute, "label", maintain_order=True)
            parts.append(
                cells.agg(images=pl.len().cast(pl.Int64), weight=pl.col("weight").mean()).select(
                    weighting=pl.lit(weighting),
                    attribute=pl.lit(attribute),
                    group=pl.col(attribute),
                    label=pl.col("label").cast(pl.Int64),
                    images="images",
                    weight="weight",
                )
            )
    return pl.concat(parts).sort("weighting", "attribute", "group", "label", maintain_order=True)


def _runs(frame: pl.DataFrame, valid: pl.DataFrame, plan: Plan, runs: list[Run]) -> pl.DataFrame:
    train = frame.filter(pl.col("split") == "train")
    shares = {w: effective_share(example_weights(w, train)) for w in plan.weightings}
    labels = valid["label"].to_numpy()
    rows = [
        {
            "weighting": run.weighting,
            "seed": run.seed,
            **{k: run.facts[k] for k in ("epochs", "best_epoch", "seconds", "tune_auc")},
            "effective_share": shares[run.weighting],
            "auc": float(roc_auc_score(labels, run.scores)),
            "balanced_accuracy": float(balanced_accuracy_score(labels, run.scores >= 0.5)),
        }
        for run in runs
    ]
    return pl.DataFrame(rows, schema=RECORDED["runs"])


def _history(runs: list[Run]) -> pl.DataFrame:
    rows = [{"weighting": run.weighting, "seed": run.seed, **epoch} for run in runs for epoch in run.facts["history"]]
    return pl.DataFrame(rows, schema=RECORDED["history"])


def _cohort_facts(cohort: Cohort, frame: pl.DataFrame) -> dict[str, Any]:
    facts: dict[str, Any] = {"key": cohort.key, "images": frame.height, "patients": frame["patient"].n_unique()}
    for split in ("train", "valid"):
        part = frame.filter(pl.col("split") == split)
        facts |= {f"{split}_images": part.height, f"{split}_patients": part["patient"].n_unique()}
    facts["sick_share"] = float(frame["label"].mean())
    facts["unknown"] = {attribute: frame[attribute].null_count() for attribute in cohort.attributes}
    return facts


def _hardware(runs: list[Run]) -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.is_file() else []
    return {
        "processor": models[0].split(":")[1].strip() if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "trained_on": sorted({run.facts["device"] for run in runs}),
        "precision": sorted({run.facts["precision"] for run in runs}),
    }
