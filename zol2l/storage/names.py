"""Names that files and folders are called by."""

from __future__ import annotations

from pathlib import Path

from zol2l.errors import InvalidInput, require

UNFIT = '/\\:*?"<>|'
"""Characters that names of files cannot have, on one system or another."""
LONGEST = 120
"""Bytes of a name: file systems take 255, W&B 128 characters, and files' names say more."""


def require_name(field: str, name: object) -> str:
    """A name that files and folders are called by; refuse what is none, or leads elsewhere."""
    text = str(name) if isinstance(name, int | str) and not isinstance(name, bool) else ""
    unfit = sorted({letter for letter in text if letter in UNFIT or not letter.isprintable()})
    require(not unfit, field, name, f"a name of files, without {' '.join(map(ascii, unfit))}")
    proper = text.strip(" .") != "" and text == text.strip()
    require(proper, field, name, "a name of files: more than dots, no blanks at its ends")
    length = len(text.encode())
    require(length <= LONGEST, field, name, f"a name of {LONGEST} bytes at most, not of {length}")
    return text


def require_folder(field: str, name: object) -> str:
    """The same for a folder, which may stand in others: one/two."""
    if not isinstance(name, str):
        return require_name(field, name)
    below = not Path(name).is_absolute() and ".." not in Path(name).parts
    require(below, field, name, "a folder below paths.outputs; set paths.outputs for another place")
    for part in name.split("/"):
        try:
            require_name(field, part)
        except InvalidInput as error:
            raise InvalidInput(field, name, error.allowed) from None
    return name
