"""The course's script: train a classifier under a column of weights, and write its predictions beside the metadata.

    from train_classifieur import train_classifier, pred_classifier
    ckpt, score = train_classifier("logs", "data/NOM_PRENOM", "data/NOM_PRENOM/metadata.csv", weights_col="WEIGHTS")
    pred_classifier("data/NOM_PRENOM", ckpt, "data/NOM_PRENOM/metadata.csv", "preds.csv")

    python train_classifieur.py --logdir logs --datadir data/NOM_PRENOM --csv data/NOM_PRENOM/metadata.csv \\
        --weights_col WEIGHTS --train True --pred True --csv_out preds.csv
"""

import argparse
import logging
import sys
import warnings
from pathlib import Path


def train_classifier(
    logdir: str | Path,
    datadir: str | Path,
    csv: str | Path,
    weights_col: str = "WEIGHTS",
    max_epochs: int = 25,
    *,
    seed: int = 1,
    image_size: int = 96,
    weights: str = "imagenet",
) -> tuple[str, float]:
    """Train on `datadir/train`; returns the path of the checkpoint in `logdir` and its score.

    The score is what chooses the epoch: the AUC on 15 % of the training patients, set aside and unweighted.
    `weights` is `imagenet` (from scratch where they cannot be had), `none` or the file of a torchvision ResNet-18.
    Called again after it was killed, training goes on where it was; called again when finished, the network is read.
    """
    _quiet()
    from lib.dropin import train

    trained = train(
        logdir, datadir, csv, weights_col, epochs=max_epochs, seed=seed, image_size=image_size, initial=weights
    )
    facts = trained.facts
    print(
        f"{trained.path}: AUC {facts['tune_auc']:.3f} on the training patients set aside, in epoch {facts['best_epoch']}."
    )
    if facts["effective_share"] < 0.5:
        print(f"{weights_col}: the weights leave {facts['effective_share']:.0%} of the training images' worth (Kish).")
    return str(trained.path), facts["tune_auc"]


def pred_classifier(
    datadir: str | Path,
    ckpt_path: str | Path,
    csv_in: str | Path,
    csv_out: str | Path,
    preds_col: str = "preds",
    *,
    mirror: bool = False,
) -> None:
    """Write `csv_in` with predictions to `csv_out`, and print how good they are, for valid alone first.

    With `mirror` the mean over an image and its mirror image is predicted, as a study does: a little better, in twice
    the time.
    """
    _quiet()
    from lib.dropin import predict

    done = predict(datadir, ckpt_path, csv_in, csv_out, preds_col, mirror=mirror)
    if done.without_image:
        print(f"{done.without_image} of {done.table.height} rows have no readable image: their predictions are empty.")
    for part, images, accuracy, balanced in done.scores.iter_rows():
        words = "valid" if part == "valid" else "train + valid, as the course's script prints it (flattered by train)"
        print(f"{words}: accuracy {accuracy:.4f}, balanced accuracy {balanced:.4f} ({images:,} images)")


train_classifieur, pred_classifieur = train_classifier, pred_classifier


def main(arguments: list[str] | None = None) -> int:
    """Train, predict or both; a mistake of the user ends in one sentence on stderr and exit status 1."""
    o = _parser().parse_args(arguments)
    train = o.train if o.train is not None else bool(o.logdir and not o.ckpt)
    predict = o.pred if o.pred is not None else bool(o.csv_out)
    try:
        _require(
            o, ["datadir", "csv", *["logdir"] * train, *["csv_out"] * predict, *["ckpt"] * (predict and not train)]
        )
        if not (train or predict):
            raise ValueError("Nothing to do: give --train True, --pred True or both.")
        ckpt = o.ckpt
        if train:
            more = {"seed": o.seed, "image_size": o.image_size, "weights": o.weights}
            ckpt, _ = train_classifier(o.logdir, o.datadir, o.csv, o.weights_col, o.max_epochs, **more)
        if predict:
            pred_classifier(o.datadir, ckpt, o.csv, o.csv_out, o.preds_col, mirror=o.mirror)
    except KeyboardInterrupt:
        print("Stopped. Start again to resume.", file=sys.stderr)
        return 130
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def _require(options: argparse.Namespace, names: list[str]) -> None:
    if missing := [f"--{name}" for name in names if not getattr(options, name)]:
        raise ValueError(f"{', '.join(missing)} must be given for this; --help explains each.")


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")
    return text.lower() == "true"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the classifier under a column of weights, and predict with it.")
    add = parser.add_argument
    add("--logdir", help="folder of the checkpoints")
    add("--datadir", help="folder of the cohort: train and valid, each with malade and sain")
    add("--csv", help="metadata.csv with a column of weights")
    add("--weights_col", default="WEIGHTS", help="its name (default: %(default)s)")
    add("--max_epochs", type=int, default=25, help="epochs (default: %(default)s)")
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
        default=96,
        help="pixels; the cost grows with its square (default: %(default)s)",
    )
    add("--weights", default="imagenet", metavar="imagenet|none|PATH", help="what to start from (default: %(default)s)")
    add(
        "--mirror",
        type=_truth,
        default=False,
        metavar="True|False",
        help="predict mirror images, too, as a study does: a little better, in twice the time (default: False)",
    )
    return parser


def _quiet() -> None:
    """Keep Lightning's own messages off the screen: what matters is printed here."""
    for name in ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")


if __name__ == "__main__":
    sys.exit(main())
