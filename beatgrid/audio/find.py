"""Find audio files: by name, in folders, by pattern."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from beatgrid.errors import AudioError, BeatgridError

AUDIO_SUFFIXES = (
    *("", ".mp3", ".m4a", ".wav", ".flac", ".ogg", ".aif", ".aiff"),
    *(".aac", ".opus", ".webm"),
)


def find_audio(patterns: str | Iterable[str]) -> list[Path]:
    """The audio files that a file name, a folder, a glob pattern or a list of these means.

    A folder is searched with all its sub-folders, for the known suffixes; ``**`` in a pattern
    matches any depth. Each file comes once, in the order of the patterns, sorted within each.

    Raises:
        AudioError: A pattern that means no file.
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and _is_audio_name(p))
            if not files:
                raise AudioError(
                    f"audio={pattern}: no audio in this folder (looked for "
                    f"{' '.join(s for s in AUDIO_SUFFIXES if s)}); name another, or the file itself"
                )
        elif path.exists():
            files = [path]
        else:
            files = _glob(path)
            if not files:
                raise AudioError(f"audio={pattern}: no such file or folder; check the path")
        found.update(dict.fromkeys(files))
    if not found:
        raise BeatgridError("audio=: names no file; give a file, a folder, a pattern or a list")
    return list(found)


def _is_audio_name(path: Path) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES[1:] and not path.name.startswith(".")


def _glob(pattern: Path) -> list[Path]:
    base = Path(pattern.anchor)
    relative = pattern.relative_to(base) if pattern.anchor else pattern
    return sorted(path for path in base.glob(str(relative)) if path.is_file())
