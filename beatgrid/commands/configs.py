"""Where the configurations are, and what their files say about themselves.

``conf/`` lies at the top of a checkout and inside an installed package. A key is described once,
by a comment in its file or, where its default is a signature's, by the docstring there
(``beatgrid.commands.signatures``): help is made from both (``beatgrid.commands.manual``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from beatgrid.checks import shown
from beatgrid.commands.signatures import GROUP, read_signature

_PACKAGE = Path(__file__).resolve().parents[1]
CONF = next(
    (folder for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if folder.is_dir()),
    _PACKAGE / "conf",
)

# What no user sets: Hydra's own, and the classes behind a group.
_HIDDEN = ("defaults", "hydra", "_target_", "_convert_")


@dataclass(frozen=True)
class Setting:
    """A key of a configuration file.

    Attributes:
        key: With the keys above it: ``data.target.shape``.
        value: Default as the file spells it; empty for a key that only holds others.
        comment: What the file says of it, behind it or in the lines above.
    """

    key: str
    value: str
    comment: str


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file as a reader sees it.

    Attributes:
        about: The comment it begins with, without ``@package``.
        settings: Its keys in order, nested ones too.
        bases: Files of the same folder that it builds on.
        signatures: Key (empty for its own place) and name of the signatures whose options it has.
        groups: Group and chosen option (None for none) of its defaults.
        package: Key that its own are under, where that is not its group.
    """

    about: str
    settings: tuple[Setting, ...]
    bases: tuple[str, ...]
    signatures: dict[str, str]
    groups: dict[str, str | None]
    package: str | None = None


def read_config(path: Path) -> ConfigFile:
    """Read one file of ``conf/``, comments included."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    n_about = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    about = [line[2:] for line in lines[:n_about] if not line.startswith("# @")]
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    settings: list[Setting] = []
    if isinstance(node, yaml.MappingNode):
        _collect(node, "", text, [*[""] * n_about, *lines[n_about:]], settings)
    defaults: list[Any] = (yaml.safe_load(text) or {}).get("defaults", [])
    entries = {k: v for entry in defaults if isinstance(entry, dict) for k, v in entry.items()}
    mark = f"/{GROUP}@"
    signatures = {
        key.removeprefix(mark).replace("_here_", ""): name
        for key, name in entries.items()
        if key.startswith(mark)
    }
    groups = {
        group: option
        for group, option in entries.items()
        if not group.startswith(("override ", mark))
    }
    bases = tuple(
        entry.partition("@")[0]  # OPTION@_here_
        for entry in defaults
        if isinstance(entry, str) and entry != "_self_"
    )
    package = re.search(r"^# @package (\w+)", text)
    return ConfigFile(
        about="\n".join(about).strip(),
        settings=tuple(settings),
        bases=bases,
        signatures=signatures,
        groups=groups,
        package=package[1] if package else None,
    )


def options(group: str) -> list[str]:
    """Return the names that a group may take."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def group_settings(group: str, option: str) -> list[Setting]:
    """Return the keys of a group's option, those of the options it builds on included."""
    config = read_config(CONF / group / f"{option}.yaml")
    found = {s.key: s for base in config.bases for s in group_settings(group, base)}
    found |= {s.key: s for s in signature_settings(config, config.package or group)}
    for setting in config.settings:
        key = f"{config.package or group}.{setting.key}"
        comment = setting.comment or (found[key].comment if key in found else "")
        found[key] = Setting(key, setting.value, comment)
    return list(found.values())


def signature_settings(config: ConfigFile, place: str = "") -> list[Setting]:
    """Return the keys that a file takes from signatures, below the key ``place``."""
    return [
        Setting(
            ".".join(filter(None, (place, below, argument.name))),
            shown(argument.default),
            argument.about,
        )
        for below, name in config.signatures.items()
        for argument in read_signature(name)
    ]


def _collect(
    node: yaml.MappingNode, prefix: str, text: str, lines: list[str], found: list[Setting]
) -> None:
    """Append the settings below a node, depth first."""
    for key_node, value_node in node.value:
        if key_node.value in _HIDDEN:
            continue
        key = prefix + key_node.value
        nested = isinstance(value_node, yaml.MappingNode) and not value_node.flow_style
        end = key_node.end_mark if nested else value_node.end_mark
        comment = _behind(lines, end.line, end.column) or _above(lines, key_node.start_mark.line)
        if not nested:
            value = text[value_node.start_mark.index : value_node.end_mark.index]
            found.append(Setting(key, value, comment))
            continue
        if comment:
            found.append(Setting(key, "", comment))
        _collect(value_node, f"{key}.", text, lines, found)


def _behind(lines: list[str], line: int, column: int) -> str:
    """Return the comment behind a place in a line, and what goes on in the same column below."""
    begin = re.compile(r"(?:^|[\s:])(?=#)").search(lines[line], column)
    if begin is None:
        return ""
    last, margin = line + 1, " " * begin.end() + "#"
    while last < len(lines) and lines[last].startswith(margin):
        last += 1
    return " ".join(below[begin.end() :].lstrip("# ").strip() for below in lines[line:last])


def _above(lines: list[str], line: int) -> str:
    """Return the comment in the lines directly above one, in the same column."""
    first = line
    margin = " " * (len(lines[line]) - len(lines[line].lstrip())) + "#"
    while first > 0 and lines[first - 1].startswith(margin):
        first -= 1
    return " ".join(above.strip().lstrip("# ") for above in lines[first:line])
