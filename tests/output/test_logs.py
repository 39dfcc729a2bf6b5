import logging

from beatgrid.output.logs import PrintableFormatter


def record(name, message):
    return logging.LogRecord(name, logging.WARNING, "", 0, message, (), None)


def test_names_cannot_move_the_cursor_or_break_the_line():
    shown = PrintableFormatter("%(levelname)s: %(message)s").format(record("x", "a\x1b[2J\nb.wav"))
    assert shown == r"WARNING: a\x1b[2J\nb.wav"


def test_warnings_of_python_keep_their_lines():
    shown = PrintableFormatter("%(message)s").format(record("py.warnings", "x.py:1: W\n  code\x1b"))
    assert shown == "x.py:1: W\n  code\\x1b"
