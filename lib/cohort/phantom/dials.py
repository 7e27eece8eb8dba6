"""The biases that can be planted, each by a dial from 0 (absent) to 1, and what an audit ought to find of each."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Dials:
    """How strongly each bias is planted. `NULL` plants nothing: recorded groups say nothing about image or disease."""

    nature: float = 1.0
    """Groups look, fall ill and are filmed as in the public metadata; at 0 every group is drawn from the same mixture."""
    prevalence: float = 0.0
    """Women are sick more often than men: by 50 points at 1."""
    representation: float = 0.0
    """Women are missing from train: 9 in 10 of them at 1. Nothing changes in valid."""
    shortcut: float = 0.0
    """In AP, the disc under the side marker goes with the label: 98 % of the sick and 2 % of the healthy at 1."""
    visibility: float = 0.0
    """Findings show less in women: 15 % of their contrast is left at 1."""
    label_noise: float = 0.0
    """Sick AP images are labelled healthy: 6 in 10 at 1."""
    exposure: float = 0.0
    """AP films are flatter and brighter: 60 % less contrast at 1."""
    simpson: float = 0.0
    """Women are sick more often in each view but, being filmed in AP less often, less often in all: a reversal."""

    def __post_init__(self) -> None:
        for dial in fields(self):
            value = getattr(self, dial.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"the dial {dial.name} is {value!r}; allowed is a number from 0 to 1.")


NULL = Dials(nature=0.0)
DEFAULT = Dials(visibility=0.7, exposure=0.4, shortcut=0.3)
"""What `python -m lib demo` plants."""


def read_dials(settings: Iterable[str], base: Dials) -> Dials:
    """`base` with dials set by texts such as `visibility=0.7`. Raises ValueError, in one sentence, for any other text."""
    changed = {}
    for text in settings:
        name, _, value = text.partition("=")
        if name not in (dials := [dial.name for dial in fields(Dials)]):
            raise ValueError(f"{name!r} is no dial; allowed are {', '.join(dials)}.")
        try:
            changed[name] = float(value)
        except ValueError:
            raise ValueError(f"the dial {name} is {value!r}; allowed is a number from 0 to 1.") from None
    return replace(base, **changed)


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
