"""Training in this process: processes of their own would take longer to start than such small networks to train."""

import torch
from joblib import cpu_count

from lib.training import workers


def train_here(plan, tensors, missing, deadline=None) -> None:
    """As `workers.train_here`, with as many threads as its processes would have: sums depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, cpu_count() // min(len(workers.visible_gpus()) or cpu_count(), len(plan.runs))))
    for run in missing:
        workers.train_one(plan, tensors, *run)
    torch.set_num_threads(before)
