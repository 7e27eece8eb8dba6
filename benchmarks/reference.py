"""A plain training script, as one finds it: what this project's speed is compared with.

torchvision's ImageFolder, PNG decoded in every epoch, RGB at 224 px, float32, ResNet-18, Adam, batches of 16, no worker
processes, torch's own number of threads.
"""

from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.models import resnet18

from benchmarks.workers import Clock, Measured

SIZE, BATCH = 224, 16
TRANSFORM = transforms.Compose(
    [
        transforms.Resize((SIZE, SIZE)),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


class Reference:
    """The plain script on one folder `datadir/{train,valid}/{malade,sain}`."""

    def __init__(self, datadir: str):
        torch.manual_seed(1)
        self.network = resnet18(num_classes=2)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.train_set = ImageFolder(Path(datadir) / "train", TRANSFORM)
        self.valid_set = ImageFolder(Path(datadir) / "valid", TRANSFORM)

    def train(self, batches: int) -> Measured:
        """That many batches, after one that is not counted."""
        self.network.train()
        for done, (images, labels) in enumerate(DataLoader(self.train_set, BATCH, shuffle=True)):
            loss = nn.functional.cross_entropy(self.network(images), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss.item()
            if done == 0:
                clock = Clock()
            if done == batches:
                break
        return clock.read(done * BATCH)

    @torch.no_grad()
    def predict(self, batches: int) -> Measured:
        """The same for prediction, decoding included."""
        self.network.eval()
        for done, (images, _) in enumerate(DataLoader(self.valid_set, BATCH)):
            self.network(images).softmax(1)
            if done == 0:
                clock = Clock()
            if done == batches:
                break
        return clock.read(done * BATCH)
