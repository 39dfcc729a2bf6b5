"""The index of a folder of results as a file that is opened, damaged and closed."""

import sqlite3

import pytest

from beatgrid.output.index import NAME, ResultIndex


def test_a_damaged_index_is_closed_before_another_is_begun(tmp_path, connections):
    (tmp_path / NAME).write_bytes(b"x" * 9999)
    with ResultIndex(tmp_path) as index:
        assert list(index.records()) == []
    assert len(connections) == 2
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
