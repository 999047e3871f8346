"""Imports run one way, and heavy or unsafe things stay where they belong (docs/design.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOUNDATION = {
    f"zol2l.{name}"
    for name in (
        *("errors", "types", "seeds", "answers", "chunks", "meta_gradient"),
        *("storage", "machine", "terminal"),
    )
}
RANKS = [
    FOUNDATION,
    {"zol2l.data"},
    {"zol2l.networks"},
    {"zol2l.oracle", "zol2l.optimizees"},
    {"zol2l.sampling", "zol2l.estimators", "zol2l.updates"},
    {"zol2l.optimizer"},
    {"zol2l.trajectory", "zol2l.attacks"},
    {"zol2l.run", "zol2l.maximizers"},
    {"zol2l.evaluation"},
    {"zol2l.analysis", "zol2l.plots", "zol2l.reporting"},
]
"""A module may import modules of lower ranks and of its own package alone. What is not listed is
the application around the core: it may import all of this and is imported by none of it."""
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
APPLICATION = len(RANKS)
EVALUATION = RANK["zol2l.evaluation"]
HYDRA = {"zol2l/commands/cli.py", "zol2l/commands/build.py"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
EVALUATED = {f"zol2l.evaluation.{name}" for name in ("results", "robust_results", "summary")}
RESULTS = EVALUATED | {"zol2l.plots"} | FOUNDATION


def sources(*folders: str) -> dict[str, ast.Module]:
    """Path relative to the root -> syntax tree."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all imported modules, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            base = node.module or ""
            within = (ROOT / base.replace(".", "/")).is_dir()
            yield from (f"{base}.{alias.name}" if within else base for alias in node.names)


def module(path: str) -> str:
    """The layer of a file or of a dotted name: zol2l and the name after it."""
    return ".".join(path.removesuffix(".py").replace("/", ".").split(".")[:2])


LIBRARY, LIGHTNING = sources("zol2l"), sources("lightning_modules")
EVERYTHING = {**LIBRARY, **LIGHTNING}


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def violations(forbidden, trees: dict[str, ast.Module] = LIBRARY) -> list[str]:
    """Imports `name` of files `path` for which forbidden(path, name)."""
    return [f"{p}: {n}" for p, tree in trees.items() for n in imports(tree) if forbidden(p, n)]


def test_every_layer_exists() -> None:
    assert len(LIBRARY) > 30
    assert set(RANK) <= {module(path) for path in LIBRARY}


def test_imports_run_one_way() -> None:
    def upwards(path: str, name: str) -> bool:
        mine, theirs = module(path), module(name)
        if not name.startswith("zol2l.") or mine == theirs:
            return False
        low, high = RANK.get(theirs, APPLICATION), RANK.get(mine, APPLICATION)
        return low > high or low == high not in (0, APPLICATION)

    assert violations(upwards) == []


@pytest.mark.parametrize("package", ["zol2l/optimizees", "zol2l/data"])
def test_problems_see_types_alone(package: str) -> None:
    allowed = FOUNDATION | {package.replace("/", ".")}

    def forbidden(path: str, name: str) -> bool:
        foreign = name.startswith("zol2l.") and module(name) not in allowed
        return path.startswith(package) and foreign

    assert any(path.startswith(package) for path in LIBRARY)
    assert violations(forbidden) == []


def test_types_and_errors_depend_on_nothing_of_ours() -> None:
    names = {n for n in imports(LIBRARY["zol2l/types.py"]) if n.startswith("zol2l")}
    assert names <= {"zol2l.errors"}
    assert not any(n.startswith("zol2l") for n in imports(LIBRARY["zol2l/errors.py"]))


def test_plots_read_results_and_no_models() -> None:
    def forbidden(path: str, name: str) -> bool:
        ours = name.startswith(("zol2l.", "lightning_modules"))
        known = any(name == allowed or name.startswith(f"{allowed}.") for allowed in RESULTS)
        return path.startswith("zol2l/plots") and (name.startswith("torch") or (ours and not known))

    assert violations(forbidden) == []


def test_commands_alone_import_the_lightning_modules_and_nothing_imports_commands() -> None:
    def forbidden(path: str, name: str) -> bool:
        inside = path.startswith("zol2l/commands")
        return not inside and name.startswith(("lightning_modules", "zol2l.commands"))

    assert violations(forbidden) == []
    assert violations(lambda _, name: name.startswith("zol2l.commands"), LIGHTNING) == []


def test_lightning_modules_are_imported_and_never_named() -> None:
    """A name in a string hides an arrow, from mypy too; `code_of` imports nothing."""
    named = []
    for path, tree in LIBRARY.items():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        asked = {arg for call in calls if ast.unparse(call.func) == "code_of" for arg in call.args}
        texts = {n for n in ast.walk(tree) if isinstance(n, ast.Constant)} - asked
        named += [path for n in texts if str(n.value).startswith("lightning_modules.")]
    assert named == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions and for type checkers are counted too."""
    named = {_dotted(path): set(imports(tree)) for path, tree in EVERYTHING.items()}
    left = {
        mine: {n if n in named else n.rpartition(".")[0] for n in theirs} & named.keys() - {mine}
        for mine, theirs in named.items()
    }
    while leaves := [name for name, names in left.items() if not names & left.keys()]:
        for name in leaves:
            del left[name]
    assert left == {}


def test_what_a_newcomer_reads_first_is_little() -> None:
    assert len(list((ROOT / "zol2l").glob("*.py"))) <= 12


def test_hydra_is_imported_in_two_files_alone() -> None:
    found = violations(lambda p, n: n.split(".")[0] == "hydra" and p not in HYDRA, EVERYTHING)
    assert found == []


@pytest.mark.parametrize("package", ["pytorch_lightning", "lightning", "wandb", "matplotlib"])
def test_nothing_heavy_up_to_evaluation(package: str) -> None:
    def forbidden(path: str, name: str) -> bool:
        below = RANK.get(module(path), APPLICATION) <= EVALUATION
        return below and name.split(".", maxsplit=1)[0] == package

    assert violations(forbidden) == []


def test_no_pickle() -> None:
    assert violations(lambda p, n: n.split(".")[0] in PICKLES, EVERYTHING) == []


def test_every_torch_load_is_weights_only() -> None:
    unsafe = []
    for path, tree in EVERYTHING.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                given = {k.arg: ast.unparse(k.value) for k in node.keywords}
                unsafe += [path] if given.get("weights_only") != "True" else []
    assert unsafe == []
