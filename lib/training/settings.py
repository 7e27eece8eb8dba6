"""What a training run depends on, and where runs are trained."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from pydantic.dataclasses import dataclass

from lib.schema import CONFIG, Model, in_one_sentence

NetworkName = Literal["efficientnet_lite0", "resnet18"]
"""The networks that can be trained, each a module of `lib.training.networks`."""
Start = Literal["imagenet", "none"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
"""Lightning's names."""
PRECISIONS: tuple[str, ...] = get_args(Precision)
ImageSize = Annotated[int, Field(ge=32, le=1024)]


@in_one_sentence
@dataclass(frozen=True, config=CONFIG)
class TrainingSettings:
    """Settings of one network, shared by all runs of a study. Everything here is part of a run's key.

    The defaults are the recipe of EfficientNet-Lite0 that starts from ImageNet; `for_start` gives that of any network.
    `benchmarks/training.md` says what each of them is worth.
    """

    network: NetworkName = "efficientnet_lite0"
    """Network that is trained."""
    initial_weights: Start = "imagenet"
    """What the network starts from; without a connection, those of ResNet-18 cannot be had and it starts from "none"."""
    image_size: ImageSize = 96
    """Pixels along each side at which the network predicts; the cost grows with the square."""
    first_image_size: ImageSize = 96
    """Pixels of the first two thirds of the epochs."""
    standardize: bool = True
    """Whether the grey levels of each image get the same mean and spread, so that no network sees how bright or rich in contrast it is."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 4
    """Times that every training image is shown."""
    batch_size: Annotated[int, Field(ge=2, le=4096)] = 32
    """Images of a step."""
    learning_rate: Annotated[float, Field(ge=1e-7, le=1)] = 2e-4
    """Peak of the one-cycle schedule of AdamW."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.05
    """Of AdamW."""
    dropout: Annotated[float, Field(ge=0, le=0.9)] = 0.3
    """Share of the features hidden from the last layer."""
    findings_weight: Annotated[float, Field(ge=0, le=100)] = 2.0
    """Of the mean loss of the single findings beside that of sick, where `metadata.csv` names them; 0: not learned."""
    frozen_blocks: Annotated[int, Field(ge=0, le=16)] = 5
    """The stem and so many blocks keep the weights that they start from."""
    averaging: Annotated[float, Field(ge=0, le=0.9999)] = 0.99
    """Share of the moving average of the weights that a step leaves; 0: no average."""
    tune_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.05
    """Share of the training patients that are set aside to watch the training, at least ten."""
    keep: Literal["last", "best"] = "last"
    """Epoch at which a network is kept: its last, or the one with the best AUC on the patients set aside."""
    weights_act_by: Literal["sampling", "loss"] = "sampling"
    """How example weights act: images are shown more often, or their loss counts more."""
    precision: Precision = "32-true"
    """Of the arithmetic."""

    @classmethod
    def for_start(cls, stated: Mapping[str, Any], start: str) -> "TrainingSettings":
        """The recipe of a network that starts from `start` (`imagenet` or `none`), but for what is `stated`.

        Raises ValueError, one sentence, for a value that is not allowed.
        """
        stated = {**stated, "initial_weights": start}
        network = cls(**stated).network
        recipe = import_module(f"lib.training.networks.{network}").RECIPES[start]
        size = {"first_image_size": stated["image_size"]} if "image_size" in stated else {}
        return cls(**recipe | size | stated)

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


class ComputeSettings(Model, frozen=True):
    """Where runs are trained; every entry may be left out."""

    engine: Literal["local", "slurm"] = "local"
    """On this machine, or by a cluster's jobs (docs/cluster.md)."""
    precision: Literal["auto", Precision] = "auto"
    """Of the arithmetic; "auto" is the faster of float32 and bfloat16, by measurement: rounding differs between them."""
    slurm: dict[str, Any] = Field(default_factory=dict)
    """Parameters of submitit (`slurm_...`): partition, time, account and so on."""
