"""The course's script: train a classifier under a column of weights, and write its predictions beside the metadata.

    from train_classifieur import train_classifier, pred_classifier
    ckpt, score = train_classifier("logs", "data/NOM_PRENOM", "data/NOM_PRENOM/metadata.csv", weights_col="WEIGHTS")
    score, score.auc  # a loss, of which lower is better, as the course's; and the AUC, of which higher is
    pred_classifier("data/NOM_PRENOM", ckpt, "data/NOM_PRENOM/metadata.csv", "preds.csv")

    python train_classifieur.py --logdir logs --datadir data/NOM_PRENOM --csv data/NOM_PRENOM/metadata.csv \\
        --weights_col WEIGHTS --train True --pred True --csv_out preds.csv
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.messages import UserError, message, speak
from lib.settings import languages, spoken_language

if TYPE_CHECKING:
    from lib.dropin import Score

CALLS = ("train_classifier", "pred_classifier", "train_classifieur", "pred_classifieur", "parse_opt")
LOADED = {
    "lib.dropin.course": "ChestXRayClassifier accuracy get_class_weights get_weights make_model preds_todf "
    "transforms_train transforms_valid",
    "torch.nn.functional": "cross_entropy",
    "torch.utils.data": "DataLoader WeightedRandomSampler",
    "torchvision.datasets": "ImageFolder",
    "torchvision.models": "ResNet18_Weights resnet18",
    "torchvision.transforms.v2": "CenterCrop Compose Normalize RandomCrop RandomHorizontalFlip Resize ToDtype ToImage",
    "torchmetrics.classification": "BinaryConfusionMatrix ConfusionMatrix",
    "pytorch_lightning": "LightningModule Trainer",
    "pytorch_lightning.callbacks": "EarlyStopping ModelCheckpoint",
    "pytorch_lightning.loggers": "TensorBoardLogger",
    "sklearn.metrics": "accuracy_score balanced_accuracy_score",
    "PIL": "Image",
}
"""What else the course's script holds, so that notebooks import it from there: loaded when it is asked for."""
MODULES = {"np": "numpy", "pd": "pandas", "torch": "torch", "plt": "matplotlib.pyplot"}
__all__ = [*CALLS, *" ".join(LOADED.values()).split(), *(name for name in MODULES if name != "plt")]
"""Also for `import *`, all but matplotlib, which this project does without."""


def __getattr__(name: str) -> Any:
    for module, names in LOADED.items():
        if name in names.split():
            return getattr(importlib.import_module(module), name)
    if name in MODULES:
        return importlib.import_module(MODULES[name])
    raise AttributeError(
        f"train_classifieur has no {name}; it has {', '.join(CALLS)} and {LOADED['lib.dropin.course']}"
    )


def train_classifier(
    logdir: str | Path,
    datadir: str | Path,
    csv: str | Path,
    weights_col: str = "WEIGHTS",
    max_epochs: int | None = None,
    *,
    seed: int = 1,
    image_size: int | None = None,
    weights: str = "imagenet",
    network: str | None = None,
    language: str | None = None,
) -> "tuple[str, Score]":
    """Train on `datadir/train`; returns the path of the checkpoint in `logdir` and its score.

    The score is a loss, as the course's script returns: lower is better. It is of training patients set aside,
    unweighted; their AUC is `score.auc`. `network` is `efficientnet_lite0` (default) or
    `resnet18`; it starts from `weights`: `imagenet` (from scratch where they cannot be had), `none`, or the file of a
    torchvision ResNet-18. `max_epochs` and `image_size` are by default those of the recipe of the network and its start.
    Called again after it was killed, training goes on where it was; called again when finished, the network is read.
    What is told is in `language`, by default that of `[report]` in `study.toml`.
    """
    speak(spoken_language(language))
    from lib.dropin import train

    options = {"epochs": max_epochs, "seed": seed, "image_size": image_size, "initial": weights, "network": network}
    trained = train(logdir, datadir, csv, weights_col, **options)
    facts, seconds = trained.facts, trained.facts["seconds"]
    if trained.how == "trained":
        told = message("trained in {seconds:,.0f} s", seconds)
    elif trained.how == "resumed":
        told = message("resumed where it was stopped, trained in {seconds:,.0f} s in all", seconds)
    else:
        run = trained.path.with_suffix("")
        told = message("reused: trained before, in {seconds:,.0f} s; delete {run} to train it anew", seconds, run)
    for note in trained.notes:
        print(note)
    print(
        message(
            "{path}: {score}, on the training patients set aside, in epoch {epoch}; {told}.",
            trained.path,
            trained.score,
            facts["kept_epoch"],
            told,
        )
    )
    if facts["effective_share"] < 0.5:
        percent = 100 * facts["effective_share"]
        print(
            message(
                "{column}: the weights leave {percent:.0f}% of the training images' worth (Kish).", weights_col, percent
            )
        )
    return str(trained.path), trained.score


def pred_classifier(
    datadir: str | Path,
    ckpt_path: str | Path,
    csv_in: str | Path,
    csv_out: str | Path,
    preds_col: str = "preds",
    *,
    mirror: bool = False,
    language: str | None = None,
) -> None:
    """Write `csv_in` with predictions to `csv_out`, and print how good they are: of valid first, then by group.

    `ckpt_path` is a checkpoint of `train_classifier`, or one of the course's own script. Rates by sex, age group and view
    are printed where `csv_in` has their columns: TPR, the share of the sick called malade, and FPR, that of the healthy.
    With `mirror` the mean over an image and its mirror image is predicted, as a study does: a little better, in twice
    the time. What is told is in `language`, by default that of `[report]` in `study.toml`.
    """
    speak(spoken_language(language))
    from lib.dropin import predict

    done = predict(datadir, ckpt_path, csv_in, csv_out, preds_col, mirror=mirror)
    if done.without_image:
        empty, total = done.without_image, done.table.height
        print(message("{count} of {total} rows have no readable image: their predictions are empty.", empty, total))
    for part, images, accuracy, balanced in done.scores.iter_rows():
        if part != "valid":
            part = message("train + valid, as the course's script prints it (flattered by train)")
        told = message(
            "accuracy {accuracy:.4f}, balanced accuracy {balanced:.4f} ({n:,} images)", accuracy, balanced, images
        )
        print(message("{part}: {rates}", part, told))
    for attribute, group, sick, tpr, healthy, fpr in done.rates.iter_rows():
        told = message("TPR {tpr:.3f} ({sick:,} sick), FPR {fpr:.3f} ({healthy:,} healthy)", tpr, sick, fpr, healthy)
        print(message("{part}: {rates}", f"valid, {message(attribute)} {group}", told))


train_classifieur, pred_classifieur = train_classifier, pred_classifier


def main(arguments: list[str] | None = None) -> int:
    """Train, predict or both; a mistake of the user ends in one sentence on stderr and exit status 1."""
    o = _parser().parse_args(arguments)
    spoken = {"language": o.language}
    speak(spoken_language(o.language))
    train = o.train if o.train is not None else bool(o.logdir and not o.ckpt)
    predict = o.pred if o.pred is not None else bool(o.csv_out)
    try:
        _require(
            o, ["datadir", "csv", *["logdir"] * train, *["csv_out"] * predict, *["ckpt"] * (predict and not train)]
        )
        if not (train or predict):
            raise UserError("Nothing to do: give --train True, --pred True or both.")
        if predict:
            _check(o)
        ckpt = o.ckpt
        if train:
            more = {"seed": o.seed, "image_size": o.image_size, "weights": o.weights, "network": o.network}
            ckpt, _ = train_classifier(o.logdir, o.datadir, o.csv, o.weights_col, o.max_epochs, **more, **spoken)
        if predict:
            pred_classifier(o.datadir, ckpt, o.csv, o.csv_out, o.preds_col, mirror=o.mirror, **spoken)
    except KeyboardInterrupt:
        print(message("Stopped. Start again to resume."), file=sys.stderr)
        return 130
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def _require(options: argparse.Namespace, names: list[str]) -> None:
    if missing := [f"--{name}" for name in names if not getattr(options, name)]:
        raise UserError("{options} must be given for this; --help explains each.", ", ".join(missing))


def _check(o: argparse.Namespace) -> None:
    """Refuse what cannot be predicted, or written where it is to go, before anything is trained."""
    from lib.cohort import list_images
    from lib.dropin import check_prediction

    check_prediction(list_images(o.datadir), Path(o.csv), Path(o.csv_out), o.preds_col)
    if o.preds_col == o.weights_col:
        raise UserError("--preds_col and --weights_col are both {name!r}; they are two columns.", o.preds_col)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(message("{text!r} is neither True nor False", text))
    return text.lower() == "true"


def parse_opt() -> argparse.Namespace:
    """The options of the command line, as the course's script names them."""
    return _parser().parse_args()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the classifier under a column of weights, and predict with it.")
    add = parser.add_argument
    add("--logdir", help="folder of the checkpoints")
    add("--datadir", help="folder of the cohort: train and valid, each with malade and sain")
    add("--csv", help="metadata.csv with a column of weights")
    add("--weights_col", default="WEIGHTS", help="its name (default: %(default)s)")
    add("--max_epochs", type=int, help="epochs (default: as the network's recipe has it)")
    add("--csv_out", help="where the CSV with predictions goes")
    add("--preds_col", default="preds", help="column of the predicted classes (default: %(default)s)")
    add("--train", type=_truth, metavar="True|False", help="train (default: True with --logdir and without --ckpt)")
    add("--pred", type=_truth, metavar="True|False", help="predict (default: True with --csv_out)")
    add("--ckpt", "--ckpt_path", help="checkpoint to predict with (default: the one just trained)")
    add("--seed", type=int, default=1, help="of everything random (default: %(default)s)")
    add(
        "--image-size",
        "--image_size",
        type=int,
        help="pixels; the cost grows with its square (default: as the network's recipe has it)",
    )
    add("--network", help="efficientnet_lite0 (default) or resnet18")
    add("--weights", default="imagenet", metavar="imagenet|none|PATH", help="what to start from (default: %(default)s)")
    add("--language", choices=languages(), help="of what is told (default: that of [report] in study.toml)")
    add(
        "--mirror",
        type=_truth,
        default=False,
        metavar="True|False",
        help="predict mirror images, too, as a study does: a little better, in twice the time (default: False)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
