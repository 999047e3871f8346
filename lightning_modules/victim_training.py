"""Train a classifier to be attacked."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics.classification import MulticlassAccuracy

from lightning_modules.augmentation import augmented
from zol2l.errors import require
from zol2l.maximizers import Draws
from zol2l.victims.datasets import ImageData

TEST_BATCH = 500


class VictimTraining(pl.LightningModule):
    """Cross-entropy, SGD with Nesterov momentum 0.9, one-cycle learning rate up to `rate`; with
    `augment` each batch of images is cropped and reflected at random, by `seed`.
    """

    KEPT = ("streams",)
    """What its checkpoints have beside Lightning's own."""

    def __init__(
        self,
        network: nn.Module,
        rate: float = 0.1,
        classes: int = 10,
        augment: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        require(rate > 0, "optimizee.victim.training.rate", rate, "a positive learning rate")
        self.network = network.to(memory_format=torch.channels_last)
        self.rate, self.augment = rate, augment
        self.generator = torch.Generator().manual_seed(seed)
        self.accuracy = MulticlassAccuracy(classes, average="micro")
        self._restored: Tensor | None = None

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        images, labels = batch
        if self.augment:
            images = augmented(images, Draws.of(self.generator, len(images)))
        loss = cross_entropy(self.network(images), labels)
        self.log("victim/train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        images, labels = batch
        self.accuracy(self.network(images), labels)
        self.log("victim/test_accuracy", self.accuracy, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the random streams of dropout and augmentation: resuming is exact."""
        checkpoint["streams"] = torch.get_rng_state(), self.generator.get_state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the streams up again; dropout's at the start, after Lightning's own draws."""
        self._restored, augmentation = checkpoint["streams"]
        self.generator.set_state(augmentation)

    def on_train_start(self) -> None:
        """See on_load_checkpoint."""
        if self._restored is not None:
            torch.set_rng_state(self._restored)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(
            self.network.parameters(), lr=self.rate, momentum=0.9, nesterov=True
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.rate, total_steps=steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class VictimData(pl.LightningDataModule):
    """Shuffled training batches and the whole test set."""

    def __init__(self, data: ImageData, batch_size: int = 128, seed: int = 0) -> None:
        super().__init__()
        require(batch_size >= 1, "victim.training.batch_size", batch_size, "at least 1")
        self.data, self.batch_size = data, batch_size
        self.generator = torch.Generator().manual_seed(seed)

    def train_dataloader(self) -> DataLoader[Any]:
        dataset = TensorDataset(self.data.train_images, self.data.train_labels)
        return DataLoader(
            dataset, self.batch_size, shuffle=True, drop_last=True, generator=self.generator
        )

    def state_dict(self) -> dict[str, Any]:
        """Where the stream of random orders is."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with it."""
        self.generator.set_state(state["generator"])

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(TensorDataset(self.data.test_images, self.data.test_labels), TEST_BATCH)
