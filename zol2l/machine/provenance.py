"""What made a run folder: command, resolved configuration, git commit, package versions."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "zol2l", "torch", "torchvision", "pytorch-lightning", "hydra-core", "omegaconf", "wandb",
    "numpy", "pandas", "pyarrow", "optuna", "scikit-learn", "safetensors",
)  # fmt: skip


def provenance() -> dict[str, Any]:
    """Command, time, git commit, Python and package versions."""
    return {
        "command": command(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def command() -> str:
    """The command line, with the program's bare name."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def git_commit() -> str | None:
    """The commit of the checkout that zol2l runs from, with -dirty for local changes."""
    folder = Path(__file__).parent
    describe = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    found = subprocess.run(describe, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
