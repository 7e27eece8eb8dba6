"""From a course folder to a validated frame and a memory map of pixels."""

from lib.cohort.images import Pixels, load_pixels
from lib.cohort.reader import Cohort, CohortError, read_cohort, require_both_classes

__all__ = ["Cohort", "CohortError", "Pixels", "load_pixels", "read_cohort", "require_both_classes"]
