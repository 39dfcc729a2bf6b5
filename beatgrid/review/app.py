"""The addresses of the review page, and what each answers."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from beatgrid.errors import BeatgridError
from beatgrid.output.result import displayable
from beatgrid.review.finding import Finding
from beatgrid.review.run import CHECKED, COLUMNS, Run
from beatgrid.review.security import Guard
from beatgrid.review.tracks import ConflictError, Tracks, read_json

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 100_000
_BINARY = "application/octet-stream"


class ReviewApp:
    """The application: an ASGI callable in ``asgi``.

    Args:
        tracks: Of the run.
        finding: The child that finds grids; None where the folder holds results only.
        token: That every request carries.
        port: That the server listens on.
    """

    def __init__(self, tracks: Tracks, finding: Finding | None, token: str, port: int) -> None:
        self._tracks = tracks
        self._finding = finding
        track = "/api/tracks/{track_id:str}"
        app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/run", self._run),
                Route("/api/tracks", self._rows),
                Route("/api/find", self._find, methods=["POST"]),
                Route(track, self._track),
                Route(f"{track}/edit", self._edit, methods=["POST"]),
                Route(f"{track}/accept", self._accept, methods=["POST"]),
                Route(f"{track}/withdraw", self._withdraw, methods=["POST"]),
                Route(f"{track}/prepare", self._prepare, methods=["POST"]),
                Route(f"{track}/audio.wav", self._audio),
                Route(f"{track}/waveform", self._waveform),
                Route(f"{track}/activation", self._activation),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            exception_handlers={
                KeyError: _answer(404, "there is no such track"),
                ConflictError: _answer(409),
                BeatgridError: _answer(400),
            },
        )
        self.asgi: ASGIApp = Guard(app, token, port)

    async def _page(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _run(self, request: Request) -> Response:
        return JSONResponse(await run_sync(self._described_run))

    def _described_run(self) -> dict[str, Any]:
        run, finding = self._tracks.run, self._finding
        state = finding.state if finding is not None else None
        if state not in (None, "idle"):
            run.refresh()
        rows = run.rows()
        return {
            "folder": displayable(str(run.folder)),
            "music": None if run.music is None else displayable(str(run.music)),
            "labels": displayable(str(self._tracks.labels)),
            "audio_root": displayable(str(run.audio_root())) if rows else None,
            "version": run.version,
            "n_tracks": len(rows),
            "n_checked": sum(row.state in CHECKED for row in rows),
            "finding": None
            if finding is None
            else {"state": state, "n_files": finding.n_files, "message": finding.message},
        }

    async def _rows(self, request: Request) -> Response:
        def rows() -> bytes:
            run: Run = self._tracks.run
            if request.query_params.get("refresh"):
                run.refresh()
            content = {
                "version": run.version,
                "columns": COLUMNS,
                "rows": [dataclasses.astuple(row) for row in run.rows()],
            }
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

        return Response(await run_sync(rows), media_type="application/json")

    async def _find(self, request: Request) -> Response:
        finding = self._finding
        if finding is None:
            raise BeatgridError("this folder holds results: there is nothing to find")
        wanted = await _body(request)
        await run_sync(finding.start if wanted.get("run") is True else finding.stop)
        return await self._run(request)

    async def _track(self, request: Request) -> Response:
        track_id = request.path_params["track_id"]

        def described() -> dict[str, Any]:
            self._tracks.material(track_id, retry=True)
            return self._tracks.describe(track_id)

        return JSONResponse(await run_sync(described))

    async def _edit(self, request: Request) -> Response:
        body = await _body(request)
        edit = body.get("edit")
        if not isinstance(edit, dict):
            raise BeatgridError("edit: must be an object")
        return await self._changed(
            request, lambda track_id: self._tracks.edit(track_id, _revision(body), edit)
        )

    async def _accept(self, request: Request) -> Response:
        revision = _revision(await _body(request))
        return await self._changed(request, lambda i: self._tracks.accept(i, revision))

    async def _withdraw(self, request: Request) -> Response:
        revision = _revision(await _body(request))
        return await self._changed(request, lambda i: self._tracks.withdraw(i, revision))

    async def _changed(self, request: Request, change: Callable[[str], dict[str, Any]]) -> Response:
        return JSONResponse(await run_sync(change, request.path_params["track_id"]))

    async def _prepare(self, request: Request) -> Response:
        await run_sync(self._tracks.material, request.path_params["track_id"])
        return Response(status_code=204)

    async def _audio(self, request: Request) -> Response:
        material = self._tracks.material(request.path_params["track_id"])
        sound = await run_sync(material.sound.result)
        return FileResponse(sound.wav, media_type="audio/wav")

    async def _waveform(self, request: Request) -> Response:
        """All levels in one: how many there are, blocks of each, samples; then the blocks."""
        material = self._tracks.material(request.path_params["track_id"])
        waveform = (await run_sync(material.sound.result)).waveform
        sizes = [len(level) for level in waveform.levels]
        header = struct.pack(f"<{len(sizes) + 2}I", len(sizes), *sizes, waveform.n_samples)
        parts = [level.tobytes() for level in waveform.levels]
        return Response(b"".join((header, *parts)), media_type=_BINARY)

    async def _activation(self, request: Request) -> Response:
        """Frame rate, frames, channels; then each channel's probabilities times 255."""
        material = self._tracks.material(request.path_params["track_id"])
        activation = (await run_sync(material.heard.result)).activation
        channels = [activation.beat]
        if activation.downbeat is not None:
            channels.append(activation.downbeat)
        header = struct.pack("<dII", activation.frame_rate, len(activation), len(channels))
        parts = [np.rint(255 * channel).astype(np.uint8).tobytes() for channel in channels]
        return Response(b"".join((header, *parts)), media_type=_BINARY)


def _answer(status: int, message: str | None = None) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        text = message or displayable(str(error))
        return JSONResponse({"error": text}, status_code=status)

    return answer


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request holds.

    Raises:
        BeatgridError: It is none, or too long.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise BeatgridError(f"the request holds more than {MAX_BODY_BYTES} bytes")
    return dict(read_json(body))


def _revision(body: dict[str, Any]) -> int:
    revision = body.get("revision")
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise BeatgridError("revision: must be a whole number")
    return revision
