"""The names that notebooks import from the course's script, beside its two calls: its network, its images, its tables."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import torch
from pytorch_lightning import LightningModule
from sklearn.metrics import balanced_accuracy_score
from torch import nn
from torch.nn.functional import cross_entropy, interpolate
from torch.utils.data import DataLoader, Dataset
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.transforms import InterpolationMode, v2

from lib.dropin.checkpoint import MARKS, PREFIX, SIZE, STANDARDIZED, load_checkpoint, marks
from lib.dropin.foreign import CROP, MEAN, RESIZED, STD
from lib.dropin.weights import files_of
from lib.messages import UserError
from lib.preprocessing import WeightingError
from lib.training.networks import NETWORKS, Network, build, initial_weights

_TO_TENSOR = (v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD))
transforms_valid = v2.Compose([v2.Resize((RESIZED, RESIZED)), v2.CenterCrop(CROP), *_TO_TENSOR])
"""A picture -> (3, 224, 224), normalised as ImageNet: the centre, as the course's network is shown it."""
transforms_train = v2.Compose(
    [v2.Resize((RESIZED, RESIZED)), v2.RandomCrop(CROP), v2.RandomHorizontalFlip(), *_TO_TENSOR]
)
"""The same with a random crop and mirror."""
BATCH = 32


class ChestXRayClassifier(LightningModule):
    """Images (b, 3, h, w) of `transforms_valid` -> outputs (b, nb_classes); of two, the first is malade.

    As the course's: a ResNet-18 that starts from ImageNet where its weights can be had, trained by Lightning without
    weights of its own (`train_classifier` is many times faster). `load_state_dict` takes the `state_dict` of the course's
    checkpoints and of ours. One of ours sees the grey of the image at its own size, and gives z/2 and -z/2 for its one
    logit z of sick. Of what `transforms_valid` cuts off it sees nothing: `pred_classifier` and `preds_todf` show it all.
    """

    def __init__(self, pth_path: str | None = None, adamax: bool = False, cosine: bool = True, nb_classes: int = 40):
        super().__init__()
        self.adamax, self.cosine, self.nb_classes = adamax, cosine, nb_classes
        self.model: nn.Module = make_model(pth_path, nb_classes)

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, *_: Any, **options: Any) -> "ChestXRayClassifier":
        """A checkpoint of the course's script or of ours, in evaluation mode."""
        options = {name: value for name, value in options.items() if name in ("adamax", "cosine")}
        checkpoint = load_checkpoint(Path(checkpoint_path))
        classifier = cls(nb_classes=2, **options)
        if isinstance(checkpoint.network, Network):
            classifier.model = checkpoint.network
            _mark(classifier.model, marks(checkpoint.image_size, checkpoint.network.standardize))
        else:
            classifier.model = checkpoint.network.model
        return classifier.eval()

    def load_state_dict(self, state_dict: dict[str, torch.Tensor], strict: bool = True, assign: bool = False) -> Any:
        if f"{PREFIX}{SIZE}" in state_dict:
            state_dict = {f"{PREFIX}{STANDARDIZED}": torch.tensor(False)} | state_dict  # older files do not say
            self.model = _network_with({name.removeprefix(PREFIX) for name in state_dict}.difference(MARKS))
            _mark(self.model, {name: state_dict[f"{PREFIX}{name}"] for name in MARKS})
        return super().load_state_dict(state_dict, strict, assign)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not isinstance(self.model, Network):
            return self.model(x)
        mean, std = (torch.tensor(values, device=x.device).view(3, 1, 1) for values in (MEAN, STD))
        grey = ((x * std + mean).mean(1, keepdim=True) * 255).clamp(0, 255)
        side = int(self.model.image_size)
        if grey.shape[-2:] != (side, side):
            grey = interpolate(grey, (side, side), mode="bilinear", antialias=True)
        z = self.model(self.model.to_input(grey)).float()
        return torch.cat([z / 2, -z / 2], 1)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self._step(batch, "val")

    def _step(self, batch: tuple[torch.Tensor, torch.Tensor], part: str) -> torch.Tensor:
        images, labels = batch
        outputs = self(images)
        loss = cross_entropy(outputs, labels)
        self.log_dict({f"{part}_loss": loss, f"{part}_acc": accuracy(outputs, labels)})
        return loss

    def configure_optimizers(self) -> tuple[list, list]:
        kind, decay = (torch.optim.Adamax, 1e-3) if self.adamax else (torch.optim.Adam, 0.0)
        optimizer = kind(self.parameters(), lr=1e-3, weight_decay=decay)
        schedule = torch.optim.lr_scheduler
        if self.cosine:
            return [optimizer], [schedule.CosineAnnealingLR(optimizer, self.trainer.max_epochs, 1e-7)]
        return [optimizer], [schedule.MultiStepLR(optimizer, [4, 9, 15], 0.2)]


def make_model(pth_path: str | Path | None = None, nb_classes: int = 40, V1: bool = False) -> nn.Module:
    """torchvision's ResNet-18 with `nb_classes` outputs, from ImageNet where its weights can be had, or from `pth_path`.

    `V1` chooses among torchvision's weights, of which ResNet-18 has one set.
    """
    model = resnet18()
    if (tensors := imagenet_tensors()) is not None:
        model.load_state_dict(tensors)
    model.fc = nn.Linear(model.fc.in_features, nb_classes)
    if pth_path is not None:
        model.load_state_dict(torch.load(pth_path, map_location="cpu", weights_only=True))
    return model


def preds_todf(
    df: pd.DataFrame, dataset: Dataset, label_decoder: dict[int, str], model: nn.Module, preds_col: str
) -> pd.DataFrame:
    """`df` with `preds_col`, `labels` and the logits of the images of `dataset` (an ImageFolder) in their rows.

    Rows are found by `Image Index`, in any case; others are left as they are. A network of ours is shown the whole image
    in place of what `transforms_valid` leaves of it; any other transform is kept.
    """
    if dataset.transform is transforms_valid and isinstance(getattr(model, "model", None), Network):
        side = int(model.model.image_size)
        dataset = copy(dataset)
        dataset.transform = v2.Compose([v2.Resize((side, side), InterpolationMode.LANCZOS), *_TO_TENSOR])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()
    with torch.inference_mode():
        logits = torch.cat([model(images.to(device)).cpu() for images, _ in DataLoader(dataset, BATCH)]).numpy()
    names = [Path(path).name for path, _ in dataset.imgs]
    columns = {
        preds_col: [label_decoder[int(k)] for k in logits.argmax(1)],
        "labels": [label_decoder[target] for _, target in dataset.imgs],
        **{f"{preds_col}_logit{k}": values for k, values in enumerate(logits.T)},
    }
    rows = pd.DataFrame(columns, index=names).groupby(level=0).first()
    files = _files(df["Image Index"], names)
    known = files.notna()
    for column in rows:
        df.loc[known, column] = rows.loc[files[known], column].to_numpy()
    return df


def get_weights(
    imgs: Sequence[tuple[str, int]],
    img_names: pd.Series,
    img_weights: pd.Series,
    weight: Sequence[float] | None = None,
) -> torch.Tensor:
    """The weight of each of the images `imgs` (path, class), float64: of its row, or with `weight` of its class.

    Raises `WeightingError` for an image without a row: the course's leaves it out, and every later weight moves up.
    """
    if weight is not None:
        return torch.tensor([weight[target] for _, target in imgs], dtype=torch.float64)
    names = [Path(path).name for path, _ in imgs]
    weights = pd.Series(np.asarray(img_weights), _files(pd.Series(np.asarray(img_names)), names))
    weights = weights[weights.index.notna() & ~weights.index.duplicated()]
    if absent := sorted(set(names) - set(weights.index)):
        raise WeightingError(
            "{count} of {total} images have no row, such as {name}; each needs one.", len(absent), len(names), absent[0]
        )
    return torch.tensor(weights[names].to_numpy(), dtype=torch.float64)


def get_class_weights(imgs: Sequence[tuple[str, int]]) -> np.ndarray:
    """1 / number of images, for each class of `imgs` (path, class)."""
    counts = Counter(target for _, target in imgs)
    return np.array([1 / counts[target] for target in sorted(counts)])


def accuracy(outputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Balanced accuracy of the larger outputs (b, k)."""
    return balanced_accuracy_score(labels.cpu(), outputs.detach().argmax(1).cpu())


@cache
def imagenet_tensors() -> dict[str, torch.Tensor] | None:
    """torchvision's tensors, None where they cannot be had (said once)."""
    start, _ = initial_weights("resnet18", "imagenet")
    return ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False) if start == "imagenet" else None


def _mark(network: Network, values: dict[str, torch.Tensor]) -> None:
    for name, value in values.items():
        network.register_buffer(name, value)
    network.standardize = bool(values[STANDARDIZED])


def _network_with(names: set[str]) -> Network:
    """A network of ours whose tensors have these `names`."""
    for name in NETWORKS:
        for start in ("imagenet", "none"):
            network = build(name, start)
            if set(network.state_dict()) == names:
                return network
    raise UserError("These are the tensors of no network that this version of train_classifieur.py knows.")


def _files(written: pd.Series, names: list[str]) -> pd.Series:
    """Which of the files `names` each written name is about, NaN for none."""
    files = files_of(pl.Series(written.astype("string").tolist(), dtype=pl.String, strict=False), names)
    return pd.Series(files.to_list(), written.index)
