"""How much memory is free, a word before too much is asked for, and one where it was not given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zol2l.errors import InvalidInput
from zol2l.machine.heap import return_freed_memory

NEGLIGIBLE = 2**28
"""Bytes for which nobody looks how much is free."""
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
NOT_GIVEN = re.compile(r"(?:tried|unable) to allocate ([\d.]+) ?(\w+)", re.IGNORECASE)
"""What torch says of the memory of CPUs and GPUs, and NumPy."""
ASK_FOR_LESS = (
    "could not be allocated; ask for less at once: fewer instances, trials, directions or images, a"
    " smaller batch, dimension or data.size"
)
PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def require_memory(needed: int, field: str, value: object, what: str, remedy: str) -> None:
    """Refuse `field`=`value` where `what` needs so many bytes and fewer are free: systems promise
    more memory than there is, and then kill the process without a word.
    """
    if needed <= NEGLIGIBLE or _fits(needed):
        return
    return_freed_memory()
    if (free := available()) is not None and needed > free:
        told = f"{what} need {readable(needed)} of memory, {readable(free)} are free; {remedy}"
        raise InvalidInput(field, value, told)


@contextmanager
def failures_told() -> Iterator[None]:
    """Within the block memory that was asked for and not given is bad input, told in one line."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        wanted = NOT_GIVEN.search(str(error))
        if wanted is None and not isinstance(error, MemoryError):
            raise
        size = "all" if wanted is None else _in_words(*wanted.groups())
        raise InvalidInput("memory", size, ASK_FOR_LESS) from error


def available(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that this process can still have, swapped ones too: those of the system, or of the
    control group (of a container, of a job) where that has fewer; None where nothing says so.
    """
    known = [*_of_system(proc), *_of_cgroups(proc, cgroups)]
    return max(0, min(known)) if known else None


def readable(size: float) -> str:
    """Bytes in the unit that fits."""
    power = 0
    while size >= 1024 and power < len(UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.{min(power, 1)}f} {UNITS[power]}"


def _fits(needed: int) -> bool:
    free = available()
    return free is None or needed <= free


def _in_words(number: str, unit: str) -> str:
    return readable(int(number)) if unit == UNITS[0] else f"{number} {unit}"


def _of_system(proc: Path) -> Iterator[int]:
    """Linux says what is available; elsewhere all there is stands for it."""
    with suppress(OSError, ValueError, LookupError):
        lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
        kibibytes = {words[0]: int(words[1]) for words in lines}
        yield 1024 * (kibibytes["MemAvailable:"] + kibibytes["SwapFree:"])
        return
    with suppress(AttributeError, OSError, ValueError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_cgroups(proc: Path, cgroups: Path) -> Iterator[int]:
    """What is left in each control group above this process, of either version; files that the
    system keeps in memory can go.
    """
    with suppress(OSError, ValueError):
        for line in (proc / "self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                top, names = cgroups, ("memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                top = cgroups / "memory"
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            else:
                continue
            place = top / path.lstrip("/")
            for folder in (place, *place.parents):
                yield from _left_in(folder, *names)
                if folder == top:
                    break


def _left_in(folder: Path, limit: str, used: str, given_up: str) -> Iterator[int]:
    with suppress(OSError, ValueError, LookupError):
        entries = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        files = int(dict(entries)[given_up])
        yield int((folder / limit).read_text()) - int((folder / used).read_text()) + files
