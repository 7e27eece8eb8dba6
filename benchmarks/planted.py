"""Does the audit find what was planted? Phantom cohorts with one bias each go through the audit as a study's would.

    python -m benchmarks.planted [cohorts of each setting] [processes]      # writes data/trust/planted.csv, resumable

Training a network for each would take days. A cheap classifier of the same images stands in: principal components of
coarse grey levels and local texture, and logistic regression, refitted on resampled training patients in place of
retraining. What it learns is less than what a network learns, so the detection rates are those of a weak classifier.
"""

import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import polars as pl
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.audit import Context, Population, answer
from lib.audit.questions.exposure import grey_levels
from lib.cohort import load_pixels, read_cohort
from lib.cohort.phantom import EFFECTS, Dials, draw_phantom
from lib.names import AGGREGATE, BASELINE, BASELINE_WEIGHTING, SHOWN, SUGGESTED
from lib.settings import ROOT

OUT = ROOT / "data" / "trust" / "planted.csv"
FIELDS = ("dial", "value", "seed", "question", "sign", "auc")
HALF = 0.5
VALUES = (HALF, 1.0)
IMAGES, PIXELS, COMPONENTS, NETWORKS = 1800, 64, 100, 5
SMALLEST_CELL = 20
NONE = "none"
"""The setting that plants nothing."""


def settings() -> list[tuple[str, float]]:
    """Nothing, and each dial at each value; groups are alike but for that one bias, so the truth is known."""
    return [(NONE, 0.0), *((dial, value) for dial in EFFECTS for value in VALUES)]


def one_cohort(dial: str, value: float, seed: int, *, images: int = IMAGES) -> list[tuple]:
    """Rows (dial, value, seed, question, sign, AUC): what the audit says of each question of `EFFECTS`.

    sign: +1 or -1 where the audit claims a difference of that sign, 0 where it claims none.
    """
    dials = Dials(nature=0, **({} if dial == NONE else {dial: value}))
    with tempfile.TemporaryDirectory() as place:
        folder = draw_phantom(Path(place) / "cohort", images=images, seed=seed, dials=dials, size=PIXELS, workers=1)
        cohort = read_cohort(folder)
        pixels = np.array(load_pixels(cohort.frame, PIXELS, Path(place) / "pixels").values)
    frame = cohort.frame
    valid = frame.filter(split="valid")
    scores = np.stack(list(_scores(frame, pixels, seed)))
    context = Context(
        Population.from_frame(valid),
        valid,
        {BASELINE_WEIGHTING: scores},
        {BASELINE: (scores >= 0.5).astype(float)},
        smallest_cell=SMALLEST_CELL,
        seed=seed,
        grey=grey_levels(pixels),
        cohort=frame,
    )
    tables = answer(context, {"gaps", "shares", "composition", "simpson", "exposure", "label_mixture"})
    auc = round(float(np.mean([roc_auc_score(valid["label"], own) for own in scores])), 4)
    return [(dial, value, seed, question, sign, auc) for question, sign in claims(tables).items()]


def _scores(frame: pl.DataFrame, pixels: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Chance of sick (n_valid,) by each classifier, every one fitted to training patients drawn with replacement."""
    train = (frame["split"] == "train").to_numpy()
    found = features(pixels)
    reduced = make_pipeline(PCA(COMPONENTS, svd_solver="randomized", random_state=0), StandardScaler())
    reduced.fit(found[train])
    values, labels, patients = reduced.transform(found), frame["label"].to_numpy(), frame["patient"].to_numpy()
    names = np.unique(patients[train])
    rows_of = {name: np.flatnonzero(train & (patients == name)) for name in names}
    for network in range(NETWORKS):
        draw = np.random.default_rng([seed, 7, network])
        rows = np.concatenate([rows_of[name] for name in draw.choice(names, len(names))])
        model = LogisticRegression(C=0.003, max_iter=300, class_weight="balanced").fit(values[rows], labels[rows])
        yield model.predict_proba(values[~train])[:, 1]


def features(pixels: np.ndarray) -> np.ndarray:
    """Images (n, 64, 64) as (n, 1280): grey levels of 32 x 32, exposure taken out, and texture in 16 x 16 places."""
    grey = pixels.astype(np.float32)
    grey = (grey - grey.mean((1, 2), keepdims=True)) / grey.std((1, 2), keepdims=True)
    fine = np.square(grey - gaussian_filter(grey, (0, 2, 2)))
    return np.hstack([_pooled(grey, 2), 4 * np.sqrt(_pooled(fine, 4))])


def _pooled(images: np.ndarray, side: int) -> np.ndarray:
    count = images.shape[1] // side
    return images.reshape(len(images), count, side, count, side).mean((2, 4)).reshape(len(images), -1)


def claims(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """What the audit claims on each question, by the rules of the report: verdicts, reversals, intervals that are apart."""
    women = {
        split: _row(tables["shares"], split=split, attribute="sex", group="F", other="overall") for split in SPLITS
    }
    shares = tables["composition"].filter(split="train", attribute="sex", unit="patient")
    train = {group: _row(shares, group=group) for group in ("F", "M")}
    mixture = tables["label_mixture"].filter(attribute="view", group="AP", reading=READING)
    found = {
        "prevalence": apart(train["F"], train["M"]),
        "representation": apart(women["train"], women["valid"]),
        "exposure": _exposure(tables["exposure"]),
        "simpson": _reversal(
            tables["simpson"].filter(split="train", metric="prevalence", attribute="sex", stratifier="view")
        ),
        "label_noise": 0 if mixture.is_empty() else told(mixture.row(0, named=True)),
    }
    own = tables["gaps"].filter(weighting=BASELINE[0], postprocessing=BASELINE[1], unit="patient")
    for dial, effect in EFFECTS.items():
        if effect.table == "gaps":
            where = {"attribute": effect.attribute, "metric": effect.metric, "contrast": effect.contrast}
            found[dial] = told(_row(own, **where))
    return found


def told(row: dict) -> int:
    """The sign of a figure that is shown or, where it belongs to no family, whose interval leaves 0 out; else 0."""
    word = SUGGESTED if row["p_adjusted"] is None else SHOWN
    return int(np.sign(row["estimate"])) if row["verdict"] == word else 0


READING = "aligned"
"""The reading of the mixture in which a shift of all scores of a view is taken out."""


SPLITS = ("train", "valid")


def _row(frame: pl.DataFrame, **where: str) -> dict:
    return frame.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in where.items()), named=True)


def apart(one: dict, two: dict) -> int:
    """+1 where the interval of `one` lies above that of `two`, -1 below, 0 where they meet or one is not known."""
    if None in (one["low"], one["high"], two["low"], two["high"]):
        return 0
    return int(one["low"] > two["high"]) - int(one["high"] < two["low"])


def _exposure(frame: pl.DataFrame) -> int:
    """The sign of AP against PA where the contrasts are apart, alike among the sick and the healthy."""
    own = frame.filter(measure="contrast", attribute="view")
    signs = {apart(*(_row(own, label=label, group=view) for view in ("AP", "PA"))) for label in (0, 1)}
    return signs.pop() if len(signs) == 1 else 0


def _reversal(frame: pl.DataFrame) -> int:
    """The sign of the aggregate difference where it turns within strata."""
    turned = frame.filter("reversal")
    return 0 if turned.is_empty() else int(np.sign(turned.filter(stratum=AGGREGATE)["estimate"][0]))


def main(cohorts: int = 20, processes: int = 2) -> None:
    """Audit what is not in the table yet, writing each cohort's rows as they come."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    done = {tuple(row[:3]) for row in csv.reader(OUT.open())} if OUT.is_file() else set()
    if not done:
        OUT.write_text(",".join(FIELDS) + "\n", "utf-8")
    todo = [
        (dial, value, seed)
        for seed in range(cohorts)
        for dial, value in settings()
        if (dial, str(value), str(seed)) not in done
    ]
    todo.sort(key=lambda own: own[1] == HALF)  # what is promised is about nothing planted, and planted in full
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for future in as_completed([pool.submit(one_cohort, *what) for what in todo]):
            with OUT.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(future.result())
    pl.read_csv(OUT).sort(FIELDS[:4]).write_csv(OUT)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
