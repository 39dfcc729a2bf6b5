"""Who may import what: folders in one direction, torch and Hydra only where they belong.

Imports are read from the source, those inside functions too; what stands under
``if TYPE_CHECKING:`` is for type checkers alone and free. A few modules are also imported in a
fresh interpreter, since a library may come in by a detour.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "beatgrid"
MAX_TOP_MODULES = 12

SHARED = frozenset(
    {"checks", "errors", "files", "grid", "lazy", "peaks", "processes", "tempo_classes"}
)
"""Modules at the package's top that any other may import; among themselves they may as well."""

MAY_IMPORT: dict[str, frozenset[str]] = {
    # What may be imported besides ``SHARED``; every name stands after those that it imports.
    "audio": frozenset(),
    "search": frozenset(),
    "evaluation": frozenset(),
    "data": frozenset({"audio", "search", "evaluation"}),
    "networks": frozenset({"audio", "data"}),
    "activation": frozenset({"audio", "networks", "search"}),
    "output": frozenset({"audio", "search", "evaluation"}),
    "cluster": frozenset({"audio", "output"}),
    "export": frozenset({"audio", "output"}),
    "importers": frozenset({"audio", "data", "output", "export"}),
    "audit": frozenset({"audio", "data", "activation", "search", "evaluation", "output"}),
    "training": frozenset(
        {"audio", "data", "networks", "activation", "search", "evaluation", "output"}
    ),
    "calibration": frozenset({"audio", "data", "networks", "activation", "search", "evaluation"}),
    "rendering": frozenset({"audio", "data", "output"}),
    "finetuning": frozenset(
        {
            *("audio", "data", "networks", "activation", "search", "evaluation", "output"),
            *("training", "calibration", "rendering"),
        }
    ),
    "prediction": frozenset({"audio", "search", "output"}),
    "predictor": frozenset({"audio", "networks", "activation", "search", "training", "prediction"}),
    "library": frozenset({"audio", "output", "prediction", "predictor"}),
    "comparison": frozenset({"audio", "search", "evaluation", "output", "predictor"}),
    "review": frozenset({"audio", "data", "search", "output", "predictor"}),
    "__init__": frozenset({"search", "prediction", "predictor"}),
    "commands": frozenset(
        {
            *("audio", "data", "networks", "activation", "search", "evaluation", "output"),
            *("training", "calibration", "rendering", "prediction", "predictor", "library"),
            *("cluster", "export", "importers", "review", "audit", "comparison", "finetuning"),
        }
    ),
}
HYDRA = frozenset({"hydra", "omegaconf"})

NUMPY_AND_SCIPY_ONLY = [
    "beatgrid.grid",
    "beatgrid.search",
    "beatgrid.calibration.synthetic",
    "beatgrid.search.notebook",
    "beatgrid.activation.flux",
    "beatgrid.evaluation",
    "beatgrid.output.result",
    "beatgrid.export.formats",
    "beatgrid.data.targets",
    "beatgrid.rendering.generator",
]
PREDICTION = [
    "beatgrid.audio.cache",
    "beatgrid.activation.onnx",
    "beatgrid.predictor",
    "beatgrid.library",
]
FORBIDDEN = ("torch", "lightning", "hydra", "omegaconf", "sklearn", "matplotlib")


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Absolute names that a module imports when it runs, those of functions included."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.module or node.level:
                raise ValueError(f"{path}: relative imports are not understood here")
            # ``from beatgrid import grid`` may name a module.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)


def home(path: Path, package: Path) -> str:
    """The folder of a module, or the module itself at the package's top."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def violations(
    package: Path, may_import: Mapping[str, frozenset[str]], shared: frozenset[str]
) -> list[str]:
    """Imports between folders that the table does not allow."""
    found = set()
    for path in package.rglob("*.py"):
        importer = home(path, package)
        allowed = may_import.get(importer, frozenset()) | shared | {importer}
        for name in imports(path):
            top, _, rest = name.partition(".")
            imported = rest.partition(".")[0]
            is_module = (package / imported).is_dir() or (package / f"{imported}.py").exists()
            if top == package.name and imported and is_module and imported not in allowed:
                found.add(f"{path.relative_to(package)} imports {imported}")
    return sorted(found)


def importers(package: Path, libraries: frozenset[str]) -> set[str]:
    """Folders in which any of the libraries is imported."""
    return {
        home(path, package)
        for path in package.rglob("*.py")
        if any(name.partition(".")[0] in libraries for name in imports(path))
    }


def test_folders_import_in_one_direction():
    assert violations(PACKAGE, MAY_IMPORT, SHARED) == []


def test_the_table_has_one_direction_and_no_stale_names():
    seen: set[str] = set()
    for name, allowed in MAY_IMPORT.items():
        assert allowed <= seen, name
        seen.add(name)
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= seen
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert seen <= folders | modules
    assert modules <= seen | SHARED


def test_hydra_is_imported_by_commands_only():
    assert importers(PACKAGE, HYDRA) == {"commands"}


def test_few_modules_stand_at_the_top():
    assert len(list(PACKAGE.glob("*.py"))) <= MAX_TOP_MODULES


def test_the_rules_for_folders_can_fail(tmp_path):
    package = tmp_path / "house"
    for path, text in {
        "__init__.py": "",
        "base.py": "",
        "low/__init__.py": "from house.base import x",
        "low/up.py": "def f():\n    from house.high.api import y",
        "low/typed.py": "if TYPE_CHECKING:\n    from house.high import y\nelse:\n    import json",
        "low/whole.py": "from house import high",
        "high/__init__.py": "import house.low, hydra",
        "new/__init__.py": "from house.low import x",
    }.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    table = {"low": frozenset[str](), "high": frozenset({"low"})}
    assert violations(package, table, frozenset({"base"})) == [
        "low/up.py imports high",
        "low/whole.py imports high",
        "new/__init__.py imports low",
    ]
    assert importers(package, HYDRA) == {"high"}
    assert importers(package, frozenset({"json"})) == {"low"}


def loaded_by(modules: list[str]) -> dict[str, list[str]]:
    """Which of the forbidden packages a fresh interpreter has after importing each, in turn."""
    code = (
        "import importlib, sys\n"
        "for module in sys.argv[1:]:\n"
        "    importlib.import_module(module)\n"
        f"    print(module, *(m for m in {FORBIDDEN} if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *modules],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {module: loaded for module, *loaded in map(str.split, run.stdout.splitlines())}


def test_some_modules_need_numpy_and_scipy_only():
    another = "beatgrid.output.figures.canvas"
    loaded = loaded_by([*NUMPY_AND_SCIPY_ONLY, another])
    assert "matplotlib" in loaded.pop(another)  # the check can fail
    assert loaded == {module: [] for module in NUMPY_AND_SCIPY_ONLY}


def test_prediction_needs_no_torch():
    another = "beatgrid.networks.table"
    loaded = loaded_by([*PREDICTION, another])
    assert "torch" in loaded.pop(another)  # the check can fail
    assert loaded == {module: [] for module in PREDICTION}
