"""The classifier as a Lightning module: weighted logistic loss, one-cycle AdamW, tune AUC each epoch; and what it predicts."""

import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pytorch_lightning as lightning
import torch
from joblib import cpu_count
from sklearn.metrics import roc_auc_score
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, grid_sample

from lib.training.networks import Network, build, fold_norms
from lib.training.settings import TrainingSettings

BATCH = 32
"""Images that a core predicts at once; larger batches leave its caches."""


class Classifier(lightning.LightningModule):
    """Images (b, 1, h, w) uint8 -> logit of sick (b,); sigmoid of it is the score p.

    In training it also says which of `findings` findings there are, from the same features: which finding makes an
    image sick teaches more than that one does. What it says of them is not kept.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        seed: int,
        steps_per_epoch: int,
        initial: dict[str, torch.Tensor] | None = None,
        *,
        findings: int = 0,
    ):
        super().__init__()
        self.settings, self.seed, self.steps_per_epoch = settings, seed, steps_per_epoch
        self.network = build(settings.network, settings.initial_weights, initial, standardize=settings.standardize)
        self.network.dropout.p = settings.dropout
        if findings:
            self.findings = torch.nn.Linear(self.network.head.in_features, findings)
            torch.nn.init.zeros_(self.findings.weight)
            torch.nn.init.zeros_(self.findings.bias)
        if settings.initial_weights != "none":
            self.network.freeze(settings.frozen_blocks)
        self.history: list[dict[str, float]] = []
        self._losses: list[torch.Tensor] = []
        self._tune: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.network.to_input(images)
        return ((self.network(x) + self.network(x.flip(-1))) / 2).squeeze(1).float()  # the image and its mirror

    def on_train_epoch_start(self) -> None:
        self._generator = torch.Generator().manual_seed(hash((self.seed, self.current_epoch)) % 2**62)

    def training_step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        images, labels, findings, weights = batch
        size = self.settings.size_at(self.current_epoch)
        shown = augment(self.network.to_input(images), size, self._generator)
        features = self.network.dropout(self.network.embed(shown))
        logits = self.network.head(features).squeeze(1).float()
        losses = binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if findings.shape[1]:
            single = binary_cross_entropy_with_logits(self.findings(features).float(), findings, reduction="none")
            losses = losses + self.settings.findings_weight * single.mean(1)
        loss = (losses * weights).mean()
        self._losses.append(loss.detach())
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, ...]) -> None:
        self._tune.append((self(batch[0]).cpu(), batch[1].cpu()))

    def on_validation_epoch_end(self) -> None:
        logits, labels = (torch.cat(part).numpy() for part in zip(*self._tune, strict=True))
        self._tune.clear()
        auc = float(roc_auc_score(labels, logits))
        self.log("tune_auc", auc)
        if self._losses:
            loss = float(torch.stack(self._losses).mean())
            self.history.append({"epoch": self.current_epoch + 1, "train_loss": loss, "tune_auc": auc})
            self._losses.clear()

    def predict_step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return self(batch[0]).cpu()

    def configure_optimizers(self) -> dict:
        s = self.settings
        trained = [p for p in self.parameters() if p.requires_grad]
        groups = [  # biases and batch norms are not shrunk: that would only shift what they centre
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": s.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        fused = s.precision == "32-true"  # Lightning clips no gradients of a fused optimizer in mixed precision
        optimizer = torch.optim.AdamW(groups, lr=s.learning_rate, fused=fused)
        total = s.epochs * self.steps_per_epoch
        # a fifth of the way up, then down to nothing: the last steps average the noise of small batches away
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, s.learning_rate, total_steps=total, pct_start=0.2)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]


def augment(x: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Random mirror, rotation (10 degrees), zoom (10 %), shift (6 %), contrast (20 %) and brightness of (b, 1, h, w).

    The result is (b, 1, size, size)."""

    def between(low: float, high: float) -> torch.Tensor:
        return torch.rand(len(x), generator=generator).mul(high - low).add(low).to(x.device)

    angle, zoom = between(-0.175, 0.175), between(0.9, 1.1)
    mirror = torch.sign(between(-1, 1))
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta = torch.stack([cos * mirror, -sin, between(-0.12, 0.12), sin * mirror, cos, between(-0.12, 0.12)], 1)
    grid = affine_grid(theta.view(-1, 2, 3), [len(x), 1, size, size], align_corners=False)
    moved = grid_sample(x, grid, padding_mode="border", align_corners=False)
    shade = between(0.8, 1.2).view(-1, 1, 1, 1), between(-0.2, 0.2).view(-1, 1, 1, 1)
    return (moved * shade[0] + shade[1]).contiguous(memory_format=torch.channels_last)


def outputs(network: Network, pixels: np.ndarray, rows: np.ndarray, *, mirror: bool = True) -> np.ndarray:
    """The network's outputs (len(rows), k) float32 for the images `pixels` (n, h, w) uint8 at `rows`, in their order.

    With `mirror` they are the mean of the image's and its mirror image's, as in training: twice the arithmetic. On a
    processor each core takes batches of its own.
    """
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    network = fold_norms(deepcopy(network).eval()).to(device, memory_format=torch.channels_last)
    size = 512 if gpu else BATCH

    @torch.inference_mode()
    def one(start: int) -> np.ndarray:
        x = network.to_input(torch.from_numpy(pixels[rows[start : start + size]]).unsqueeze(1).to(device))
        y = (network(x) + network(x.flip(-1))) / 2 if mirror else network(x)
        return y.float().cpu().numpy()

    workers = 1 if gpu else max(1, min(cpu_count(), -(-len(rows) // size)))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            parts = list(pool.map(one, range(0, len(rows), size)))
    finally:
        torch.set_num_threads(before)
    return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)


def processor_knows_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16, so that it is not emulated."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def fastest_precision(settings: TrainingSettings, steps: int = 3) -> str:
    """Lightning's name of the precision in which steps of this network take less time on this machine.

    float32 and bfloat16 are timed in turn, `steps` steps each after one to warm up, by processor time (on a GPU: wall
    time). Which is faster depends on the network and on the machine: on a processor that computes in bfloat16, ResNet-18
    gains and EfficientNet-Lite0, made of depthwise convolutions, loses.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return "32-true"
    if device.type == "cpu" and not processor_knows_bfloat16():
        return "32-true"  # emulated, five times slower
    with torch.random.fork_rng():
        network = Classifier(settings, 0, 1).network.to(device).train()
        images = torch.zeros(settings.batch_size, 1, settings.image_size, settings.image_size, dtype=torch.uint8)
        x = network.to_input(images.to(device))
        least = {"32-true": float("inf"), "bf16-mixed": float("inf")}
        for turn in range(steps + 1):
            for precision in least:
                began = device_seconds(device)
                with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
                    loss = network(x).float().square().mean()
                loss.backward()
                if turn:
                    least[precision] = min(least[precision], device_seconds(device) - began)
    return min(least, key=least.get)


def device_seconds(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()
