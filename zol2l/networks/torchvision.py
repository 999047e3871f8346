"""Classifiers of torchvision, trained on ImageNet by others (Inception-v3: Szegedy et al. 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zol2l.errors import InvalidInput, require
from zol2l.networks.convolutional import Normalize

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels; all classifiers of torchvision are trained on images so normalized."""

OPTIONS = {
    "inception_v3": {"transform_input": True, "init_weights": True},
    "googlenet": {"transform_input": True, "init_weights": True},
}
"""These two were trained elsewhere, on [-1, 1]: they turn torchvision's normalization into it."""

WEIGHTS = "weights"


def torchvision_classifier(
    name: str = "inception_v3", weights: str | None = "DEFAULT", classes: int = 1000, seed: int = 0
) -> nn.Sequential:
    """A classifier of torchvision (inception_v3, vgg16, resnet50, ...): images in [0, 1], logits.

    `weights` is one of torchvision's names for published ones (DEFAULT: the best), downloaded when
    first needed; or a file with a state dict, .safetensors or what torch.save wrote; or null for
    random weights drawn by `seed`. No file is unpickled beyond tensors.
    """
    from torchvision import models

    known = models.list_models(module=models)
    allowed = "a classifier of torchvision, such as inception_v3, vgg16 or resnet50"
    require(name in known, "name", name, allowed)
    published = models.get_model_weights(name)
    if weights is not None and weights in published.__members__:
        network = _published(name, published[weights], classes)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            options = {"num_classes": classes, **OPTIONS.get(name, {})}
            network = models.get_model(name, weights=None, **options)
        if weights is not None:
            _fill(network, weights, name, ", ".join(published.__members__))
    return nn.Sequential(Normalize(MEAN, STD), network).eval()


def _published(name: str, weights: Any, classes: int) -> nn.Module:
    """The network with weights that torchvision knows: downloaded where they are not cached, their
    hash is checked. They are read once by the safe unpickler before torchvision itself reads them.
    """
    from torchvision import models

    known = len(weights.meta["categories"])
    require(classes == known, "classes", classes, f"{known}: {weights}")
    try:
        weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
        network: nn.Module = models.get_model(name, weights=weights, progress=False)
    except Exception as error:  # of the network, of the file system, of the hash, of torch.load
        allowed = (
            f"{weights.url} is not in torch's cache ({torch.hub.get_dir()}) and could not be"
            f" downloaded ({error}); name a file with a state dict, or null for random weights"
        )
        raise InvalidInput(WEIGHTS, weights.name, allowed) from error
    return network


def _fill(network: nn.Module, weights: str, name: str, names: str) -> None:
    path = Path(weights).expanduser()
    require(path.is_file(), WEIGHTS, weights, f"one of {names}, a file with a state dict, or null")
    try:
        network.load_state_dict(_read(path))
    except Exception as error:  # torch.load and safetensors raise many kinds
        told = str(error).splitlines()[0]
        raise InvalidInput(WEIGHTS, weights, f"no state dict of {name}: {told}") from error


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    loaded: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded
