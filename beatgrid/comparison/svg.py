"""Pieces of SVG as text. Styles are classes of the page; whatever is shown is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """Return a drawing of these parts, with a title for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{html.escape(title)}">{"".join(parts)}</svg>'
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def dot(x: float, y: float, radius: float, style: str, title: str) -> str:
    """Return a dot that says its title under the pointer."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{style}">'
        f"<title>{html.escape(title)}</title></circle>"
    )


def bar(x: float, y: float, width: float, height: float, style: str, title: str) -> str:
    """Return a bar that says its title under the pointer."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'class="{style}"><title>{html.escape(title)}</title></rect>'
    )


def text(x: float, y: float, text: str, anchor: str = "start", style: str = "") -> str:
    """Return a text; its anchor is ``start``, ``middle`` or ``end``."""
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{html.escape(text)}</text>'
