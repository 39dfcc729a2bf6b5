"""Options whose home is a signature: their defaults and descriptions, read from its source.

What Python users build as well (a grid search, a feature spec) has its defaults in its own
signature. ``conf/`` takes them from there, by ``- /signature@_here_: NAME`` in a defaults list,
and holds only what differs. The source is read, not imported: help needs neither numpy nor torch.
"""

from __future__ import annotations

import ast
import functools
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]

GROUP = "signature"
"""What a defaults list calls them."""

SIGNATURES = {
    "grid_search": ("search/grid_search.py", "GridSearch"),
    "notebook_search": ("search/notebook.py", "NotebookSearch"),
    "features": ("audio/features.py", "FeatureSpec"),
    "target": ("data/dataset.py", "TargetSpec"),
    "augment": ("data/augment.py", "Augment"),
    "export": ("export/options.py", "ExportOptions"),
    "import": ("importers/options.py", "ImportOptions"),
}
"""By name: the module's file in the package, and its class."""


@dataclass(frozen=True)
class Option:
    """An argument of a signature.

    Attributes:
        name: Its name.
        default: Its value where none is given, as plain values.
        about: What its class's docstring says of it.
    """

    name: str
    default: Any
    about: str


@functools.cache
def read_signature(name: str) -> tuple[Option, ...]:
    """Return the options of a class of ``SIGNATURES``, in order."""
    file, class_name = SIGNATURES[name]
    tree = ast.parse((_PACKAGE / file).read_text(encoding="utf-8"))
    found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    about = _descriptions(ast.get_docstring(found) or "")
    return tuple(
        Option(key, _plain(ast.literal_eval(default)), about[key])
        for key, default in _defaults(found).items()
    )


def defaults(name: str) -> dict[str, Any]:
    """Return the options of a class of ``SIGNATURES`` with their defaults, as a plain dict."""
    return {option.name: option.default for option in read_signature(name)}


@functools.cache
def read_formats(package: str = "export") -> dict[str, str]:
    """Return the formats of exports or of imports and what each is, from their table's source.

    Args:
        package: "export" or "importers".
    """
    tree = ast.parse((_PACKAGE / package / "formats.py").read_text(encoding="utf-8"))
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Format":
            # Name, the files' suffix or patterns, title; an import's reader comes behind.
            name, title = (ast.literal_eval(node.args[i]) for i in (0, 2))
            found[name] = title
    return found


def register() -> None:
    """Offer the signatures to Hydra's defaults lists; before anything is composed."""
    from hydra.core.config_store import ConfigStore  # here, since help is shown without Hydra

    for name in SIGNATURES:
        ConfigStore.instance().store(name, defaults(name), group=GROUP)


def _defaults(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return the default expressions of a constructor, or of the fields of a dataclass."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            arguments = statement.args
            named = [*arguments.posonlyargs, *arguments.args][1:]  # without self
            return {
                argument.arg: default
                for argument, default in zip(named, arguments.defaults, strict=True)
            }
    return {
        statement.target.id: statement.value
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.value is not None
    }


def _descriptions(docstring: str) -> dict[str, str]:
    """Return what the sections ``Args:`` and ``Attributes:`` of a docstring say, by name."""
    found: dict[str, str] = {}
    section, name = "", ""
    for line in inspect.cleandoc(docstring).splitlines():
        if line and not line.startswith(" "):
            section = line
        elif section not in ("Args:", "Attributes:") or not line:
            continue
        elif not line.startswith("     "):
            name, _, text = line.strip().partition(": ")
            found[name] = text
        else:
            found[name] += f" {line.strip()}"
    return {name: text.replace("``", "").rstrip(".") for name, text in found.items()}


def _plain(value: Any) -> Any:
    """Return a value as YAML would hold it: with lists for tuples."""
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
