"""What a study trains, and where it keeps it."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lib.training.engine import EngineSettings
from lib.training.settings import TrainingSettings
from lib.training.store import finished_run


@dataclass(frozen=True)
class Plan:
    """Every (weighting, seed) to train on one cohort. `frame` holds readable images only; `store` keeps the runs."""

    frame: pl.DataFrame
    cohort_key: str
    settings: TrainingSettings
    weightings: tuple[str, ...]
    seeds: tuple[int, ...]
    store: Path
    pixels: Path
    engine: EngineSettings = EngineSettings()  # noqa: RUF009 (frozen)

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(weighting, seed), weighting by weighting."""
        return [(w, s) for w in self.weightings for s in self.seeds]

    def folder(self, weighting: str, seed: int) -> Path:
        return self.store / self.settings.run_key(self.cohort_key, weighting, seed)

    def missing(self) -> list[tuple[str, int]]:
        """The runs that are not finished."""
        return [(w, s) for w, s in self.runs if finished_run(self.folder(w, s), w, s) is None]
