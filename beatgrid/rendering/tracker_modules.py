"""A labelled set of tracker modules: rendered by libopenmpt, with grids computed from their rows.

    FOLDER/audio/NAME.flac             the part of the module whose beats are equidistant
    FOLDER/labels/NAME.labels.json     its grid, licence, and where its onsets lie

Modules whose beats are not equidistant for long enough are left out, each with its reason.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import re
import statistics
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from beatgrid.data.labels import SUFFIX, write_label
from beatgrid.errors import BeatgridError
from beatgrid.files import replacing, write_text
from beatgrid.grid import Grid
from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.onsets import CLEAR, HOP, onset_curve, residual_ms
from beatgrid.rendering.openmpt import SAMPLE_RATE, play
from beatgrid.rendering.tracker_grid import LeftOutError, SteadyStretch, find_steady

MODULE = re.compile(r"\.(mod|xm|s3m|it|stm|umx)(\.gz)?$", re.IGNORECASE)
_ONSETS_S = 60.0  # of the middle of a track are enough to detect a wrong phase
_LATE_MS = 9.0  # just under half a tick at tempo 125: later sounds belong to a later tick
_SILENT = 0.01  # peak
_PEAK = 0.98


@dataclass(frozen=True)
class Entry:
    """One module as the table of the set has it; unmeasured values are empty strings.

    Attributes:
        name: Base name of its files.
        package: The package it comes from.
        bpm: Tempo.
        rows_per_beat: The metrical level that was chosen.
        start_s: Where the stretch begins in the module as played.
        duration_s: Length of the stretch.
        downbeat: As in a label.
        onset: "row" if sounds begin with the row, "late", or "unclear".
        onset_ms: Mean onset later than the grid.
        clarity: How clearly the mean onset stands out.
        strongest_row: The row of the beat with the most onsets.
        left_out: Why the module has no place in the set; empty if it has one.
    """

    name: str
    package: str
    bpm: float | str = ""
    rows_per_beat: int | str = ""
    start_s: float | str = ""
    duration_s: float | str = ""
    downbeat: str = ""
    onset: str = ""
    onset_ms: float | str = ""
    clarity: float | str = ""
    strongest_row: int | str = ""
    left_out: str = ""


def find_modules(package_dir: Path) -> list[Path]:
    """Find the module files of all unpacked packages, by their names alone.

    Raises:
        BeatgridError: There are none.
    """
    modules = sorted(path for path in package_dir.rglob("*") if MODULE.search(path.name))
    if not modules:
        raise BeatgridError(f"{package_dir}: no modules; run experiments/results/install.sh first")
    return modules


def write_modules(
    modules: Sequence[Path],
    package_dir: Path,
    folder: Path,
    min_duration_s: float,
    max_duration_s: float,
) -> Iterator[Entry]:
    """Render modules into ``folder``, one per step; what an earlier run left of others goes.

    Args:
        modules: Files below ``package_dir``; a file whose content came before is left out.
        package_dir: Holds a folder per unpacked package.
        folder: Gets ``audio`` and ``labels``.
        min_duration_s: A shorter stretch of equidistant beats is none.
        max_duration_s: Playing stops there.

    Yields:
        One entry per module, in the order given.
    """
    names: set[str] = set()
    name_of_content: dict[str, str] = {}
    for path in modules:
        package = path.relative_to(package_dir).parts[0]
        name = _name(package, path, names)
        names.add(name)
        try:
            content = _content(path)
            digest = hashlib.sha256(content).hexdigest()
            if digest in name_of_content:
                raise LeftOutError(f"the same file as {name_of_content[digest]}")
            samples, rows = play(content, max_duration_s)
            name_of_content[digest] = name
            steady = find_steady(rows, len(samples), min_duration_s)
            yield _write(samples, steady, folder, name, package, license_of(path, package_dir))
        except BeatgridError as reason:
            _label_path(folder, name).unlink(missing_ok=True)
            _audio_path(folder, name).unlink(missing_ok=True)
            yield Entry(name, package, left_out=str(reason))


def write_table(path: str | Path, entries: Sequence[Entry]) -> None:
    """Write the entries, separated by tabs, under a line of column names."""
    columns = [field.name for field in fields(Entry)]
    lines = [columns, *([str(getattr(entry, name)) for name in columns] for entry in entries)]
    write_text(path, "".join("\t".join(line) + "\n" for line in lines))


def summary(entries: Sequence[Entry]) -> str:
    """Return the set by package as a Markdown table, and why modules were left out."""
    kept = [entry for entry in entries if not entry.left_out]
    rows: list[tuple[object, ...]] = []
    sizes = Counter(entry.package for entry in kept)
    named = sorted(package for package, size in sizes.items() if size > 2)
    groups = {package: [e for e in kept if e.package == package] for package in named}
    groups["others"] = [e for e in kept if e.package not in named]
    for package, part in (groups | {"all": kept}).items():
        if part:
            bpm = sorted(float(e.bpm) for e in part)
            minutes = sum(float(e.duration_s) for e in part) / 60
            clear_ms = [float(e.onset_ms) for e in part if e.onset != "unclear"]
            onset = f"{statistics.median(clear_ms):+.1f}" if clear_ms else ""
            rows.append((package, len(part), f"{minutes:.1f}", f"{bpm[0]:g} .. {bpm[-1]:g}", onset))
    lines = markdown_table(("package", "modules", "min", "BPM", "onset (ms), median"), rows)
    lines.append(f"{len(kept)} of {len(entries)} files have a grid")
    reasons = Counter(e.left_out.partition(" as ")[0] for e in entries if e.left_out)
    lines += [f"{count:4} left out: {reason}" for reason, count in reasons.most_common()]
    return "\n".join(lines)


def license_of(module: Path, package_dir: Path) -> str | None:
    """Return the licence by the package's machine-readable copyright file, None without one."""
    package = module.relative_to(package_dir).parts[0]
    path = package_dir / package / "usr/share/doc" / package / "copyright"
    if not path.exists():
        return None
    found = None
    for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8", errors="replace")):
        files = re.search(r"^Files:((?:.*\n)(?:[ \t].*\n)*)", stanza, re.MULTILINE)
        name = re.search(r"^License:[ \t]*(\S.*)$", stanza, re.MULTILINE)
        # A file's path in the source is the end of its path in the package, more or less.
        if (
            files
            and name
            and any(
                fnmatch.fnmatch(str(module), f"*/{pattern.rstrip(',')}")
                for pattern in files[1].split()
            )
        ):
            found = name[1].strip()  # the last stanza that matches counts
    return found


def strongest_row(samples: NDArray[np.float32], grid: Grid, rows_per_beat: int) -> int:
    """Return the row of the beat on which most sounds begin, 0 where the phase is right.

    Args:
        samples: float32 (samples,) mono at ``SAMPLE_RATE``.
        grid: Beats of the samples.
        rows_per_beat: How many to choose from.
    """
    curve = onset_curve(samples)
    beats = grid.beat_times(len(samples) / SAMPLE_RATE)[:-1]
    rows = beats[:, None] + np.arange(rows_per_beat) * grid.period_s / rows_per_beat
    frames = np.round(rows * SAMPLE_RATE / HOP).astype(int)
    near = np.stack([curve[np.clip(frames + k, 0, len(curve) - 1)] for k in range(-4, 16)])
    return int(near.max(axis=0).mean(axis=0).argmax())


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix.lower() == ".gz" else content


def _write(
    samples: NDArray[np.float32],
    steady: SteadyStretch,
    folder: Path,
    name: str,
    package: str,
    license: str | None,
) -> Entry:
    """Write audio and label of one module's stretch."""
    samples = samples[steady.first : steady.last]
    peak = float(np.abs(samples).max())
    if peak < _SILENT:
        raise LeftOutError("silent")
    samples = samples * np.float32(min(1.0, _PEAK / peak))
    duration_s = len(samples) / SAMPLE_RATE
    audio_path = _audio_path(folder, name)
    with replacing(audio_path) as temporary:
        soundfile.write(temporary, samples, SAMPLE_RATE, subtype="PCM_16")
    begin = max(0, int((duration_s - _ONSETS_S) / 2 * SAMPLE_RATE))
    middle = samples[begin : begin + int(_ONSETS_S * SAMPLE_RATE)]
    grid = Grid(steady.grid.bpm, steady.grid.offset_s - begin / SAMPLE_RATE)
    onset_ms, clarity = residual_ms(middle, grid)
    onset = _onset_kind(onset_ms, clarity)
    write_label(
        _label_path(folder, name),
        steady.grid,
        duration_s,
        audio_path.name,
        steady.downbeat,
        genre="tracker",
        source=f"Debian: {package}",
        license=license,
        split="test",
        group=package,
        rowsPerBeat=steady.rows_per_beat,
        suspect="octave",  # rows per beat are a custom: forgive a factor of two
        onset=onset,
    )
    return Entry(
        name,
        package,
        bpm=round(steady.grid.bpm, 3),
        rows_per_beat=steady.rows_per_beat,
        start_s=round(steady.first / SAMPLE_RATE, 2),
        duration_s=round(duration_s, 1),
        downbeat=steady.downbeat,
        onset=onset,
        onset_ms=round(onset_ms, 1),
        clarity=round(clarity, 2),
        strongest_row=strongest_row(middle, grid, steady.rows_per_beat),
    )


def _audio_path(folder: Path, name: str) -> Path:
    return folder / "audio" / f"{name}.flac"


def _label_path(folder: Path, name: str) -> Path:
    return folder / "labels" / f"{name}{SUFFIX}"


def _onset_kind(onset_ms: float, clarity: float) -> str:
    """Tell whether sounds begin with the row: arpeggios and soft samples come a tick late."""
    if clarity < CLEAR:
        return "unclear"
    return "row" if abs(onset_ms) <= _LATE_MS else "late"


def _name(package: str, path: Path, taken: Collection[str]) -> str:
    stem = MODULE.sub("", path.name)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{package.removesuffix('-data')}-{stem}")
    return name if name not in taken else f"{name}-{sum(n.startswith(name) for n in taken) + 1}"
