"""Files that survive a kill and a full disk: whole or not there."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError

OS_ERROR = re.compile(r"os error (\d+)")
"""How safetensors tells the system's error: in words."""


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then move it to `path`: readers see all of it or none.
    Where the system refuses, nothing is left and an OSError names `path`, whichever library wrote.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise _refused(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _refused(path: Path, error: OSError | SafetensorError) -> OSError:
    told = OS_ERROR.search(str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    if number is None:
        return OSError(errno.EIO, str(error), str(path))
    return OSError(number, os.strerror(number), str(path))
