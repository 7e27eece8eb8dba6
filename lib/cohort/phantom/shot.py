"""What an image of the phantom is drawn from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shot:
    """All that an image is drawn from. `patient` and `visit` number it: equal numbers and seed give equal pixels."""

    patient: int
    visit: int
    female: bool
    age: int
    ap: bool
    findings: tuple[str, ...] = ()
    strength: float = 1.0
    """How strongly the findings show: 1 plainly, 0 not at all."""
    poor: float = 0.0
    """How much flatter than usual the film is, 0 to 1."""
    disc: bool = False
    """The side marker is on a disc."""
