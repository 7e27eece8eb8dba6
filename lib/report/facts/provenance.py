"""Where images and labels come from, as far as that is known from the name of their source."""

from typing import Any

from lib.names import DRAWN
from lib.report.registry import sentences
from lib.results import Results

NIH, PHANTOM, OTHER = "nih", "drawn", "other"
"""A source that names ChestX-ray is the NIH's; what a cohort drawn by this project says of itself is `DRAWN`; of any other nothing is known."""


@sentences("provenance")
def provenance(study: Results) -> dict[str, Any]:
    """What the template `provenance` is told: the kind of source, and whether the scores were `given`, made elsewhere."""
    name = study.manifest["cohort"]["source"]
    kind = PHANTOM if name == DRAWN else NIH if "chestx-ray" in name.lower() else OTHER
    return {"kind": kind, "source": name, "given": bool(study.manifest.get("of_predictions"))}
