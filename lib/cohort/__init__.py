"""From a course folder to a validated frame and a memory map of pixels."""

from lib.cohort.archive import unpack
from lib.cohort.images import Pixels, load_pixels
from lib.cohort.readable import readable
from lib.cohort.reader import Cohort, CohortError, list_images, read_cohort, require_both_classes, with_digest

__all__ = [
    "Cohort",
    "CohortError",
    "Pixels",
    "list_images",
    "load_pixels",
    "read_cohort",
    "readable",
    "require_both_classes",
    "unpack",
    "with_digest",
]
