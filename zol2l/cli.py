"""The command line: every command is a Hydra application over the one configuration."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from zol2l.build import CONF, plain, root_cause
from zol2l.errors import InvalidInput
from zol2l.lock import alone, first_node
from zol2l.made_of import RESULTS_OF, forget, kind, record_of
from zol2l.sweep import SweepTable, begin_sweep, keep_to_cores, run_job, sweep_id

COMMANDS = {
    "train-victim": "train the classifier that an attack is aimed at",
    "meta-train": "learn an optimizer (stage 1 UpdateRNN, stage 2 QueryRNN)",
    "tune": "tune hand-designed optimizers, or attacks, on validation instances",
    "evaluate": "compare methods on test instances",
    "attack": "compare attacks within a threat model on the same images",
    "analyze": "look inside runs: analysis=cosine|coordinate|variance|probabilities",
    "adv-train": "train robust classifiers: defense=NAME data=NAME network=NAME",
    "adv-evaluate": "test robust classifiers under many attackers",
    "reproduce": "run an experiment's whole chain: experiment=NAME scale=smoke|cpu|paper",
    "report": "tables and a page over any set of run folders: report FOLDER... [--output DIR]",
    "list": "show what there is to choose: optimizees, attacks, defenses, experiments, ...",
}
TRAINING = ("train-victim", "meta-train", "adv-train", "reproduce")
"""Commands in which further nodes take part."""
ROBUST = "experiment=adv_"
"""Experiments of adversarial training, which compose another primary configuration."""
MULTIRUN, SHOWN = {"-m", "--multirun"}, {"-c", "--cfg"}
REFUSED = (InvalidInput, HydraException, OmegaConfBaseException, OSError)
"""Bad input, and what the system refuses: a full disk, a folder in which nothing can be written."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
BAD_INPUT = 2
STOPPED = 130


def main() -> None:
    """Entry point of `zol2l`. Bad input ends with one line and status 2."""
    logging.raiseExceptions = False  # a log file that cannot be written is no reason to stop
    command, *rest = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help", "help"):
        _say(usage(), sys.stdout)
        return
    if command == "--version":
        _say(f"zol2l {version('zol2l')}", sys.stdout)
        return
    if command not in COMMANDS:
        _say(f"zol2l: no command {command!r}; there are {', '.join(COMMANDS)}")
        sys.exit(BAD_INPUT)
    if command == "list":
        if rest not in ([], ["--all"]):
            _say(f"zol2l list: {' '.join(rest)}: only --all is known")
            sys.exit(BAD_INPUT)
        import_module("zol2l.commands.list").main(CONF, everything="--all" in rest)
        return
    try:
        if command == "report":
            import_module("zol2l.commands.report").main(rest)
        else:
            _run_hydra(command, rest)
    except REFUSED as error:
        _refuse(command, error)
    except KeyboardInterrupt:
        _say(f"zol2l {command}: stopped; the same command goes on where it was")
        sys.exit(STOPPED)


def primary_config(command: str, overrides: Sequence[str]) -> str:
    """The primary configuration of a command line: that of adversarial training, or `config`."""
    robust = command.startswith("adv-") or any(text.startswith(ROBUST) for text in overrides)
    return "robust" if robust else "config"


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  {name:14}{text}" for name, text in COMMANDS.items()]
    shape = "zol2l COMMAND [group=option] [setting=value] [-m group=a,b setting=1,2]"
    return "\n".join(
        [
            f"usage: {shape}",
            "",
            *lines,
            "",
            "zol2l COMMAND --help shows all settings, zol2l --version the version",
        ]
    )


def explain(error: BaseException, elsewhere: str = "paths.outputs, or ZOL2L_DATA_DIR") -> str:
    """What was wrong, in as few lines as Hydra's own messages allow; `elsewhere` is what names
    another folder to write to.
    """
    if isinstance(error, InvalidInput):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL + CLOSED:
        room = "make room there, or " if error.errno in FULL else ""
        where = (
            error.filename or SweepTable.folder
        )  # of loggers' and Hydra's own files none is told
        return f"{where}: {error.strerror}; {room}name another folder with {elsewhere}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    cause = root_cause(error)
    told = error if isinstance(error, HydraException) and str(error) else cause
    lines = [line.strip() for line in str(told).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("full_key:", "object_type=", "set_env"))]
    missing = any("'hydra/launcher/" in line for line in kept)
    remedy = ['-- launchers come with pip install -e ".[sweep]" or, for Ray, ".[ray]"']
    return " ".join([*kept, *(remedy if missing else [])])


def _run_hydra(command: str, overrides: list[str]) -> None:
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach main() instead of Hydra's printer

    def run(cfg: DictConfig) -> None:
        hydra_config = HydraConfig.get()
        given = list(hydra_config.overrides.task)

        def work() -> None:  # torch is imported here alone: not to start the jobs of a sweep
            job = import_module(f"zol2l.commands.{command.replace('-', '_')}").main
            start = import_module("zol2l.commands.start")
            record = start.begin(cfg, hydra_config.runtime.choices, given)
            if first_node() or command in TRAINING:
                with alone(Path(cfg.paths.run_dir)):
                    if first_node() and command in RESULTS_OF:
                        forget(Path(cfg.paths.run_dir), kind(command, cfg))
                    job(cfg)
                    start.end(cfg, record_of(command, cfg), record)

        if hydra_config.mode == RunMode.MULTIRUN:
            cfg.logger.sweep = sweep_id()
            keep_to_cores(hydra_config.launcher)
            run_job(Path(cfg.paths.run_dir), command, given, lambda: plain(cfg), work, explain)
            return
        try:
            work()
        except REFUSED as error:
            _refuse(command, error)

    run.__name__ = command.replace("-", "_")
    sys.argv = [f"{sys.argv[0]} {command}", *overrides]
    if MULTIRUN & set(overrides):
        begin_sweep([command, *overrides])
        if SHOWN & set(overrides):
            raise InvalidInput("--cfg", "with -m", "shows one job's configuration; leave -m out")
    primary = primary_config(command, overrides)
    application = hydra.main(config_path=str(CONF), config_name=primary, version_base="1.3")
    try:
        application(run)()
    except REFUSED:
        raise
    except Exception as error:
        if SweepTable.running is None:
            raise
        SweepTable.running.broke(error)


def _refuse(command: str, error: Exception) -> NoReturn:
    told = explain(error, "--output") if command == "report" else explain(error)
    _say(f"zol2l {command}: {told}")
    sys.exit(BAD_INPUT)


def _say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream or sys.stderr)
