"""A plain training script, as one finds it, given the same start: what this project's speed is compared with.

torchvision's ImageFolder, PNG decoded in every epoch, RGB at 224 px, float32, the whole of EfficientNet-Lite0 from its
ImageNet weights, Adam, batches of 16, no worker processes, torch's own number of threads, valid judged after each epoch.
"""

from functools import partial
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.workers import Clock, Measured
from lib.files import write_whole
from lib.training.networks import efficientnet_lite0
from lib.training.networks.efficientnet_lite0 import EfficientNetLite0, SamePadConv2d

SIZE, BATCH = 224, 16
TRANSFORM = transforms.Compose(
    [
        transforms.Resize((SIZE, SIZE)),
        transforms.ToTensor(),
        transforms.Normalize([127 / 255] * 3, [128 / 255] * 3),  # as this network was trained
    ]
)
SICK = "malade"


def plain_network() -> EfficientNetLite0:
    """The network from ImageNet with three colours, two outputs and batch norms of its own."""
    network, tensors = EfficientNetLite0(), efficientnet_lite0.read_weights()
    stem = tensors["conv_stem.weight"]  # of grey images: the sum over the colours
    network.conv_stem = SamePadConv2d(3, stem.shape[0], 3, 2, bias=False)
    network.load_state_dict(tensors | {"conv_stem.weight": stem.expand(-1, 3, -1, -1) / 3}, strict=False)
    network.head = nn.Linear(network.head.in_features, 2)
    return network


class Reference:
    """The plain script on one folder `datadir/{train,valid}/{malade,sain}`."""

    def __init__(self, datadir: str, seed: int = 1):
        torch.manual_seed(seed)
        self.network = plain_network()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.train_set = ImageFolder(Path(datadir) / "train", TRANSFORM)
        self.valid_set = ImageFolder(Path(datadir) / "valid", TRANSFORM)

    def train(self, batches: int | None = None) -> Measured | None:
        """That many batches, after one that is not counted; or a whole epoch."""
        self.network.train()
        clock = None
        for done, (images, labels) in enumerate(DataLoader(self.train_set, BATCH, shuffle=True)):
            loss = nn.functional.cross_entropy(self.network(images), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss.item()
            clock = clock or Clock()
            if done == batches:
                return clock.read(done * BATCH)
        return None

    @torch.no_grad()
    def predict(self, batches: int) -> Measured:
        """The same for prediction, decoding included."""
        self.network.eval()
        clock, shown = None, 0
        for done, (images, _) in enumerate(DataLoader(self.valid_set, BATCH)):
            self.network(images).softmax(1)
            shown += len(images) if clock else 0
            clock = clock or Clock()
            if done == batches:
                break
        return clock.read(shown)

    @torch.no_grad()
    def auc(self) -> float:
        """AUC of sick on all of valid."""
        self.network.eval()
        labels = torch.tensor(self.valid_set.targets) == self.valid_set.class_to_idx[SICK]
        scores = torch.cat([self.network(images).softmax(1) for images, _ in DataLoader(self.valid_set, BATCH)])
        return float(roc_auc_score(labels, scores[:, self.valid_set.class_to_idx[SICK]]))

    def epoch(self, kept: str) -> list[float]:
        """One epoch more than the file `kept` holds, which then holds it, too; AUC on valid after each so far."""
        file, aucs = Path(kept), []
        if file.is_file():
            state = torch.load(file, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            aucs = state["aucs"]
        self.train()
        aucs = [*aucs, self.auc()]
        states = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        write_whole(file, partial(torch.save, {**states, "aucs": aucs}))
        return aucs
