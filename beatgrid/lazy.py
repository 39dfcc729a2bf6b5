"""Names that a package offers and imports on first use.

Reading audio needs no torch and finding a grid no decoder; with names imported only when asked
for (PEP 562), a program pays for what it uses and no more.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any


def offer(package: str, **names_by_module: Sequence[str]) -> tuple[list[str], Callable[[str], Any]]:
    """Make a package's ``__all__`` and ``__getattr__``.

    Args:
        package: The package's ``__name__``.
        **names_by_module: For each of its modules, the names that the package offers.

    Returns:
        (all names sorted, what looks one up).
    """
    module_of = {name: module for module, names in names_by_module.items() for name in names}

    def look_up(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)

    return sorted(module_of), look_up
