"""A surrogate for transfer attacks: another network, trained on what the victim says."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from zol2l.chunks import predictions
from zol2l.commands.build import build, identity_of, plain
from zol2l.commands.folders import data_root
from zol2l.commands.train_victim import ensure_trained
from zol2l.data.cache import cache_folder
from zol2l.data.datasets import ImageData
from zol2l.optimizees.constrained_family import ConstrainedFamily
from zol2l.storage.bad_files import intact
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.weights_file import read_signed, save_signed

log = logging.getLogger(__name__)

_surrogates: dict[str, nn.Module] = {}


def surrogate_of(cfg: DictConfig, surrogate: DictConfig, family: ConstrainedFamily) -> nn.Module:
    """The surrogate of the family's victim, trained on the victim's labels of all training images
    and cached as victims are. Its network is given the images' channels and size, and the classes.
    """
    key = family.identity + str(plain(surrogate)) + str(cfg.paths.data_root)
    if key not in _surrogates:
        _surrogates[key] = _train(cfg, surrogate, family)
    return _surrogates[key].to(family.device)


def _train(cfg: DictConfig, surrogate: DictConfig, family: ConstrainedFamily) -> nn.Module:
    data: ImageData = build(cfg.optimizee.victim.data, root=data_root(cfg))
    told = _labels(cfg, data, family)
    relabelled = replace(data, train_labels=told, identity=data.identity + family.identity)
    shape = {"channels": data.train_images.shape[1], "size": data.train_images.shape[2]}
    classes = int(torch.cat([told, data.test_labels]).max()) + 1
    make = partial(build, surrogate.network, **shape, classes=classes)
    network, _ = ensure_trained(cfg, identity_of(surrogate), make, relabelled)
    return network


def _labels(cfg: DictConfig, data: ImageData, family: ConstrainedFamily) -> Tensor:
    """What the victim takes the training images for, asked once."""
    asked = {"victim": identity_of(cfg.optimizee.victim), "weights": family.identity}
    path = cache_folder(data_root(cfg), "labels") / f"{fingerprint(asked)}.safetensors"
    kept = intact(path, read_signed)
    if kept is not None:
        return kept[0]["labels"]
    told = predictions(family.victim, data.train_images)
    save_signed(path, {"labels": told}, {})
    log.info("The victim has labelled %d training images for the surrogate, %s", len(told), path)
    return told
