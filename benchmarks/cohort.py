"""A drawn cohort in the course's layout and of its kind of files: grey PNG of 256 x 256 pixels."""

from pathlib import Path

import numpy as np
from PIL import Image

HEADER = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position,WEIGHTS"


def draw_cohort(folder: Path, images: int = 1000, size: int = 256) -> Path:
    """Smooth shapes under noise, so that a file takes as many bytes as a radiograph's; a fifth is in valid."""
    draw = np.random.default_rng(1)
    y, x = np.mgrid[:size, :size] / size - 0.5
    lines = [HEADER]
    for k in range(images):
        label, split = k % 2, "valid" if k % 5 == 0 else "train"
        place = folder / split / ("sain", "malade")[label]
        place.mkdir(parents=True, exist_ok=True)
        grey = 140 - 90 * np.exp(-((np.abs(x) - 0.2) ** 2 + y**2 / 3) * 30) + draw.normal(0, 4, (size, size))
        grey += 40 * label * (np.hypot(x - draw.uniform(-0.2, 0.2), y - draw.uniform(-0.2, 0.2)) < 0.1)
        Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(place / f"{k:06}.png")
        lines.append(f"{k:06}.png,{('No Finding', 'Mass')[label]},{k},50,F,PA,1")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder
