"""Names, files and commands that documentation mentions exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "beatgrid"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(
    path
    for folder in (ROOT, ROOT / "beatgrid", ROOT / "data", ROOT / "docs", ROOT / "experiments")
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
CODE = re.compile(r"``?([^`\n]+)``?")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
FILE = re.compile(r"[\w./-]+\.(py|sh|md|yaml|json|tsv|csv|png)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:python|sh) ([\w./-]+\.(?:py|sh))")
MADE_BY_RUNS = {  # what commands write; their documentation names it
    *("spec.json", "splits.json", "metrics.json", "evaluation.json", "tracks.csv", "config.yaml"),
    "summary.csv",
}


def exists(name: str, module: str) -> bool:
    """Whether a dotted name can be resolved, from the top or beside a module.

    Only names that begin with ``beatgrid`` or with a module beside are judged; all others, and
    keys of the configuration (``data.audio_dir``), are taken to exist.
    """
    package, _, _ = module.rpartition(".")
    head = name.partition(".")[0]
    if head != "beatgrid":
        is_key = (ROOT / "conf" / head).is_dir()
        if is_key or not package or not ROOT.joinpath(*package.split("."), f"{head}.py").exists():
            return True
        name = f"{package}.{name}"
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return part in getattr(found, "__dataclass_fields__", {})
            found = getattr(found, part)
        return True
    return False


def docstrings(path: Path) -> Iterator[str]:
    """All docstrings of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(ast.Constant(str(text))):
                yield text


def module_name(path: Path) -> str:
    """Dotted name; a package's is that of its ``__init__``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def stale_names(texts: Iterator[str], module: str) -> list[str]:
    """Dotted names in backticks that cannot be resolved."""
    spans = (span for text in texts for span in CODE.findall(text))
    names = (span for span in spans if DOTTED.fullmatch(span) and not FILE.fullmatch(span))
    return [name for name in names if not exists(name, module)]


def stale_files(page: Path) -> list[str]:
    """Links, files in backticks and scripts in commands that are not there."""
    text = page.read_text(encoding="utf-8")
    links = (link for link in LINK.findall(text) if "://" not in link)
    stale = [link for link in links if not (page.parent / link).exists()]
    for name in filter(FILE.fullmatch, CODE.findall(text)):
        placeholder = any(part.isupper() for part in re.split(r"[/.]", name))
        ours = "/" in name or name.endswith((".py", ".sh"))
        if ours and not placeholder and Path(name).name not in MADE_BY_RUNS:
            found = any((base / name).exists() for base in (page.parent, ROOT, PACKAGE))
            stale += [] if found else [name]
    stale += [name for name in COMMAND.findall(text) if not (ROOT / name).exists()]
    return stale


def test_names_in_docstrings_exist():
    stale = {
        module_name(path): names
        for path in SOURCES
        if (names := stale_names(docstrings(path), module_name(path)))
    }
    assert stale == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_files_and_commands_in_pages_exist(page):
    assert stale_names(iter([page.read_text(encoding="utf-8")]), "") == []
    assert stale_files(page) == []


def test_the_checks_can_fail(tmp_path):
    assert not exists("beatgrid.grid.Gridd", "")
    assert not exists("beatgrid.no_such_module", "")
    assert not exists("drums.KITS", "beatgrid.rendering.generator.template")
    assert exists("kits.KITS", "beatgrid.rendering.generator.template")
    assert exists("data.audio_dir", "beatgrid.rendering.generator.template")
    assert exists("beatgrid.grid.Grid.bpm", "")
    page = tmp_path / "page.md"
    page.write_text("[a](gone.md) `beatgrid/gone.py` `page.md`\n\n    python gone/run.py x=1\n")
    assert stale_files(page) == ["gone.md", "beatgrid/gone.py", "gone/run.py"]
