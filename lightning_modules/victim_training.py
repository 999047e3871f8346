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
from zol2l.data.datasets import ImageData
from zol2l.errors import require
from zol2l.maximizers import Draws
from zol2l.networks.modes import evaluating
from zol2l.networks.training import Training


class VictimTraining(CountedTraining):
    """Cross-entropy, SGD with Nesterov momentum 0.9, one-cycle learning rate up to `rate`; with
    `augment` each batch of images is cropped and reflected at random.
    """

    GROUP = "victim"
    RATE = "optimizee.victim.training.rate"

    def __init__(
        self,
        network: nn.Module,
        data: ImageData,
        training: Training,
    ) -> None:
        images = len(data.train_images)
        require(images > 0, "train", None, "images to train the victim on")
        super().__init__(
            images, epochs=training.epochs, batch_size=training.batch_size, accumulate=1,
            seed=training.seed,
        )  # fmt: skip
        self.network = network.to(memory_format=torch.channels_last)
        self.data, self.rate, self.augment = data, training.rate, training.augment

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
