"""The ledger of exported files as a file that is opened, damaged and closed."""

import sqlite3

import pytest

from beatgrid.errors import BeatgridError
from beatgrid.export.ledger import NAME, Ledger


def test_a_damaged_ledger_is_told_and_closed(tmp_path, connections):
    (tmp_path / NAME).write_bytes(b"x" * 9999)
    with pytest.raises(
        BeatgridError, match=r"out=.*: cannot be written to \(file is not a database"
    ):
        Ledger(tmp_path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[0].execute("SELECT 1")
