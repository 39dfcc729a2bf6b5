"""Sphinx directives whose text the package itself knows: a command's help, a JSON schema's keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from beatgrid.commands.manual import command_help
from beatgrid.commands.program import program_help


class CommandHelp(SphinxDirective):
    """What ``beatgrid COMMAND --help`` prints, or ``beatgrid --help`` without an argument."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the help as a literal block."""
        if self.arguments:
            (name,) = self.arguments
            text = command_help(name.replace("-", "_"), f"beatgrid {name}")
        else:
            text = program_help()
        return [nodes.literal_block(text, text, language="text")]


class SchemaKeys(SphinxDirective):
    """A table of the keys of a JSON schema, a file that is named from the top of the checkout."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table: key, type, meaning."""
        path = Path(self.env.srcdir, self.arguments[0])
        self.env.note_dependency(str(path))
        schema = json.loads(path.read_text(encoding="utf-8"))
        table, group, body = nodes.table(), nodes.tgroup(cols=3), nodes.tbody()
        table += group
        for width in (25, 20, 55):
            group += nodes.colspec(colwidth=width)
        head = nodes.thead()
        head += _row(*(nodes.Text(title) for title in ("key", "type", "meaning")))
        group += [head, body]
        for key, about, definition in described(schema):
            body += _row(
                nodes.literal(key, key),
                nodes.Text(_type(definition)),
                nodes.Text(about),
            )
        return [table]


def described(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield the dotted key, the description and the definition of all that a schema knows."""
    for key, definition in schema.get("properties", {}).items():
        name = f"{above}{key}"
        yield name, definition.get("description", ""), definition
        inner = definition.get("items", {})
        yield from described(definition, f"{name}.")
        yield from described(inner, f"{name}[].")


def _type(definition: Mapping[str, Any]) -> str:
    if "enum" in definition:
        return " | ".join("null" if value is None else str(value) for value in definition["enum"])
    if "const" in definition:
        return str(definition["const"])
    kinds = definition.get("type", "any")
    return kinds if isinstance(kinds, str) else " | ".join(kinds)


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


_CHECKED = re.compile(
    r"~?typing\.Annotated\[([^\[\],]+(?:\[[^\[\]]*\])?), ~?beatgrid\.checks\.\w+\([^()]*\)\]"
)


def without_checks(signature: str | None) -> str | None:
    """Return a signature in which ``Annotated[float, Interval(...)]`` is ``float``."""
    while signature and (plain := _CHECKED.sub(r"\1", signature)) != signature:
        signature = plain
    return signature


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("command-help", CommandHelp)
    app.add_directive("schema-keys", SchemaKeys)
    app.connect(
        "autodoc-process-signature",
        lambda app, what, name, it, options, signature, returned: (
            without_checks(signature),
            returned,
        ),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
