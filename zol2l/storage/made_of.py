"""What the results in a run folder were made of: whether they still stand, and by which methods."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zol2l.storage.bad_files import intact, reading
from zol2l.storage.fingerprints import fingerprint
from zol2l.storage.json_files import as_json, flat, read_json, write_json

log = logging.getLogger(__name__)

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
    """The files `used`, there or not, which may change later; those `written`; by name of each
    method what defines it, apart from seeds, and which of the files used are its `own`; and `of`
    what problem and protocol all of it is.
    """

    used: Sequence[Path]
    written: Sequence[Path]
    methods: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    of: Mapping[str, Any] = field(default_factory=dict)

    def keep(self, folder: Path, kind: str) -> list[Path]:
        """Write it beside the results in `folder`, which are of this `kind`, with what
        `going_on` left of those that were there before. Returns all files used.
        """
        path = folder / f"{FILE}{kind}.json"
        before = _record(path) if self.of else {}
        used = {str(file.absolute()): _digest(file) for file in self.used}
        own = {n: [str(file.absolute()) for file in files] for n, files in self.own.items()}
        content = {
            "used": {**used, **before.get("used", {})},
            "written": [str(file.relative_to(folder)) for file in self.written],
            "methods": {**before.get("methods", {}), **self.methods},
            "own": {**before.get("own", {}), **own},
            "of": self.of,
        }
        write_json(path, content)
        return [Path(name) for name in content["used"]]


def going_on(folder: Path, of: Mapping[str, Any], replaced: Collection[str]) -> list[str]:
    """The methods whose rows in `folder`/results.parquet go on beside those of the methods
    `replaced`, which are about to be written: all others of the same problem and protocol, `of`. If
    these differ, or are not known, none do. What is no longer true of the table is forgotten first,
    so that a kill leaves no record that tells of other rows.
    """
    path, table = folder / f"{FILE}.json", folder / "results.parquet"
    known = _record(path)
    there = intact(table, _methods_of) or []
    if not there and known.get("methods"):
        lost = ", ".join(name for name in known["methods"] if name not in replaced)
        log.warning("%s: a new table; of %s give the commands again", table, lost or "none")
    if differs := _difference(known.get("of", {}), as_json(of)):
        path.unlink(missing_ok=True)
        if there:
            log.info("%s: a new table, without %s: %s", table, ", ".join(there), differs)
        return []
    others = [name for name in there if name in known["methods"] and name not in replaced]
    own = {name: known["own"][name] for name in others}
    used = {file: known["used"][file] for files in own.values() for file in files}
    methods = {name: known["methods"][name] for name in others}
    write_json(path, {"used": used, "written": [], "methods": methods, "own": own, "of": of})
    if others:
        log.info("%s: beside %s, as they were", table, ", ".join(others))
    for name, files in own.items():
        changed = [file for file in files if _digest(Path(file)) != used[file]]
        if changed:
            log.warning("%s: its rows are of before %s changed", name, ", ".join(changed))
    return others


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
    return dict(_record(path).get("methods", {}))


def forget(folder: Path, kind: str) -> None:
    """Remove the records of commands with this `kind` of results in `folder`, which are about to be
    replaced, and what an analysis was made of; of a table `going_on` forgets that. What is killed
    meanwhile leaves none that tells of others.
    """
    for name in (*RECORDS[kind], *([FILE + ANALYSIS] if kind == ANALYSIS else [])):
        (folder / f"{name}.json").unlink(missing_ok=True)


def definition(*settings: Mapping[str, Any]) -> str:
    """A fingerprint of settings without seeds and `OUTCOMES`, which seeds decide too."""
    known = [
        {k: v for k, v in flat(each).items() if not k.endswith("seed") and k not in OUTCOMES}
        for each in settings
    ]
    return fingerprint({str(i): each for i, each in enumerate(known)})


def _record(path: Path) -> dict[str, Any]:
    """What `keep` wrote; nothing where there is none, or it is damaged, which is said."""
    return intact(path, lambda path: read_json(path, "used", "methods", "own", "of")) or {}


def _filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _difference(known: Mapping[str, Any], of: Mapping[str, Any]) -> str:
    """The first setting in which a table's problem and protocol differ from those `known`; empty if
    none does.
    """
    if not known:
        return "what it was made of is not known"
    before, now = flat(known), flat(of)
    for key in [*now, *before]:
        if before.get(key) != now.get(key):
            return f"{key}={now.get(key)}, before {before.get(key)}"
    return ""


def _methods_of(table: Path) -> list[str]:
    """The methods with rows in a results file, in their order."""
    import pyarrow.parquet as pq  # half of what the command line takes to start

    with reading(table):
        found = pq.read_table(table, columns=["method"])["method"]
    return [str(name) for name in found.unique().to_pylist()]
