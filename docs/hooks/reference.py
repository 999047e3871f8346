"""mkdocs hook: the reference of commands and configuration, and the changelog, made at build time.

A page asks for a part by a line of its own: `<!-- commands -->`, `<!-- groups NAME ... -->`,
`<!-- settings FILE -->`. Files are read as text: nothing of zol2l, and no torch, is imported.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
INCLUDED = {"changelog.md": ROOT / "CHANGELOG.md", "contributing.md": ROOT / "CONTRIBUTING.md"}
"""Pages of the site that are files of the repository."""
MARKER = re.compile(r"^<!-- (commands|groups|settings)((?: \S+)*) -->$", re.MULTILINE)
COMMENT = re.compile(r"\s#\s*(.*)$")
ABOVE_TABLE = re.compile(r"^([^|\n].*\n)(?=\|.*\|\n\|[ :|-]+\|\n)", re.MULTILINE)
"""A line right above a table: GitHub needs none between them, Python-Markdown an empty one."""
Row = tuple[str, ...]
"""The cells of a row, those in backticks as code."""


def on_files(files: Any, config: Any) -> Any:
    """Add the files of the repository that are pages of the site."""
    for uri, path in INCLUDED.items():
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put the reference where a page asks for it, and let tables stand by themselves."""
    asked = MARKER.findall(markdown)
    named = {name for part, names in asked if part == "groups" for name in names.split()}
    if named and (wrong := named ^ {path.name for path in CONF.iterdir() if path.is_dir()}):
        raise PluginError(f"{page.file.src_uri} and conf/ differ in {', '.join(sorted(wrong))}")
    filled = MARKER.sub(lambda found: f"\n{PARTS[found[1]](*found[2].split())}\n", markdown)
    return ABOVE_TABLE.sub(r"\1\n", filled)


def commands() -> str:
    """The commands with their descriptions, from the dictionary that `zol2l --help` prints."""
    for node in ast.parse((ROOT / "zol2l" / "commands" / "cli.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "COMMANDS":
            described = ast.literal_eval(node.value).items()
            return table("command", "what it does", rows=[(f"`{k}`", v) for k, v in described])
    raise PluginError("zol2l/commands/cli.py has no dictionary COMMANDS")


def groups(*names: str) -> str:
    """A section per group of conf/."""
    return "\n\n".join(group(name) for name in names)


def group(name: str) -> str:
    """The options of a group with their descriptions, and their files in a fold. A description in
    parentheses marks a part of other options, or what is not for Hydra.
    """
    paths = sorted((CONF / name).rglob("*.yaml"))
    rows = [(f"`{name}={option(path)}`", description(path)) for path in paths]
    chosen = [row for row in rows if row[1][:1] != "("]
    files = "\n\n".join(fenced(path) for path in paths)
    fold = f'??? abstract "Files of conf/{name}"\n\n{indent(files, "    ")}'
    return "\n\n".join([f"### {name}", table("option", "description", rows=chosen), fold])


def option(path: Path) -> str:
    """An option as it is typed: the path of its file below the group's folder."""
    return "/".join(path.with_suffix("").relative_to(CONF).parts[1:])


def description(path: Path) -> str:
    """The first comment line of a file that is not an instruction to Hydra, as `zol2l list` has."""
    comments = (line[1:].strip() for line in path.read_text().splitlines() if line[:1] == "#")
    found = next((line for line in comments if not line.startswith("@")), None)
    if not found:
        raise PluginError(f"{path.relative_to(ROOT)} does not begin with a description")
    return found


def fenced(path: Path) -> str:
    """A file as a block of code."""
    return f'```yaml title="{path.relative_to(ROOT)}"\n{path.read_text().rstrip()}\n```'


def settings(name: str) -> str:
    """What a primary configuration chooses and sets; the numbers of the scales side by side."""
    text = (CONF / name).read_text()
    lines, root = text.splitlines(), yaml.compose(text)
    top = {key.value: value for key, value in root.value}
    root.value = [
        (key, value) for key, value in root.value if key.value not in ("defaults", "sizes")
    ]
    chosen = [row for item in top["defaults"].value for row in walk(item, "", lines)]
    sizes = {k.value: {key.value: written(v) for key, v in s.value} for k, s in top["sizes"].value}
    numbers = dict.fromkeys(number for known in sizes.values() for number in known)
    sized = [(f"`{n}`", *(known.get(n, "") for known in sizes.values())) for n in numbers]
    heads = ("What is chosen by default:", "The settings:", "The numbers of `sizes.SCALE`:")
    tables = (
        table("group", "option", "", rows=chosen),
        table("setting", "value", "", rows=walk(root, "", lines)),
        table("number", *(f"`{scale}`" for scale in sizes), rows=sized),
    )
    return "\n\n".join(text for pair in zip(heads, tables, strict=True) for text in pair)


def walk(node: Any, prefix: str, lines: list[str]) -> Iterator[Row]:
    """Name, value and comment of each setting below a node, and of the commented blocks of them."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        name = prefix + key.value.removeprefix("optional ")
        block = value.start_mark.line > key.start_mark.line
        mark = key.end_mark if block else value.end_mark
        found = COMMENT.search(lines[mark.line][mark.column :])
        if found or not block:
            yield f"`{name}`", "" if block else written(value), found[1] if found else ""
        if block:
            yield from walk(value, f"{name}.", lines)


def written(node: Any) -> str:
    """A value as its file has it, as code."""
    return f"`{node.start_mark.buffer[node.start_mark.pointer : node.end_mark.pointer].rstrip()}`"


def table(*head: str, rows: Iterable[Row]) -> str:
    """A Markdown table; cells that are not code are plain text."""
    cells = [[cell if cell[:1] == "`" else plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])


def plain(text: str) -> str:
    """Text without a meaning in Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]|])", r"\\\1", html.escape(text, quote=False))


PARTS = {"commands": commands, "groups": groups, "settings": settings}
"""What a marker in a page stands for."""
