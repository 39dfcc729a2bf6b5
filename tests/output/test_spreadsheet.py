import csv
import io
from pathlib import Path

import pytest

from beatgrid.output.spreadsheet import cell, plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (174.123456789123, "174.123457"),
        (7, "7"),
        ("a, b", '"a, b"'),
        (Path("x/y.mp3"), "x/y.mp3"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("-1.mp3", "'-1.mp3"),
        ("\t=x", "\\t=x"),
        ("a\x1b[31m\nb", "a\\x1b[31m\\nb"),
        ("b\udce9.mp3", "b\\udce9.mp3"),
    ],
)
def test_cells(value, text):
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([cell(value), "end"])
    assert line.getvalue() == f"{text},end"


@pytest.mark.parametrize("text", ["=x", "-1.mp3", "'n' Sync.mp3", "a", ""])
def test_the_mark_of_plain_text_comes_off(text):
    assert plain(cell(text)) == text
