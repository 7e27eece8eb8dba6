"""The biases that can be planted, each by a dial from 0 (absent) to 1, and what an audit ought to find of each."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Annotated

import pydantic
from pydantic import Field

from lib.schema import CONFIG, in_one_sentence

Share = Annotated[float, Field(ge=0, le=1)]


@in_one_sentence
@pydantic.dataclasses.dataclass(frozen=True, config=CONFIG)
class Dials:
    """How strongly each bias is planted. `NULL` plants nothing: recorded groups say nothing about image or disease."""

    nature: Share = 1.0
    """Groups look, fall ill and are filmed as in the public metadata; at 0 every group is drawn from the same mixture."""
    prevalence: Share = 0.0
    """Women are sick more often than men: by 50 points at 1."""
    representation: Share = 0.0
    """Women are missing from train: 9 in 10 of them at 1. Nothing changes in valid."""
    shortcut: Share = 0.0
    """In AP, the disc under the side marker goes with the label: 98 % of the sick and 2 % of the healthy at 1."""
    visibility: Share = 0.0
    """Findings show less in women: 15 % of their contrast is left at 1."""
    label_noise: Share = 0.0
    """Sick AP images are labelled healthy: 6 in 10 at 1."""
    exposure: Share = 0.0
    """AP films are flatter and brighter: 60 % less contrast at 1."""
    simpson: Share = 0.0
    """Women are sick more often in each view but, being filmed in AP less often, less often in all: a reversal."""


NULL = Dials(nature=0.0)
DEFAULT = Dials(visibility=0.7, exposure=0.4, shortcut=0.3)
"""What `python -m lib demo` plants."""


def read_dials(settings: Iterable[str], base: Dials) -> Dials:
    """`base` with dials set by texts such as `visibility=0.7`. Raises ValueError, in one sentence, for any other text."""
    changed: dict[str, str | float] = dict(text.partition("=")[::2] for text in settings)
    for name, value in changed.items():
        with suppress(ValueError):
            changed[name] = float(value)
    return Dials(**asdict(base) | changed)


@dataclass(frozen=True)
class Effect:
    """What a planted dial does: `table` of the results, the row to look at, and the sign to find there."""

    table: str
    attribute: str
    metric: str
    contrast: str
    sign: int
    words: str


EFFECTS: dict[str, Effect] = {
    "prevalence": Effect("composition", "sex", "prevalence", "F - M", 1, "women are sick more often"),
    "representation": Effect("composition", "sex", "share of train", "F - valid", -1, "women are rarer in train"),
    "simpson": Effect("pairs", "sex", "reversal within view", "F - M", -1, "the sign by sex turns within each view"),
    "exposure": Effect("exposure", "view", "contrast", "AP - PA", -1, "AP films are less contrasted"),
    "visibility": Effect("gaps", "sex", "tpr", "F - M", -1, "sick women are missed more often"),
    "shortcut": Effect("gaps", "view", "auc", "AP - PA", 1, "disease is told more easily in AP"),
    "label_noise": Effect("label_mixture", "view", "aligned", "AP", 1, "healthy AP films score as sick ones do"),
}
