"""Where runs are trained. Nothing here is part of a run's key: the same run may be trained on any machine."""

from dataclasses import dataclass, field
from typing import Any

import torch

STRATEGIES = ("auto", "ddp")
PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class EngineSettings:
    """The `[compute]` table of `study.toml`; every entry may be left out."""

    engine: str = "local"  # or "slurm": every missing run is a job of one array, sent out by submitit
    devices: int = 1  # of one run and node, Lightning's; on a processor each device is a process
    nodes: int = 1  # of one run, Lightning's; more than one needs "slurm"
    strategy: str = "auto"  # Lightning's, of a run on several devices; "auto" is "ddp"
    precision: str = "auto"  # Lightning's; "auto" is bfloat16 where the hardware computes in it
    slurm: dict[str, Any] = field(default_factory=dict)  # submitit's `slurm_` parameters: partition, time, account...

    def __post_init__(self) -> None:
        for name, allowed in (("engine", ("local", "slurm")), ("strategy", STRATEGIES), ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(map(repr, allowed))}.")
        if min(self.devices, self.nodes) < 1:
            raise ValueError(f"devices {self.devices} and nodes {self.nodes} must be at least 1.")
        if self.nodes > 1 and self.engine == "local":
            raise ValueError(f"nodes is {self.nodes}; more than one needs engine = 'slurm'.")

    @property
    def ranks(self) -> int:
        """Processes that train one run together, one per device."""
        return self.devices * self.nodes

    def check(self, batch_size: int) -> None:
        """Raises ValueError when a batch cannot be divided equally among the devices of a run."""
        if batch_size % self.ranks:
            raise ValueError(
                f"devices x nodes is {self.ranks}; it must divide the batch of {batch_size}, which they share equally."
            )


def native_precision() -> str:
    """Lightning's precision for this machine: bfloat16 where the processor computes in it, else float32."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    # without such instructions bfloat16 is emulated, five times slower than float32
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if native else "32-true"
