"""Training in this process, and of a network that is no work: processes and large networks would take longer to start than to train."""

import os

import torch
from joblib import cpu_count
from torch import nn

from lib.training import workers
from lib.training.networks import Network


def train_here(plan, tensors, missing, deadline=None) -> None:
    """As `workers.train_here`, with as many threads as its processes would have: sums depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, cpu_count() // min(len(workers.visible_gpus()) or cpu_count(), len(plan.runs))))
    for run in missing:
        workers.train_one(plan, tensors, *run)
    torch.set_num_threads(before)


def killed(*_) -> None:
    """In place of `workers.train_one`."""
    os._exit(9)


class TinyNetwork(Network):
    """With all that a checkpoint must bring back: trained weights and the running statistics of a batch norm."""

    def __init__(self) -> None:
        super().__init__(8)
        self.conv, self.bn = nn.Conv2d(1, 8, 5, 4), nn.BatchNorm2d(8)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(x)).relu()
