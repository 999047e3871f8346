"""Jobs of a sweep: one that fails takes no other down, one that is done is not done again."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.markup import escape

from zol2l.errors import InvalidInput
from zol2l.storage.bad_files import intact
from zol2l.storage.fingerprints import fingerprint, shortened
from zol2l.storage.json_files import as_json, read_json, write_json
from zol2l.storage.made_of import kind, record_of, stands
from zol2l.terminal.console import wide_console

log = logging.getLogger(__name__)

RECORD, SWEEP = "job.json", "ZOL2L_SWEEP"
DONE, BEFORE, FAILED = "done", "done before", "failed"
DIED = "its process ended without a word: killed, perhaps for want of memory"
"""The error of a job until it ends."""
COLOURS = {DONE: "green", BEFORE: "cyan", FAILED: "red"}
LONGEST = 200
"""Bytes of a folder's name, of which file systems take 255."""
SOME_FAILED = 1
"""Exit status of a sweep in which a job failed."""


def run_job(
    folder: Path,
    command: str,
    settings: Sequence[str],
    config: Callable[[], Mapping[str, Any]],
    work: Callable[[], None],
    explain: Callable[[BaseException], str],
) -> None:
    """Do the `work` of one job, given by `settings`, into `folder`, unless the record of `command`
    there says that it was done with this `config`; keep in job.json what became of it. No exception
    gets out: the jobs after it, perhaps in this process, go on.
    """
    began = time.time()
    failure: dict[str, str] = {}
    named = {"sweep": sweep_id(), "settings": list(settings), "command": command}

    def keep(status: str, **more: Any) -> None:
        now = time.time()
        times = {"seconds": round(now - began, 1), "ended": now}
        write_json(folder / RECORD, {**named, "status": status, **times, **more})

    keep(FAILED, error=DIED)
    try:
        status = BEFORE if finished(folder, command, config()) else DONE
        if status == DONE:
            work()
    except (Exception, SystemExit) as error:
        status = FAILED
        failure = {"error": explain(error), "traceback": traceback.format_exc()}
        log.error("Job %s failed: %s", ",".join(settings), failure["error"])
    keep(status, **failure)


def begin_sweep(arguments: Sequence[str]) -> None:
    """Give the jobs of this command line, wherever they run, an identity in common: the same when
    it is run again for the jobs that are missing. Their processes inherit it.
    """
    os.environ[SWEEP] = fingerprint({"folder": str(Path.cwd()), "arguments": list(arguments)})


OmegaConf.register_new_resolver(  # in conf/hydra: the name of a job's folder
    "folder_name", lambda settings: shortened(settings, LONGEST), replace=True
)


def sweep_id() -> str | None:
    """The sweep that this job belongs to."""
    return os.environ.get(SWEEP)


def keep_to_cores(launcher: Mapping[str, Any]) -> None:
    """Compute with as many threads as the launcher gives a job cores. Left alone each of submitit's
    jobs takes all cores of the machine, and many such jobs hardly move.
    """
    if cores := launcher.get("cpus_per_task"):
        import torch  # not by the process that starts the jobs

        torch.set_num_threads(cores)


def finished(folder: Path, command: str, config: Mapping[str, Any]) -> bool:
    """Whether the record of a command in `folder` is of this configuration, whatever it was logged
    by, and its results still stand.
    """
    record = intact(folder / record_of(command, config), lambda path: read_json(path, "config"))
    if record is None or _unlogged(record["config"]) != _unlogged(as_json(config)):
        return False
    return stands(folder, kind(command, config))


def _unlogged(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "logger"}


def ended_since(outputs: Path, moment: float) -> list[dict[str, Any]]:
    """The records of this sweep's jobs, in any run folder of `outputs`, that ended after a moment,
    with their folders.
    """
    found = []
    for path in sorted(outputs.glob(f"**/multirun/**/{RECORD}")):
        try:
            record = read_json(path, "ended", "sweep", "settings", "status", "seconds")
        except InvalidInput as error:
            log.warning("Not listed: %s", error)
            continue
        if record["ended"] >= moment and record["sweep"] == sweep_id():
            found.append({**record, "folder": str(path.parent)})
    return found


def named(records: list[dict[str, Any]]) -> list[str]:
    """What tells each job from the others: its settings without those that all of them have."""
    settings = [record["settings"] for record in records]
    shared = set.intersection(*map(set, settings)) if len(records) > 1 else set()
    return [",".join(text for text in given if text not in shared) for given in settings]


class SweepTable:
    """A callback of Hydra: at the end of a sweep, the table of its jobs; status 1 if any failed.
    It knows too where Hydra writes to.
    """

    running: ClassVar[SweepTable | None] = None
    folder: ClassVar[str] = "the run folder"
    """Where this process writes to, as far as Hydra has said."""

    def __init__(self) -> None:
        self.began = time.time()

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Hydra's call before the first job."""
        SweepTable.running, self.outputs = self, Path(config.paths.outputs)
        self._writes_to(config.hydra.sweep)

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Hydra's call before a job that is alone."""
        self._writes_to(config.hydra.run)

    @staticmethod
    def _writes_to(place: DictConfig) -> None:
        with suppress(OmegaConfBaseException):  # of a name that is not there Hydra tells itself
            SweepTable.folder = place.dir

    def on_multirun_end(self, **_: Any) -> None:
        """Hydra's call after the last job."""
        SweepTable.running = None
        self.show()

    def broke(self, error: Exception) -> NoReturn:
        """The launcher gave up, say because the process of a job died."""
        SweepTable.running = None
        told = (
            f"The launcher stopped, {type(error).__name__}: the same command does what is missing"
        )
        wide_console().print(escape(told), soft_wrap=True, highlight=False)
        self.show()
        raise SystemExit(SOME_FAILED)

    def show(self) -> None:
        """Print the table and what failed; status 1 if anything did."""
        from zol2l.commands.sweep_table import jobs_table  # with pandas, which nobody waits for now

        records = ended_since(self.outputs, self.began)
        console, names = wide_console(), named(records)
        console.print(jobs_table(records, names, COLOURS))
        for name, record in zip(names, records, strict=True):
            if record["status"] == FAILED:
                told = f"Failed: {name}: {record['error']} ({record['folder']}/{RECORD})"
                console.print(escape(told), soft_wrap=True, highlight=False)
        if any(record["status"] == FAILED for record in records):
            raise SystemExit(SOME_FAILED)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Nothing happens at the other moments that Hydra tells of."""
        if name.startswith("on_"):
            return lambda *_, **__: None
        raise AttributeError(name)
