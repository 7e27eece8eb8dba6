"""From a course folder to a validated frame and a memory map of pixels."""

from lib.cohort.archive import unpack
from lib.cohort.images import Pixels, load_pixels
from lib.cohort.layout import CohortError
from lib.cohort.reader import Cohort, list_images, read_cohort, readable, readable_images, with_digest

__all__ = [
    "Cohort",
    "CohortError",
    "Pixels",
    "list_images",
    "load_pixels",
    "read_cohort",
    "readable",
    "readable_images",
    "unpack",
    "with_digest",
]
