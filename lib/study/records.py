"""What a study writes down beside its audit: tables of its networks and weights, and the facts of its manifest."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lib.audit import Population
from lib.cohort import Cohort
from lib.preprocessing import effective_share, example_weights
from lib.study.odd_networks import odd_networks, without_failed
from lib.tables import RECORDED
from lib.training.networks import NETWORKS, build
from lib.training.store import Plan, Run

FACTS = ("epochs", "kept_epoch", "seconds", "tune_auc", "precision", "device")
"""Of a run, by which odd networks are known."""


def scores_by_weighting(plan: Plan, runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Scores (S, n_valid) of the networks of each weighting, in the order of the seeds."""
    return {w: np.stack([run.scores for run in runs if run.weighting == w]) for w in plan.weightings}


def odd_network_tables(
    people: Population, plan: Plan, runs: Sequence[Run], scores: dict[str, np.ndarray]
) -> dict[str, pl.DataFrame]:
    """The networks that failed or are odd, and what is told without those that failed."""
    odd = odd_networks([{"weighting": r.weighting, "seed": r.seed} | {k: r.facts[k] for k in FACTS} for r in runs])
    failed = odd.filter("failed").select("weighting", "seed").unique(maintain_order=True).rows()
    positions = {w: [plan.seeds.index(seed) for v, seed in failed if v == w] for w, _ in failed}
    return {"odd_networks": odd, "without_failed": without_failed(people, scores, positions)}


def weight_table(frame: pl.DataFrame, weightings: Sequence[str], attributes: Sequence[str]) -> pl.DataFrame:
    """Mean weight of the training images in each group and label, for every weighting."""
    train = frame.filter(pl.col("split") == "train")
    parts = []
    for weighting in weightings:
        weighted = train.with_columns(weight=pl.Series(example_weights(weighting, train)), weighting=pl.lit(weighting))
        cells = weighted.unpivot(attributes, index=["weighting", "label", "weight"], variable_name="attribute")
        cells = cells.drop_nulls("value").group_by("weighting", "attribute", group="value", label="label")
        parts.append(cells.agg(images=pl.len(), weight=pl.col("weight").mean()))
    return pl.concat(parts).sort("weighting", "attribute", "group", "label").cast(RECORDED["weights"])


def run_table(plan: Plan, runs: Sequence[Run]) -> pl.DataFrame:
    """A row for each trained network; its rates are per image, as trained for."""
    train = plan.frame.filter(pl.col("split") == "train")
    shares = {w: effective_share(example_weights(w, train)) for w in plan.weightings}
    labels = plan.frame.filter(pl.col("split") == "valid")["label"].to_numpy()
    rows = [
        {
            "weighting": run.weighting,
            "seed": run.seed,
            **{k: run.facts[k] for k in ("epochs", "kept_epoch", "seconds", "tune_auc")},
            "effective_share": shares[run.weighting],
            "auc": float(roc_auc_score(labels, run.scores)),
            "balanced_accuracy": float(balanced_accuracy_score(labels, run.scores >= 0.5)),
        }
        for run in runs
    ]
    return pl.DataFrame(rows, schema=RECORDED["runs"])


def history_table(runs: Sequence[Run]) -> pl.DataFrame:
    """Loss and tune AUC of each network after each epoch."""
    rows = [{"weighting": run.weighting, "seed": run.seed, **epoch} for run in runs for epoch in run.facts["history"]]
    return pl.DataFrame(rows, schema=RECORDED["history"])


def model_facts(plan: Plan, runs: Sequence[Run]) -> dict[str, Any]:
    """What a model card says of the networks: whose start, how large, and how they were trained."""
    settings = plan.settings
    parameters = sum(tensor.numel() for tensor in build(settings.network, settings.initial_weights).parameters())
    return asdict(NETWORKS[settings.network].FACTS) | {
        "parameters": parameters,
        "input_size": settings.image_size,
        "initial_weights": settings.initial_weights,
        "networks": len(runs),
        "seeds": list(plan.seeds),
        "precision": sorted({run.facts["precision"] for run in runs}),
    }


def cohort_facts(cohort: Cohort, frame: pl.DataFrame) -> dict[str, Any]:
    """Sizes of the cohort, of which `frame` holds the readable images."""
    facts: dict[str, Any] = {"key": cohort.key, "images": frame.height, "patients": frame["patient"].n_unique()}
    for split in ("train", "valid"):
        part = frame.filter(pl.col("split") == split)
        facts |= {f"{split}_images": part.height, f"{split}_patients": part["patient"].n_unique()}
    facts["sick_share"] = float(frame["label"].mean())
    facts["unknown"] = {attribute: frame[attribute].null_count() for attribute in cohort.attributes}
    return facts


def hardware(runs: Sequence[Run]) -> dict[str, Any]:
    """This machine, and what the networks were trained on."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.is_file() else []
    return {
        "processor": models[0].split(":")[1].strip() if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "trained_on": sorted({run.facts["device"] for run in runs}),
        "precision": sorted({run.facts["precision"] for run in runs}),
    }
