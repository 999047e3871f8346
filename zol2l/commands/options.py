"""The options of the configuration's groups, as their files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from zol2l.errors import InvalidInput, nearest, require


def entries(conf: Path, group: str) -> dict[str, str]:
    """Name -> what the first comment of its YAML file says; names in parentheses are parts."""
    return {name: text for name, text in _comments(conf, group).items() if not text.startswith("(")}


def no_such_option(file: str, there: Sequence[str], conf: Path) -> InvalidInput:
    """The error for an option, GROUP/NAME, whose file is missing; `there` are names that are."""
    group, _, name = file.partition("/")
    known = [*entries(conf, group), *(n for n in there if n not in _comments(conf, group))]
    close = nearest(name, known)
    told = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
    return InvalidInput(group, name, f"no such option; {told}")


def require_option(group: str, name: str, conf: Path) -> None:
    """Refuse an option that is there for others to build on."""
    known = entries(conf, group)
    is_part = name in _comments(conf, group).keys() - known.keys()
    require(not is_part, group, name, f"others build on it; take one of {', '.join(known)}")


def meaning(key: str, conf: Path) -> str:
    """What the files say in a comment of a setting without a default."""
    wanted = re.compile(rf"^\s*{re.escape(key.rpartition('.')[2])}: \?\?\? *# *(.+)$", re.M)
    texts = (path.read_text() for path in sorted(conf.rglob("*.yaml")))
    return next((found[1] for text in texts if (found := wanted.search(text))), "")


def _comments(conf: Path, group: str) -> dict[str, str]:
    found = {}
    for path in sorted((conf / group).rglob("*.yaml")):
        comments = [line[1:].strip() for line in path.read_text().splitlines() if line[:1] == "#"]
        text = next((line for line in comments if not line.startswith("@")), "")
        found[str(path.relative_to(conf / group).with_suffix(""))] = text
    return found
