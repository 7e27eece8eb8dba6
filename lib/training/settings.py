"""What a training run depends on."""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one network, shared by all runs of a study. Everything here is part of a run's key."""

    image_size: int = 96  # pixels; the size at which the network predicts
    first_image_size: int = 64  # pixels; two thirds of the training, at most `image_size`
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3  # peak of a one-cycle schedule; AdamW
    weight_decay: float = 0.05
    tune_share: float = 0.15  # of the training patients; they choose the epoch
    weights_act_by: str = "sampling"  # or "loss"
    initial_weights: str = "none"  # what the network really starts from: "imagenet" or "none"

    def __post_init__(self) -> None:
        if self.weights_act_by not in ("sampling", "loss"):
            raise ValueError(f"weights_act_by is {self.weights_act_by!r}; allowed are 'sampling' and 'loss'.")
        if self.initial_weights not in ("imagenet", "none"):
            raise ValueError(f"initial_weights is {self.initial_weights!r}; allowed are 'imagenet' and 'none'.")
        if (
            min(self.image_size, self.first_image_size) < 32
            or self.epochs < 1
            or self.batch_size < 2
            or not 0 < self.tune_share < 1
        ):
            raise ValueError(
                f"image_size {self.image_size} or first_image_size {self.first_image_size} (at least 32), epochs {self.epochs} (at least 1), batch_size "
                f"{self.batch_size} (at least 2) or tune_share {self.tune_share} (between 0 and 1) is out of range."
            )

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
