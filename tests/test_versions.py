"""What the package says of Python and its dependencies is what is tried."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What users install; the others are for development, with the pins of constraints.txt alone.
USERS = sorted(EXTRAS.keys() - {"dev", "docs", "onnx"})


def requirements(*extras: str) -> list[Requirement]:
    """The package's own requirements and those of extras, without references among extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [r for line in lines if (r := Requirement(line)).name != "beatgrid"]


def pins(file: str) -> dict[str, Version]:
    """The exact versions in a constraints file, by canonical name."""
    lines = (line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines())
    found = (Requirement(line) for line in lines if line)
    return {canonicalize_name(r.name): Version(str(r.specifier).removeprefix("==")) for r in found}


def lower_bound(requirement: Requirement) -> Version | None:
    """The version of a requirement's ``>=``."""
    bounds = [Version(s.version) for s in requirement.specifier if s.operator == ">="]
    return bounds[0] if bounds else None


@pytest.mark.parametrize("requirement", requirements(*USERS), ids=str)
def test_a_lower_bound_is_the_release_that_is_tried(requirement):
    tried = pins("constraints-oldest.txt").get(canonicalize_name(requirement.name))
    assert tried == lower_bound(requirement)


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=str)
def test_each_requirement_is_pinned_within_its_bounds(requirement):
    pinned = pins("constraints.txt")[canonicalize_name(requirement.name)]
    assert pinned in requirement.specifier


def test_the_pythons_of_the_package_are_those_that_make_accepts():
    first, last = map(
        int, re.search(r"\(3, (\d+)\) <= v\[:2\] <= \(3, (\d+)\)", _text("Makefile")).groups()
    )
    pythons = [f"3.{minor}" for minor in range(first, last + 1)]
    named = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3" in c]
    assert named == pythons
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert f"Python {pythons[0]} to {pythons[-1]}" in _text("README.md")


def _text(file: str) -> str:
    return (ROOT / file).read_text()
