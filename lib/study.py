"""The study: from a cohort folder to its results bundle. Everything kept is reused; a killed study resumes."""

import logging
import os
import platform
import shutil
import time
from dataclasses import asdict
from datetime import date
from functools import partial
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
from lib.audit import Population, audit, describe, point_values
from lib.audit.closures import closures
from lib.audit.exposure import exposure, grey_levels
from lib.audit.flattery import flattery
from lib.audit.front import front
from lib.audit.ledger import Ledger
from lib.audit.probes import probes
from lib.audit.recommendation import recommend
from lib.audit.resampler import Resampler
from lib.audit.sensitivity import wrong_groups
from lib.catalogue import catalogue_tables, embeddings, retraining_floor
from lib.cohort import Cohort, read_cohort, readable
from lib.files import alone_with, writing_to
from lib.names import ATTRIBUTES, PLACEBO
from lib.ownership import claim
from lib.postprocessing import REGISTRY, optimism, post_process, relaxation
from lib.preprocessing import effective_share, example_weights, is_known, names
from lib.settings import ROOT, SettingsError, bundle_folder, data_folder, read_settings
from lib.training.engine import EngineSettings
from lib.training.plan import Plan
from lib.training.pool import train_all
from lib.training.settings import TrainingSettings
from lib.training.store import Run

log = logging.getLogger(__name__)
LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "polars", "scikit-learn", "numpy")


def run_study(folder: str | Path, name: str | None = None, *, root: Path = ROOT, again: bool = False) -> Path:
    """Train, adjust and audit the cohort in `folder`; returns its bundle, `data/<name>/results`.

    `name` defaults to the folder's own, see `lib.ownership.claim`. A bundle of the same cohort under the same settings is left as it is, unless
    `again`. Raises `CohortError`, `SettingsError`, `WeightingError` or `TrainingError`, each with one sentence.
    """
    settings = read_settings(root)
    training, engine = _check(settings)
    cohort = read_cohort(folder)
    name = claim(folder, cohort.key, name, root)
    target = bundle_folder(name, root)
    wanted = {key: settings[key] for key in ("training", "audit", "preferences")}
    if not again and _is_current(target, cohort, wanted):
        log.info("%s is up to date: nothing to train or audit.", target)
        return target

    cache = root / "data" / ".pixels"
    frame, checks, pixels = readable(cohort, training.image_size, cache)
    plan = Plan(
        frame,
        cohort.key,
        training,
        tuple(settings["training"]["weightings"]),
        tuple(settings["training"]["seeds"]),
        data_folder(name, root) / "runs",
        cache,
        engine,
    )
    runs, plan = train_all(plan)
    began = time.monotonic()
    with threadpool_limits(1, user_api="blas"):  # many small products: more threads wait for each other
        tables = {"checks": checks} | _audited(frame, pixels, plan, runs, settings)
    manifest = {
        "cohort": {"name": name, "source": cohort.source or settings["source"], **_cohort_facts(cohort, frame)},
        "requested": wanted,
        "settings": {
            "training": {**asdict(plan.settings), "seeds": list(plan.seeds), "weightings": list(plan.weightings)},
            "audit": settings["audit"],
            "preferences": settings["preferences"],
        },
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
        results.save(target, manifest, tables)
    return target


def _sweep(target: Path) -> None:
    """Delete what a study left that was killed while it wrote its results."""
    for leftover in target.parent.glob(".results-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _check(settings: dict[str, Any]) -> tuple[TrainingSettings, EngineSettings]:
    """The settings of the networks and of where they are trained.

    Raises `SettingsError` for any value in `study.toml` that cannot be used.
    """
    for where, key, is_allowed, allowed in (
        ("training", "weightings", is_known, [*names(), f"{PLACEBO}... of any but uniform"]),
        ("audit", "postprocessings", REGISTRY.__contains__, REGISTRY),
        ("audit", "attributes", ATTRIBUTES.__contains__, ATTRIBUTES),
    ):
        values = settings[where][key]
        if wrong := [v for v in values if not is_allowed(v)]:
            raise SettingsError(
                f"study.toml, [{where}] {key}: {wrong[0]!r} is unknown; allowed are {', '.join(allowed)}."
            )
        if not values or len(set(values)) < len(values):
            raise SettingsError(f"study.toml, [{where}] {key} must name at least one, each once.")
    if settings["training"]["weightings"][0] != "uniform" or settings["audit"]["postprocessings"][0] != "fixed_0.5":
        raise SettingsError("study.toml: the first weighting is 'uniform' and the first post-processing 'fixed_0.5'.")
    seeds = settings["training"]["seeds"]
    if not seeds or any(type(s) is not int or not 0 <= s < 2**32 for s in seeds) or len(set(seeds)) < len(seeds):
        raise SettingsError("study.toml, [training] seeds must hold at least one whole number from 0, each once.")
    for key, least in (("folds", 2), ("replicates", 100), ("smallest_cell", 1)):
        if settings["audit"][key] < least:
            raise SettingsError(f"study.toml, [audit] {key} is {settings['audit'][key]}; at least {least} is needed.")
    preferences = settings["preferences"]
    if preferences["attribute"] not in settings["audit"]["attributes"]:
        allowed = ", ".join(settings["audit"]["attributes"])
        raise SettingsError(
            f"study.toml, [preferences] attribute: {preferences['attribute']!r} is not audited; allowed are {allowed}."
        )
    if not 0 <= preferences["largest_loss"] <= 0.5:
        raise SettingsError(
            f"study.toml, [preferences] largest_loss is {preferences['largest_loss']}; allowed is 0.0 to 0.5."
        )
    try:
        training = TrainingSettings(
            **{k: v for k, v in settings["training"].items() if k not in ("weightings", "seeds")}
        )
    except ValueError as error:
        raise SettingsError(f"study.toml, [training]: {error}") from None
    try:
        engine = EngineSettings(**settings["compute"])
        engine.check(training.batch_size)
    except ValueError as error:
        raise SettingsError(f"study.toml, [compute]: {error}") from None
    return training, engine


def _is_current(target: Path, cohort: Cohort, wanted: dict[str, Any]) -> bool:
    try:
        manifest = results.load(target.parent.name, target.parent.parent.parent).manifest
    except results.BundleError:
        return False
    return manifest.get("cohort", {}).get("key") == cohort.key and manifest.get("requested") == wanted


def _audited(
    frame: pl.DataFrame, pixels: np.ndarray, plan: Plan, runs: list[Run], settings: dict[str, Any]
) -> dict[str, pl.DataFrame]:
    preferences, settings = settings["preferences"], settings["audit"]
    valid = frame.filter(pl.col("split") == "valid")
    people = Population.from_frame(valid, attributes=settings["attributes"])
    scores = {w: np.stack([run.scores for run in runs if run.weighting == w]) for w in plan.weightings}
    small, replicates = settings["smallest_cell"], settings["replicates"]
    processed = post_process(
        people,
        scores,
        settings["postprocessings"],
        settings["attributes"],
        folds=settings["folds"],
        smallest_cell=small,
    )
    ledger = Ledger(people, small)
    with tqdm(total=len(processed.decisions), desc="Auditing", unit=" methods") as bar:
        audited = audit(
            people,
            scores,
            processed.decisions,
            replicates=replicates,
            smallest_cell=small,
            progress=lambda done, total: bar.update(done - bar.n),
            observe=ledger,
        )
    resampler = Resampler(people, {w: len(own) for w, own in scores.items()}, replicates, smallest_cell=small)
    everyone = Population.from_frame(frame, attributes=["view"])
    heads = catalogue_tables(plan, pixels, people, replicates=replicates, smallest_cell=small)
    floor = retraining_floor(people, scores, smallest_cell=small)
    described = describe(frame, replicates=replicates, smallest_cell=small)
    return (
        audited
        | heads
        | described
        | {
            "noise_floor": pl.concat([floor, heads["noise_floor"]]),
            "simpson": pl.concat([described["simpson"], audited["simpson"]]),
            "probes": probes(people, embeddings(plan, pixels), replicates=replicates, smallest_cell=small),
            "exposure": exposure(everyone, grey_levels(pixels), replicates=replicates),
            "thresholds": processed.thresholds,
            "optimism": optimism(people, processed, partial(point_values, smallest_cell=small)),
            "flattery": flattery(resampler, processed.decisions, processed.naive),
            "front": front(ledger),
            "closures": closures(audited["changes"]),
            "relaxation": relaxation(resampler, scores, processed.folds),
            "wrong_groups": wrong_groups(resampler, processed.decisions, processed.as_group),
            "recommendation": recommend(ledger, preferences),
            "weights": _weights(frame, plan.weightings, settings["attributes"]),
            "runs": _runs(frame, valid, plan, runs),
            "history": _history(runs),
        }
    )


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
    return pl.DataFrame(rows, schema=results.TABLES["runs"])


def _history(runs: list[Run]) -> pl.DataFrame:
    rows = [{"weighting": run.weighting, "seed": run.seed, **epoch} for run in runs for epoch in run.facts["history"]]
    return pl.DataFrame(rows, schema=results.TABLES["history"])


def _cohort_facts(cohort: Cohort, frame: pl.DataFrame) -> dict[str, Any]:
    facts: dict[str, Any] = {"key": cohort.key, "images": frame.height, "patients": frame["patient"].n_unique()}
    for split in ("train", "valid"):
        part = frame.filter(pl.col("split") == split)
        facts |= {f"{split}_images": part.height, f"{split}_patients": part["patient"].n_unique()}
    facts["sick_share"] = float(frame["label"].mean())
    facts["unknown"] = {attribute: frame[attribute].null_count() for attribute in ATTRIBUTES}
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
