"""What a class or function computes, named by its code: a part of what results depend on."""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET, CODE = "_target_", "_code_"
OURS = ("zol2l", "lightning_modules")
INSTALLED = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
CHECKS, LOGS = "require", "log"
"""Statements that call the one, or a method of the other, compute nothing."""
RUN = ("zol2l.run.run", "zol2l.oracle.Oracle", "zol2l.trajectory.Recorder")
"""What every run of an optimizer is made of, whatever the optimizer and the problem."""


def code_of(*targets: str) -> str:
    """Twelve characters for the code that the classes and functions at dotted paths are made of:
    their own, and that of all they name in the files of zol2l and of the user, however far away.
    Another file, docstring, comment, annotation, check or log message changes nothing; any other
    edit does. Empty for what is installed.
    """
    reached: dict[tuple[Path, str], str] = {}
    for target in targets:
        _follow(*_split(target), reached)
    if not reached:
        return ""
    return hashlib.sha256("\n".join(sorted(reached.values())).encode()).hexdigest()[:12]


def with_code(settings: Any) -> Any:
    """Settings (nested) whose `_target_`s in files of zol2l and of the user are told by the name of
    the class and its code, wherever it stands: where settings are compared, an edit is a difference
    and a move is none.
    """
    if isinstance(settings, list):
        return [with_code(item) for item in settings]
    if not isinstance(settings, dict):
        return settings
    known = {key: with_code(value) for key, value in settings.items()}
    target = known.get(TARGET)
    if isinstance(target, str) and (code := code_of(target)):
        known |= {TARGET: target.rpartition(".")[2], CODE: code}
    return known


@dataclass(frozen=True)
class Source:
    """A file's top-level definitions and the names it imports: (module, name), or (module, "")."""

    path: Path
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)


def _follow(module: str, name: str, reached: dict[tuple[Path, str], str]) -> None:
    """Add the code of `name` in `module` to what is `reached`, with all that it names there."""
    source = _source(module)
    if source is None or (source.path, name) in reached:
        return
    if name in source.defined:
        node = source.defined[name]
        reached[source.path, name] = ast.unparse(node)
        for used in _names(node):
            _follow(module, used, reached)
    elif name in source.imported:
        origin, original = source.imported[name]
        whole = f"{origin}.{original}".rstrip(".")
        inside = _source(whole) if not original or _is_module(whole) else None
        if inside is None:
            _follow(origin, original, reached)
        else:  # a module as a whole: all that it defines
            for each in inside.defined:
                _follow(whole, each, reached)


def _source(module: str) -> Source | None:
    """The source of a module of zol2l's or the user's; None of what is installed or built in."""
    path = _file(module)
    if path is None:
        return None
    stat = path.stat()
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(path: Path, modified: int, size: int) -> Source:
    source = Source(path)
    tree = _Bare().visit(ast.parse(path.read_text()))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                source.imported[alias.asname or alias.name] = node.module, alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                source.imported[alias.asname or alias.name.partition(".")[0]] = alias.name, ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            source.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (name for target in targets for name in _names(target)):
                source.defined[name] = node
    return source


class _Bare(ast.NodeTransformer):
    """Code without what computes nothing: docstrings, annotations, imports, checks and logs."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        called = node.value.func if isinstance(node.value, ast.Call) else node.value
        words = [each.id for each in ast.walk(called) if isinstance(each, ast.Name)]
        silent = isinstance(node.value, ast.Constant) or words[:1] in ([CHECKS], [LOGS])
        return ast.Pass() if silent else self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.Pass()

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.AnnAssign(node.target, ast.Constant(None), node.value, node.simple)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [each for each in body if not isinstance(each, ast.Pass)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
        return node


def _names(node: ast.AST) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _split(target: str) -> tuple[str, str]:
    """The module of a dotted path, and the first name in it."""
    module, _, rest = target.rpartition(".")
    while module and not _is_module(module):
        module, _, name = module.rpartition(".")
        rest = f"{name}.{rest}"
    return module, rest.partition(".")[0]


def _is_module(path: str) -> bool:
    if path in sys.modules:
        return True
    try:
        return find_spec(path) is not None
    except (ImportError, ValueError):
        return False


def _file(module: str) -> Path | None:
    """The file of a module, if it is zol2l's or the user's."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is None:
        try:
            spec = find_spec(module)
        except (ImportError, ValueError):
            return None
        loaded = spec.origin if spec is not None and spec.has_location else None
    if loaded is None or not loaded.endswith(".py"):
        return None
    path = Path(loaded)
    if module.partition(".")[0] in OURS:
        return path
    return None if any(path.is_relative_to(home) for home in INSTALLED) else path
