"""Whether the labels of a data set mean what a victim's outputs mean."""

from __future__ import annotations

from torch import nn

from zol2l.data.datasets import ImageData
from zol2l.errors import require
from zol2l.networks.convolutional import class_count


def check_labels(network: nn.Module, data: ImageData, comes_trained: bool) -> None:
    """Refuse images that `network` cannot take, and labels that cannot be its classes.

    To a network that `comes_trained`, a folder's place in the alphabet is its class number only if
    all its classes are there (ImageNet's 1,000 folders); of fewer, the data must know the numbers.
    """
    outputs = class_count(network, data.test_images)
    present = [labels for labels in (data.train_labels, data.test_labels) if len(labels)]
    highest = max(int(labels.max()) for labels in present)
    allowed = f"more than {highest}, the highest class number of the data"
    require(highest < outputs, "optimizee.victim.network.classes", outputs, allowed)
    folders = data.alphabetical
    told = (
        f"the victim came trained on {outputs} classes, the data has {len(folders)} class folders"
        f" ({', '.join(folders[:3])}, ...): name each by its class number, or say which it is with"
        f" data.classes={{FOLDER: NUMBER, ...}}"
    )
    require(not comes_trained or len(folders) in (0, outputs), "data.classes", None, told)
