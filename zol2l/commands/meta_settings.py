"""The settings of meta-training that each learned part has, and how messages name them."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from zol2l.commands.build import identity_of, key_as_typed, with_whole_key
from zol2l.errors import InvalidInput

ELSEWHERE = ("truncation", "batch_size", "gradient", "curriculum")
"""Settings of meta-training that are not handed to `MetaTraining` as they are."""


def settings_of_part(cfg: DictConfig, method: DictConfig, part: str) -> dict[str, Any]:
    """All settings of meta-training, with the part's own meta-steps and rate."""
    settings = identity_of(cfg.meta_training)
    settings["meta_steps"] = _meta_steps(cfg, method)[part]
    settings["rate"] = cfg.meta_training.rate[part]
    return settings


def named(cfg: DictConfig, method: DictConfig, part: str, error: InvalidInput) -> InvalidInput:
    """The error with the key of the setting, which may be one of each part."""
    each = {"rate": cfg.meta_training.rate, "meta_steps": _meta_steps(cfg, method)}
    if error.field in each:
        key = key_as_typed(each[error.field], part)
        return InvalidInput(key, error.value, error.allowed)
    return with_whole_key(error, cfg.meta_training)


def _meta_steps(cfg: DictConfig, method: DictConfig) -> DictConfig:
    steps: DictConfig = method.get("meta_steps", cfg.meta_training.meta_steps)
    return steps
