"""Every table of a results bundle: the audit's questions, each with a schema of its own, and what the study records."""

from typing import Any

from lib.audit.columns import F, I, S
from lib.audit.questions import SCHEMAS
from lib.pictures import SCHEMAS as PICTURES
from lib.postprocessing import crossfit
from lib.study import odd_networks

RECORDED: dict[str, dict[str, Any]] = {
    # what was found in the folder and the CSV, and what was done about it
    "checks": {"check": S, "rows": I, "action": S},
    # mean weight in each cell of the training images
    "weights": {"weighting": S, "attribute": S, "group": S, "label": I, "images": I, "weight": F},
    # one row per trained network; effective_share = Kish effective sample size / n; rates are per image, as trained for
    "runs": {
        "weighting": S,
        "seed": I,
        "epochs": I,
        "kept_epoch": I,
        "seconds": F,
        "effective_share": F,
        "tune_auc": F,
        "auc": F,
        "balanced_accuracy": F,
    },
    "history": {"weighting": S, "seed": I, "epoch": I, "train_loss": F, "tune_auc": F},
    # fitted thresholds: mean, smallest and largest over folds and seeds; fitted = share of folds with enough patients
    "thresholds": crossfit.THRESHOLDS,
    "replaced_scores": crossfit.REPLACED,
    # last layers re-trained under the catalogue on the features of the uniform runs; as `metrics` and `effects`
    "head_metrics": SCHEMAS["metrics"],
    "head_effects": SCHEMAS["effects"],
    # the effect that noise alone stays under in 19 of 20 cases: "full" between means of `n` networks, "head" from `n`
    # placebo weights; contrast "all", a difference of groups
    "noise_floor": {"trained": S, "attribute": S, "metric": S, "contrast": S, "floor": F, "n": I},
    "odd_networks": odd_networks.SCHEMA,
    "without_failed": odd_networks.WITHOUT,
} | PICTURES
TABLES: dict[str, dict[str, Any]] = SCHEMAS | RECORDED
