"""What the results in a run folder were made of: whether they still stand, and by which methods."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zol2l.bad_files import intact
from zol2l.fingerprints import fingerprint
from zol2l.json_files import flat, read_json, write_json

FILE = "made_of"
TABLE, ANALYSIS = "", "-analysis"
"""Kinds of results. Both may lie in one folder, and neither's records tell of the other."""
RECORDS = {
    TABLE: ("evaluate", "attack", "adv-evaluate", "reproduce"),
    ANALYSIS: ("adv-evaluate-analysis", "reproduce-analysis", "analyze"),
}
"""What the records of commands are called, by the kind of their results."""
RESULTS_OF = (*RECORDS[TABLE], "analyze")
"""Commands that leave results."""


def kind(command: str, config: Mapping[str, Any]) -> str:
    """The kind of a command's results."""
    either = command in ("adv-evaluate", "reproduce") and config.get("analysis") is not None
    return ANALYSIS if either or command == "analyze" else TABLE


def record_of(command: str, config: Mapping[str, Any]) -> str:
    """The name of the file that says with which configuration a command has made what it made."""
    name = command + kind(command, config)
    return f"{name if name in RECORDS[ANALYSIS] else command}.json"


OUTCOMES = ("optimizer.update.weights", "victim_weights", "starts_from")
"""Checksums of weights among the settings of a learned part."""


@dataclass(frozen=True)
class MadeOf:
    """The files `used`, there or not, which may change later; those `written`; and by name of each
    method what defines it, apart from seeds.
    """

    used: Sequence[Path]
    written: Sequence[Path]
    methods: Mapping[str, str] = field(default_factory=dict)

    def keep(self, folder: Path, kind: str) -> None:
        """Write it beside the results in `folder`, which are of this `kind`."""
        used = {str(path.absolute()): _digest(path) for path in self.used}
        written = [str(path.relative_to(folder)) for path in self.written]
        content = {"used": used, "written": written, "methods": self.methods}
        write_json(folder / f"{FILE}{kind}.json", content)


def stands(folder: Path, kind: str) -> bool:
    """Whether all results of this `kind` in `folder` are there and what was used is as it was."""
    path = folder / f"{FILE}{kind}.json"
    if not path.is_file():
        return True
    known = intact(path, lambda path: read_json(path, "used", "written"))
    if known is None:
        return False
    there = all(_filled(folder / name) for name in known["written"])
    return there and all(_digest(Path(path)) == kept for path, kept in known["used"].items())


def methods_in(folder: Path) -> dict[str, str]:
    """What defines each method with results in `folder`, where that is known."""
    path = folder / f"{FILE}.json"
    return dict(read_json(path, "methods")["methods"]) if path.is_file() else {}


def forget(folder: Path, kind: str) -> None:
    """Remove the records of this `kind` of results in `folder`, which are about to be replaced:
    what is killed meanwhile leaves none that tells of others.
    """
    for name in (f"{FILE}{kind}", *RECORDS[kind]):
        (folder / f"{name}.json").unlink(missing_ok=True)


def definition(*settings: Mapping[str, Any]) -> str:
    """A fingerprint of settings without seeds and `OUTCOMES`, which seeds decide too."""
    known = [
        {k: v for k, v in flat(each).items() if not k.endswith("seed") and k not in OUTCOMES}
        for each in settings
    ]
    return fingerprint({str(i): each for i, each in enumerate(known)})


def _filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
