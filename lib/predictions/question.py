"""The request for an audit, and the question that its files make once they are read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lib.names import BASELINE_POSTPROCESSING, Attribute
from lib.tabular import AttributeSpec, Columns
from lib.tabular.attributes import Codes


@dataclass(frozen=True)
class Request:
    """The arguments of `audit_predictions`, which says what they are."""

    files: Sequence[str | Path] | str | Path
    metadata: str | Path | None = None
    baseline: str | None = None
    valid: str | Path | None = None
    codes: Codes | str = ""
    score: Sequence[str] | str = ()
    image: str | None = None
    patient: str | None = None
    label: str | None = None
    decision: str | None = None
    split: str | None = None
    attributes: Sequence[str | AttributeSpec] | None = None
    like: str | None = None
    threshold: float | None = None
    postprocess: Sequence[str] = ()
    target: Sequence[str] = ()
    folds: int = 5
    margin: float = 0.05
    smallest_cell: int = 20

    @property
    def columns(self) -> Columns:
        """The columns that are named in other words. Raises `PredictionError` for a `like` that is not known."""
        roles = ("image", "patient", "label", "decision", "split")
        return Columns({role: name for role in roles if (name := getattr(self, role))}, self.like)


@dataclass(frozen=True, eq=False)
class Question:
    """The images to audit, and what every method says of them. In tables, the baseline is the method `uniform`."""

    request: Request
    rows: pl.DataFrame
    """Of n images: `image`, `patient`, `label`, and a column per attribute."""
    attributes: dict[str, Attribute]
    scores: dict[str, np.ndarray]
    """(S, n) by method, of S networks."""
    decisions: dict[str, np.ndarray]
    """(S, n) by method, 1 = called sick."""
    hard: frozenset[str]
    """Methods that have decisions only."""
    methods: dict[str, str]
    """Names of the methods by those in tables."""
    files: tuple[str, ...]
    notices: tuple[str, ...]
    """Sentences on what was done."""
    warnings: tuple[str, ...]
    """Sentences on what may mislead."""
    held_out: bool
    """Whether no image is known to be of training."""
    target: tuple[str, ...]
    """Attributes that post-processings are fitted for."""
    preferences: dict[str, Any]
    """What a recommendation is computed from."""

    @property
    def size(self) -> dict[str, Any]:
        """`images`, `patients` and `sick_share`."""
        patients, sick = self.rows["patient"].n_unique(), float(self.rows["label"].mean())
        return {"images": self.rows.height, "patients": patients, "sick_share": sick}

    @property
    def unknown(self) -> dict[str, int]:
        """Images of which an attribute is not known."""
        return {name: self.rows[name].null_count() for name in self.attributes}

    @property
    def key(self) -> str:
        """Equal for equal images, truths, scores and decisions."""
        digest = hashlib.blake2b(self.rows.select("image", "label", "patient").write_csv().encode(), digest_size=16)
        for name, scores in self.scores.items():
            digest.update(name.encode() + scores.tobytes() + self.decisions[name].tobytes())
        return digest.hexdigest()

    @property
    def networks(self) -> dict[str, int]:
        """How many there are of each method."""
        return {name: len(scores) for name, scores in self.scores.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """The request as results record it."""
        request = self.request
        return {
            "threshold": request.threshold,
            "margin": request.margin,
            "smallest_cell": request.smallest_cell,
            "folds": request.folds if request.postprocess else 0,
            "target": list(self.target),
            "preferences": self.preferences,
            "postprocessings": list(dict.fromkeys([BASELINE_POSTPROCESSING, *request.postprocess])),
        }


@dataclass(frozen=True, eq=False)
class Audited(Question):
    """The question with its answer: `tables` of the audit, and the rules that post-processing would use (`deployed`)."""

    tables: dict[str, pl.DataFrame]
    deployed: list[dict[str, Any]]
