"""Read a Weights & Biases offline file back with the wandb package's own record definitions."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

FILE_HEADER = 7
BLOCK = 32768
FRAGMENT = struct.Struct("<IHB")
FULL, LAST = 1, 4


@dataclass
class OfflineRun:
    """What one offline run holds."""

    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Artifacts by name: (type, digest)."""
    tags: tuple[str, ...] = ()
    group: str = ""
    job_type: str = ""
    finished: bool = False

    def series(self, name: str) -> list[tuple[int, Any]]:
        return [(i, row[name]) for i, row in enumerate(self.history) if name in row]


def records(path: Path) -> Iterator[Record]:
    """The records of the file: LevelDB log format after a header of seven bytes."""
    content, position, parts = path.read_bytes(), FILE_HEADER, []
    while position + FRAGMENT.size <= len(content):
        room = BLOCK - position % BLOCK
        if room < FRAGMENT.size:
            position += room
            continue
        _, length, kind = FRAGMENT.unpack_from(content, position)
        position += FRAGMENT.size
        parts.append(content[position : position + length])
        position += length
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(b"".join(parts))
            parts = []
            yield record


def read_run(path: Path) -> OfflineRun:
    run = OfflineRun()
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.group, run.job_type = record.run.run_group, record.run.job_type
            run.config |= _values(record.run.config.update)
            run.tags = tuple(record.run.tags)
        elif kind == "config":
            run.config |= _values(record.config.update)
        elif kind == "history":
            run.history.append(_values(record.history.item))
        elif kind == "metric":
            run.axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "artifact":
            run.made[record.artifact.name] = record.artifact.type, record.artifact.digest
        elif kind == "exit":
            run.finished = record.exit.exit_code == 0
    return run


def _values(items: Any) -> dict[str, Any]:
    return {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items}
