"""A surrogate for transfer attacks: another network, trained on what the victim says."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

import torch
from omegaconf import DictConfig
from torch import nn

from zol2l.attacks.family import ConstrainedFamily
from zol2l.build import build, identity_of, plain
from zol2l.commands.objects import data_root
from zol2l.commands.train_victim import ensure_trained
from zol2l.optimizees.attack_family import predictions
from zol2l.victims.datasets import ImageData

log = logging.getLogger(__name__)

_surrogates: dict[str, nn.Module] = {}


def surrogate_of(cfg: DictConfig, surrogate: DictConfig, family: ConstrainedFamily) -> nn.Module:
    """The surrogate of the family's victim, trained on the victim's labels of all training images
    and cached as victims are. Its network is given the images' channels and size, and the classes.
    """
    key = family.identity + str(plain(surrogate)) + str(cfg.paths.data_root)
    if key not in _surrogates:
        _surrogates[key] = _train(cfg, surrogate, family)
    return _surrogates[key]


def _train(cfg: DictConfig, surrogate: DictConfig, family: ConstrainedFamily) -> nn.Module:
    data: ImageData = build(cfg.optimizee.victim.data, root=data_root(cfg))
    told = predictions(family.victim, data.train_images)
    log.info("The victim has labelled %d training images for the surrogate", len(told))
    relabelled = replace(data, train_labels=told, identity=data.identity + family.identity)
    shape = {"channels": data.train_images.shape[1], "size": data.train_images.shape[2]}
    classes = int(torch.cat([told, data.test_labels]).max()) + 1
    make = partial(build, surrogate.network, **shape, classes=classes)
    network, _ = ensure_trained(cfg, identity_of(surrogate), make, relabelled)
    return network
