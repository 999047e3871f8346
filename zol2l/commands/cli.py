"""The command line: every command is a Hydra application over the one configuration."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TextIO

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from zol2l.commands.build import CONF, named_in, no_default, plain, root_cause
from zol2l.commands.options import no_such_option, require_option
from zol2l.commands.overrides import Override, check_overrides, keys_in, read_by, unknown
from zol2l.commands.plain_settings import check_plain
from zol2l.commands.sweep import SweepTable, begin_sweep, keep_to_cores, run_job, sweep_id
from zol2l.errors import InvalidInput
from zol2l.machine.memory import failures_told
from zol2l.storage.lock import alone, first_node
from zol2l.storage.made_of import RESULTS_OF, forget, kind, record_of

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
    except HydraException as error:
        _refuse(command, composition_error(error, command, rest))
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


def composition_error(error: HydraException, command: str, given: Sequence[str]) -> Exception:
    """Hydra's error about the configuration in our words: what is not there, and what there is."""
    file = getattr(error, "missing_cfg_file", None) or "hydra/"
    if isinstance(error, MissingConfigException) and not file.startswith("hydra/"):
        return no_such_option(file, error.options or (), CONF)
    missing = re.match(r"Could not override '([^']+)'", str(error))
    if missing is None:
        return error
    key, overrides = missing[1], [Override.of(text) for text in given if not text.startswith("-")]
    value = next((one.value for one in overrides if one.typed == key), None)
    return InvalidInput(key, value, unknown(key, _known_keys(command, overrides)))


def _known_keys(command: str, overrides: Sequence[Override]) -> list[str]:
    """What could be set, beside the options that the overrides choose where these exist."""
    chosen = [one.option for one in overrides if one.is_group([CONF]) and one.value]
    primary = primary_config(command, [one.text for one in overrides])
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        for kept in (chosen, []):
            try:
                cfg = hydra.compose(primary, kept, return_hydra_config=True)
            except HydraException:
                continue
            choices = [key for key in cfg.hydra.runtime.choices if not key.startswith("hydra/")]
            return [*choices, *(key for key in keys_in(cfg) if not key.startswith("hydra"))]
    return []


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
    if missing := re.search(r"Missing mandatory value: ([\w.]+)", str(error)):
        return str(no_default(missing[1]))
    cause = root_cause(error)
    if isinstance(cause, InvalidInput):
        return str(cause)
    told = error if isinstance(error, HydraException) and str(error) else cause
    lines = [line.strip() for line in str(told).splitlines() if line.strip()]
    lines = [re.sub(r"^\w+ raised while resolving interpolation: ", "", line) for line in lines]
    kept = [line for line in lines if not line.startswith(("full_key:", "object_type=", "set_env"))]
    absent = any("'hydra/launcher/" in line for line in kept)
    remedy = ['-- launchers come with pip install -e ".[sweep]" or, for Ray, ".[ray]"']
    return " ".join([*kept, *(remedy if absent else [])])


def _run_hydra(command: str, overrides: list[str]) -> None:
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach main() instead of Hydra's printer

    def run(cfg: DictConfig) -> None:
        hydra_config = HydraConfig.get()
        given = list(hydra_config.overrides.task)

        def work() -> None:  # torch is imported here alone: not to start the jobs of a sweep
            sources = [
                Path(s.path) for s in hydra_config.runtime.config_sources if s.schema == "file"
            ]
            check_overrides(command, cfg, given, sources)
            try:
                do()
            except InvalidInput as error:
                raise named_in(error, cfg, read_by(command, cfg) - {"size", "sizes"}) from error

        def do() -> None:
            choices = hydra_config.runtime.choices
            check_plain(cfg)
            import_module("zol2l.commands.checks").check_settings(command, cfg, choices, given)
            job = import_module(f"zol2l.commands.{command.replace('-', '_')}").main
            start = import_module("zol2l.commands.start")
            record = start.begin(cfg)
            if first_node() or command in TRAINING:
                with failures_told(), alone(Path(cfg.paths.run_dir)):
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
    for one in (Override.of(text) for text in overrides if not text.startswith("-")):
        for option in (one.value or "").split(",") if one.is_group([CONF]) else ():
            require_option(one.name, option, CONF)
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
