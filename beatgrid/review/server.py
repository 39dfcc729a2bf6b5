"""From a folder to a running review page on a port of this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from beatgrid.errors import BeatgridError
from beatgrid.output.index import ResultIndex
from beatgrid.output.summary import SUMMARY, write_summary
from beatgrid.review.app import ReviewApp
from beatgrid.review.finding import Finding
from beatgrid.review.material import Materials
from beatgrid.review.run import Run
from beatgrid.review.security import new_token
from beatgrid.review.tracks import Tracks

if TYPE_CHECKING:
    from beatgrid.predictor import Predictor

HOST = "127.0.0.1"


def serve(
    run: Run,
    labels: Path,
    load: Callable[[], Predictor],
    finding: Finding | None,
    port: int = 0,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve the review page until Ctrl-C.

    Args:
        run: The folder of results.
        labels: Where labels go.
        load: Makes the predictor that computes activations.
        finding: What finds grids; None where there is nothing to find.
        port: To listen on; 0 for a free one.
        ready: Called with the address, token and all, as soon as it can be opened.

    Raises:
        BeatgridError: The port is taken.
    """
    token = new_token()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(contextlib.closing(_listen(port)))
        port = listener.getsockname()[1]
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="beatgrid-review-"))
        materials = Materials(Path(folder), load)
        stack.callback(materials.close)
        if finding is not None:
            stack.callback(finding.close)
        stack.enter_context(_summary_kept(run))
        app = ReviewApp(Tracks(run, labels, materials), finding, token, port)
        server = uvicorn.Server(
            uvicorn.Config(app.asgi, log_level="warning", access_log=False, server_header=False)
        )
        ready(f"http://{HOST}:{port}/?token={token}")
        # Uvicorn ends in peace, then raises the signal that ended it again.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def open_browser(url: str) -> None:
    """Open an address in a browser with windows, if there is one: others would take the terminal.

    The address is opened from a thread of its own process; that it cannot be is no error.
    """
    has_windows = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if has_windows:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # who opens the address at once waits, and is not refused
    except OSError as error:
        listener.close()
        raise BeatgridError(
            f"port={port}: cannot be used ({error.strerror}); choose another, or 0 for a free one"
        ) from error
    return listener


@contextlib.contextmanager
def _summary_kept(run: Run) -> Iterator[None]:
    """Bring the folder's summary up to date at the end, if it has one."""
    version = run.version
    yield
    if run.version != version and (run.folder / SUMMARY).exists():
        with contextlib.suppress(OSError, BeatgridError), ResultIndex(run.folder) as index:
            write_summary(index)
