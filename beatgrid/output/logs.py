"""Log lines that any terminal may show."""

from __future__ import annotations

import logging

from beatgrid.files import printable


class PrintableFormatter(logging.Formatter):
    """Shows control characters of names in messages as escapes; a warning of Python stays whole."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Escape the message, not the traceback that may follow it."""
        lines = record.message.split("\n") if record.name == "py.warnings" else [record.message]
        record.message = "\n".join(map(printable, lines))
        return super().formatMessage(record)
