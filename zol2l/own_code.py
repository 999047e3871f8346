"""Code of the user's own: what a file says is a part of what results depend on."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SOURCE = "_source_"
OURS = ("zol2l", "lightning_modules")
INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]


def source_identity(found: Callable[..., Any]) -> str:
    """Name and checksum of the file that a class or function stands in; empty where it has none."""
    file = getattr(sys.modules.get(found.__module__), "__file__", None)
    if file is None:
        return ""
    return f"{Path(file).name} {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]}"


def is_own(target: str) -> bool:
    """Whether a dotted path leads to code that is neither zol2l's nor installed."""
    package = target.partition(".")[0]
    if package in OURS or package in sys.builtin_module_names:
        return False
    spec = find_spec(package)
    if spec is None:
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    return not any(Path(place).is_relative_to(home) for place in places for home in INSTALLED)


def with_sources(settings: Any, imported: Callable[[str], Any]) -> Any:
    """Settings (nested) with the identity of the source beside each `_target_` of the user's own,
    which `imported` finds: where settings are compared, an edit is a difference.
    """
    if isinstance(settings, list):
        return [with_sources(item, imported) for item in settings]
    if not isinstance(settings, dict):
        return settings
    known = {key: with_sources(value, imported) for key, value in settings.items()}
    target = known.get("_target_")
    if isinstance(target, str) and is_own(target):
        known[SOURCE] = source_identity(imported(target))
    return known
