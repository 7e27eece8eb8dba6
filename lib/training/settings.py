"""What a training run depends on, and where runs are trained."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lib.training.networks import NETWORKS

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
"""Lightning's names."""


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one network, shared by all runs of a study. Everything here is part of a run's key.

    The defaults are the recipe of EfficientNet-Lite0 that starts from ImageNet; `for_start` gives that of any network.
    `benchmarks/training.md` says what each of them is worth.
    """

    network: str = "efficientnet_lite0"
    initial_weights: str = "imagenet"  # what the network really starts from, or "none"
    image_size: int = 128  # pixels; the size at which the network predicts
    first_image_size: int = 128  # pixels; two thirds of the epochs, at most `image_size`
    epochs: int = 2
    batch_size: int = 32
    learning_rate: float = 3e-4  # peak of a one-cycle schedule; AdamW
    weight_decay: float = 0.05
    dropout: float = 0.0  # share of the features hidden from the last layer
    frozen_blocks: int = 3  # the stem and so many blocks keep the weights that they start from
    averaging: float = 0.99  # share of the moving average of the weights that a step leaves; 0: no average
    tune_share: float = 0.15  # of the training patients; they choose the epoch
    weights_act_by: str = "sampling"  # or "loss"
    precision: str = "32-true"  # of the arithmetic

    def __post_init__(self) -> None:
        for name, allowed in (
            ("network", tuple(NETWORKS)),
            ("initial_weights", ("imagenet", "none")),
            ("weights_act_by", ("sampling", "loss")),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(map(repr, allowed))}.")
        for name, least, most in (
            ("image_size", 32, 1024),
            ("first_image_size", 32, 1024),
            ("epochs", 1, 1000),
            ("batch_size", 2, 4096),
            ("learning_rate", 1e-7, 1),
            ("weight_decay", 0, 10),
            ("dropout", 0, 0.9),
            ("frozen_blocks", 0, 16),
            ("averaging", 0, 0.9999),
            ("tune_share", 0.05, 0.5),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are {least} to {most}.")

    @classmethod
    def for_start(cls, stated: Mapping[str, Any], start: str) -> "TrainingSettings":
        """The recipe of a network that starts from `start` (`imagenet` or `none`), but for what is `stated`."""
        if start not in ("imagenet", "none"):
            raise ValueError(f"initial_weights is {start!r}; allowed are 'imagenet', 'none'.")
        network = stated.get("network", cls.network)
        if network not in NETWORKS:
            raise ValueError(f"network is {network!r}; allowed are {', '.join(map(repr, NETWORKS))}.")
        recipe = NETWORKS[network].RECIPES[start]
        size = {"first_image_size": stated["image_size"]} if "image_size" in stated else {}
        return cls(**recipe | size | dict(stated) | {"network": network, "initial_weights": start})

    def size_at(self, epoch: int) -> int:
        """Pixels at which `epoch` (from 0) trains: the first size for two thirds of the epochs, then the last.

        Small images teach the coarse layout for a fraction of the arithmetic (progressive learning: Tan & Le 2021,
        arXiv 2104.00298); the last third adapts to the size of prediction.
        """
        return min(self.first_image_size, self.image_size) if epoch < self.epochs * 2 // 3 else self.image_size

    def run_key(self, cohort_key: str, weighting: str, seed: int) -> str:
        """Name of the run's folder: equal settings, cohort content, weighting and seed give an equal key."""
        text = json.dumps([cohort_key, weighting, seed, asdict(self)], sort_keys=True)
        return f"{weighting}-{seed}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True)
class ComputeSettings:
    """The `[compute]` table of `study.toml`: where runs are trained; every entry may be left out."""

    engine: str = "local"  # or "slurm": every missing run is a job of one array, sent out by submitit
    precision: str = "auto"  # of the arithmetic; "auto" is the faster of float32 and bfloat16, by measurement
    slurm: dict[str, Any] = field(default_factory=dict)  # submitit's `slurm_` parameters: partition, time, account...

    def __post_init__(self) -> None:
        for name, allowed in (("engine", ("local", "slurm")), ("precision", ("auto", *PRECISIONS))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(map(repr, allowed))}.")
