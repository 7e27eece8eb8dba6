"""Real examples of the surest errors, for one's own cohort: in the pages alone, never in results, in what is frozen, or in git."""

import logging
import os
import re
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from lib import results
from lib.cohort import read_cohort
from lib.cohort.images import grey_image
from lib.names import BASELINE_WEIGHTING, Attribute
from lib.render.book import LANGUAGE, chapters_of
from lib.report.facts.decision import decide
from lib.report.words.language import language
from lib.report.words.templates import tell
from lib.settings import chosen_cohort, data_folder, read_origin
from lib.tabular import parse_attribute
from lib.training.settings import TrainingSettings
from lib.training.store import DONE, SCORES

log = logging.getLogger(__name__)
PLACE = "examples"
"""The id of the empty element that a chapter has for them, and the folder of the images."""
EMPTY = re.compile(rf'<(div|section)\b[^>]*?\sid="{PLACE}"[^>]*>\s*</\1>')
EACH = 2
"""Images of each group and kind of error."""
SIDE = 320
"""Pixels along the longer side of an image at most."""
NONE = "The pages show no examples, which [report] in study.toml asks for: %s"


def add_examples(root: Path, output: Path, code: str = LANGUAGE) -> int:
    """Fill the place for examples in the pages of an edition in `output`; returns how many there are.

    Where the cohort or its networks are not on this machine, the pages stay as they are, and the log says why.
    """
    try:
        study = results.load(root=root)
        images = _scored(study.manifest, root)
    except ValueError as why:
        log.warning(NONE, why)
        return 0
    d, filled = decide(study, {}), False
    words = partial(tell, language(code), "examples", attribute=d.attribute, drawn=d.drawn)
    examples = surest(images, d.attribute)
    for page in [(output / chapter).with_suffix(".html") for chapter in chapters_of(root, code)]:
        if examples and page.is_file() and (place := EMPTY.search(text := page.read_text("utf-8"))):
            strip = _strip(examples, output / PLACE, page, lambda *block, **facts: escape(words(*block, **facts)))
            page.write_text(text[: place.start()] + strip + text[place.end() :], "utf-8")
            filled = True
    if not filled:
        log.warning(NONE, "no image is misjudged, or no chapter has a place for them.")
    return len(examples) if filled else 0


def surest(images: pl.DataFrame, attribute: Attribute) -> list[dict[str, Any]]:
    """The sick with the lowest and the healthy with the highest scores, `EACH` of each group; no patient twice.

    `images`: `image`, `path`, `patient`, `label`, `score`, `findings` (as written), and the attribute's column. A row is a
    dict with `path`, `group`, `label`, `score` and `findings` (a list).
    """
    findings = pl.col("findings").fill_null("").str.split("|").list.filter(~pl.element().is_in(["", "No Finding"]))
    images = images.with_columns(findings, group=pl.col(attribute.name))
    examples: list[dict[str, Any]] = []
    for label in (1, 0):
        wrong = images.filter((pl.col("label") == label) & ((pl.col("score") >= 0.5) != bool(label)))
        wrong = wrong.sort("score", "image", descending=[not label, False])
        for group in attribute.groups:
            new = ~pl.col("patient").is_in([one["patient"] for one in examples])
            surest_first = wrong.filter(new, group=group).unique("patient", keep="first", maintain_order=True)
            examples += surest_first.head(EACH).to_dicts()
    return examples


def _scored(manifest: dict[str, Any], root: Path) -> pl.DataFrame:
    """The validation images with the mean `score` of the baseline's networks. Raises ValueError, one sentence, where it cannot."""
    if manifest.get("of_predictions"):
        raise ValueError("its results are of predictions, and those come without images.")
    place = data_folder(chosen_cohort(root), root)
    key, training = manifest["cohort"]["key"], manifest["settings"]["training"]
    settings = TrainingSettings(**{name: training[name] for name in training if name not in ("seeds", "weightings")})
    runs = [place / "runs" / settings.run_key(key, BASELINE_WEIGHTING, seed) for seed in training["seeds"]]
    if not all((run / DONE).is_file() for run in runs):
        raise ValueError(f"the networks of these results are not in {place / 'runs'}.")
    folder = read_origin(place).get("folder")
    if not folder or not Path(folder).is_dir():
        raise ValueError(f"the folder with the images of {place.name} is not on this machine.")
    cohort = read_cohort(
        folder, attributes=[parse_attribute(name) for name in manifest["settings"]["audit"]["attributes"]]
    )
    if cohort.key != key:
        raise ValueError(f"{folder} is not what it was when {place.name} was studied.")
    scores = pl.concat([pl.read_parquet(run / SCORES) for run in runs]).group_by("image").agg(pl.col("score").mean())
    return cohort.frame.filter(pl.col("split") == "valid").join(scores, on="image")


def _strip(examples: list[dict[str, Any]], folder: Path, page: Path, say: Callable[..., str]) -> str:
    """The examples as HTML of a page, their images written into `folder`; `say` tells a block as text of HTML."""
    parts = [f'<div id="{PLACE}">', f"<p>{say('warning')}</p>"]
    for label, kind in ((1, "missed"), (0, "alarmed")):
        of_label = [(number, one) for number, one in enumerate(examples, 1) if one["label"] == label]
        parts += [f"<p><strong>{say(kind)}</strong></p>", '<div class="examples">'] if of_label else []
        for number, one in of_label:
            width, height = _copy(Path(one["path"]), file := folder / f"{number}.png")
            source = Path(os.path.relpath(file, page.parent)).as_posix()
            image = f'<img src="{source}" width="{width}" height="{height}" alt="{say("alt", e=one)}">'
            parts.append(f"<figure>{image}<figcaption>{say('caption', e=one)}</figcaption></figure>")
        parts += ["</div>"] if of_label else []
    return "\n".join([*parts, "</div>"])


def _copy(image: Path, file: Path) -> tuple[int, int]:
    """Write a small copy of an image, without what else its file says of the patient; returns its width and height."""
    small = Image.fromarray(np.asarray(grey_image(image)))
    small.thumbnail((SIDE, SIDE))
    file.parent.mkdir(parents=True, exist_ok=True)
    small.save(file)
    return small.size
