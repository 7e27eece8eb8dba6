"""Tables of the further questions: demands, intersections, calibration, amplification, strata, probes."""

from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    NO_TARGET,
)
from lib.report import words
from lib.report.tables.cells import table
from lib.results import Results

BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}


def visits(results: Results) -> GT:
    """Patients, and their images, by how many images they have."""
    rows: dict[int, dict[str, str]] = {}
    splits = results.visits["split"].unique(maintain_order=True).to_list()
    for row in results.visits.to_dicts():
        least, most = row["least"], row["most"]
        name = f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"
        own = rows.setdefault(least, {"images": name})
        own |= {f"{row['split']}_{what}": words.count(row[what]) for what in ("patients", "images")}
    labels = {f"{split}_{what}": what for split in splits for what in ("patients", "images")}
    gt = table(list(rows.values()), labels, stub="images", right=list(labels))
    for split in splits:
        gt = gt.tab_spanner(split, [f"{split}_{what}" for what in ("patients", "images")])
    return gt
