"""The classifier as a Lightning module: weighted logistic loss, one-cycle AdamW, tune AUC each epoch."""

import pytorch_lightning as lightning
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits

from lib.training.network import augment, build, for_training, to_input
from lib.training.ranks import gather
from lib.training.settings import TrainingSettings


class Classifier(lightning.LightningModule):
    """Images (b, 1, h, w) uint8 -> logit of sick (b,); sigmoid of it is the score p."""

    def __init__(
        self,
        settings: TrainingSettings,
        seed: int,
        steps_per_epoch: int,
        initial: dict[str, torch.Tensor] | None = None,
        tune_images: int | None = None,
    ):
        super().__init__()
        self.tune_images = tune_images
        self.settings, self.seed, self.steps_per_epoch = settings, seed, steps_per_epoch
        self.network = for_training(build(initial))
        self.history: list[dict[str, float]] = []
        self._losses: list[torch.Tensor] = []
        self._tune: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = to_input(images)
        return ((self.network(x) + self.network(x.flip(-1))) / 2).squeeze(1).float()  # the image and its mirror

    def on_train_epoch_start(self) -> None:
        rank = (self.global_rank,) if self.global_rank else ()  # each device changes its images in its own way
        self._generator = torch.Generator().manual_seed(hash((self.seed, self.current_epoch, *rank)) % 2**62)

    def training_step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        images, labels, weights = batch
        size = self.settings.size_at(self.current_epoch)
        logits = self.network(augment(to_input(images), size, self._generator)).squeeze(1).float()
        loss = (binary_cross_entropy_with_logits(logits, labels, reduction="none") * weights).mean()
        self._losses.append(loss.detach())
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, ...]) -> None:
        self._tune.append((self(batch[0]).cpu(), batch[1].cpu()))

    def on_validation_epoch_end(self) -> None:
        logits, labels = (gather(part, self.tune_images).numpy() for part in zip(*self._tune, strict=True))
        self._tune.clear()
        auc = float(roc_auc_score(labels, logits))
        self.log("tune_auc", auc)
        if self._losses:
            loss = float(gather([torch.stack(self._losses)]).mean())
            self.history.append({"epoch": self.current_epoch + 1, "train_loss": loss, "tune_auc": auc})
            self._losses.clear()

    def predict_step(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return self(batch[0]).cpu()

    def configure_optimizers(self) -> dict:
        s = self.settings
        optimizer = torch.optim.AdamW(self.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay, fused=True)
        total = s.epochs * self.steps_per_epoch
        # a fifth of the way up, then down to nothing: the last epochs average the noise of small batches away
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, s.learning_rate, total_steps=total, pct_start=0.2)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]
