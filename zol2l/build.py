"""From configuration to objects: the only place that instantiates `_target_`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from zol2l.errors import InvalidInput

PACKAGED = Path(__file__).parent / "conf"
CONF = PACKAGED if PACKAGED.is_dir() else Path(__file__).parent.parent / "conf"
"""The configuration folder: inside the package in a wheel, beside it in a checkout."""


def build(config: DictConfig, **arguments: Any) -> Any:
    """Instantiate `config`, passing `arguments` as they are. Configs inside it become plain
    containers, never config objects; bad settings surface as `InvalidInput`.
    """
    target = config.get("_target_")
    try:
        make = instantiate(config, _convert_="all", _partial_=True)
        return make(**arguments)
    except InstantiationException as error:
        cause = root_cause(error)
        if isinstance(cause, InvalidInput):
            raise cause from None
        raise InvalidInput("_target_", target, f"cannot be built: {cause}") from error
    except TypeError as error:
        if "unexpected keyword" not in str(error) and "required" not in str(error):
            raise
        raise InvalidInput("_target_", target, f"does not take these settings: {error}") from error


def imported(path: str) -> Any:
    """The object at a dotted path. The packages that zol2l may not import are reached this way."""
    return get_object(path)


def root_cause(error: BaseException) -> BaseException:
    """The first error of a chain."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def plain(config: DictConfig) -> dict[str, Any]:
    """A resolved copy as plain dictionaries and lists."""
    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}
