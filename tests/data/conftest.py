"""A folder of audio and labels that a test fills."""

import json
from pathlib import Path

import pytest

from beatgrid.data.discovery import discover


@pytest.fixture
def folder(tmp_path: Path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "labels").mkdir()

    def add(name: str, audio: str | None = None, content: bytes | None = None, **label) -> None:
        if audio is not None:
            path = tmp_path / "audio" / audio
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if content is not None else name.encode() * 3)
        text = json.dumps({"bpm": 120, **label})
        (tmp_path / "labels" / f"{name}.labels.json").write_text(text)

    add.root = tmp_path
    add.discover = lambda: discover(tmp_path / "audio", tmp_path / "labels")
    return add
