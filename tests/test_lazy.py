"""Packages that import their names on first use."""

import sys

import pytest

from beatgrid.lazy import offer


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package ``lazyhouse`` of two modules, one of which cannot be imported."""
    folder = tmp_path / "lazyhouse"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from beatgrid.lazy import offer\n"
        "__all__, __getattr__ = offer(__name__, good=('b', 'a'), broken=('c',))\n"
    )
    (folder / "good.py").write_text("a, b = 1, 2\n")
    (folder / "broken.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "lazyhouse"
    for name in [name for name in sys.modules if name.partition(".")[0] == "lazyhouse"]:
        del sys.modules[name]


def test_names_are_imported_when_asked_for(package):
    house = __import__(package)
    assert house.__all__ == ["a", "b", "c"]
    assert "lazyhouse.good" not in sys.modules
    assert (house.a, house.b) == (1, 2)
    assert "lazyhouse.good" in sys.modules
    assert "lazyhouse.broken" not in sys.modules


def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="module 'lazyhouse' has no attribute 'd'"):
        assert __import__(package).d


def test_a_library_that_is_missing_is_named(package):
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        assert __import__(package).c


def test_an_offer_lists_all_names_sorted():
    names, look_up = offer("beatgrid", grid=("Grid", "Activation"), errors=("BeatgridError",))
    assert names == ["Activation", "BeatgridError", "Grid"]
    assert look_up("Grid").__module__ == "beatgrid.grid"
