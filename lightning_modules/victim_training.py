"""Train a classifier to be attacked."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from lightning_modules.augmentation import augmented
from lightning_modules.counted_training import CountedTraining
from zol2l.chunks import predictions
from zol2l.errors import require
from zol2l.maximizers import Draws
from zol2l.victims.datasets import ImageData
from zol2l.victims.modes import evaluating

FIELD = "optimizee.victim.training"


class VictimTraining(CountedTraining):
    """Cross-entropy, SGD with Nesterov momentum 0.9, one-cycle learning rate up to `rate`; with
    `augment` each batch of images is cropped and reflected at random.
    """

    GROUP = "victim"
    RATE = f"{FIELD}.rate"

    def __init__(
        self,
        network: nn.Module,
        data: ImageData,
        *,
        rate: float,
        epochs: int,
        batch_size: int,
        augment: bool = False,
        seed: int = 0,
    ) -> None:
        images = len(data.train_images)
        require(images > 0, "data.train", None, "images to train the victim on")
        fits = 1 <= batch_size <= images
        require(fits, f"{FIELD}.batch_size", batch_size, f"1 to {images}")
        require(epochs >= 1, f"{FIELD}.epochs", epochs, "at least 1")
        require(rate > 0, f"{FIELD}.rate", rate, "a positive learning rate")
        super().__init__(
            images, epochs=epochs, batch_size=batch_size, accumulate=1, seed=seed,
            field=f"{FIELD}.batch_size",
        )  # fmt: skip
        self.network = network.to(memory_format=torch.channels_last)
        self.data, self.rate, self.augment = data, rate, augment

    def batch_loss(self, rows: Tensor, draws: Draws) -> Tensor:
        """The mean cross-entropy of the images."""
        images, labels = self.data.train_images[rows], self.data.train_labels[rows]
        if self.augment:
            images = augmented(images, draws)
        loss = cross_entropy(self.network(images.to(self.device)), labels.to(self.device))
        self.log("victim/train_loss", loss.detach(), prog_bar=True)
        return loss

    def move(self) -> None:
        """One step of SGD."""
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()

    def figures(self) -> dict[str, float]:
        """The accuracy on all test images."""
        with evaluating(self.network):
            found = predictions(self.network, self.data.test_images.to(self.device))
        right = found.cpu() == self.data.test_labels
        return {"test_accuracy": right.double().mean().item()}

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(
            self.network.parameters(), lr=self.rate, momentum=0.9, nesterov=True
        )
        return [optimizer], [OneCycleLR(optimizer, self.rate, total_steps=self.total_updates)]
