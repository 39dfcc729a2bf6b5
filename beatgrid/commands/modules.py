"""A test set of tracker modules: rendered by libopenmpt, with grids computed from their rows.

    sh experiments/results/install.sh
    python experiments/results/modules.py

Nothing is detected: a grid is where rows 0, 4, 8 ... of every pattern begin. Modules whose beats
are not equidistant for ``min_duration_s`` are left out, each with its reason in the table.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from omegaconf import DictConfig

from beatgrid.commands.cli import entry, progress
from beatgrid.data.labels import SUFFIX, write_label
from beatgrid.errors import BeatgridError
from beatgrid.files import replacing, write_text
from beatgrid.grid import Grid
from beatgrid.rendering.onsets import onset_curve, residual_ms
from beatgrid.rendering.openmpt import BLOCK, SAMPLE_RATE, Row, library, play

MODULE = re.compile(r"\.(mod|xm|s3m|it|stm|umx)(\.gz)?$", re.IGNORECASE)
BPM_RANGE = (70.0, 200.0)
_ONSETS_S = 60.0  # of the middle of a track are enough to see a wrong phase
_CLEAR = 1.5  # as in experiments/corpus/check.py
_LATE_MS = 9.0
_SILENT = 0.01
_MAX_GAP = 4  # beats: pattern delays and jumps may hide the start of some
_ROUND_LENGTHS = {2**k for k in range(2, 9)}
_COLUMNS = (
    *("name", "package", "bpm", "rows_per_beat", "start_s", "duration_s", "downbeat"),
    *("onset", "onset_ms", "clarity", "strongest_row", "left_out"),
)


class LeftOutError(Exception):
    """A module that does not belong into the set; the message is the reason."""


@dataclass(frozen=True)
class Steady:
    """The longest stretch of a module in which beats are equidistant.

    Attributes:
        first: Sample of the rendering at which the stretch begins.
        last: Where it ends, exclusive.
        grid: Beats, in seconds from ``first``; its offset is the first row of a pattern.
        rows_per_beat: The level that was chosen.
        downbeat: "likely" where bars of four beats fill all patterns, otherwise "unknown".
    """

    first: int
    last: int
    grid: Grid
    rows_per_beat: int
    downbeat: str


def choose_rows_per_beat(rows_per_beat: int, row_s: float) -> int | None:
    """Rows of a beat at a level within ``BPM_RANGE``: a custom, not a fact.

    The module's own number (mostly the format's default of 4, that is 24 ticks at speed 6) is
    doubled while the tempo is above the range and halved, where it is even, while it is below.

    Args:
        rows_per_beat: The module's own.
        row_s: Duration of a row in seconds.

    Returns:
        None where no such level lies within the range.
    """
    slowest, fastest = BPM_RANGE
    while 60.0 / (rows_per_beat * row_s) > fastest:
        rows_per_beat *= 2
    while 60.0 / (rows_per_beat * row_s) < slowest and rows_per_beat % 2 == 0:
        rows_per_beat //= 2
    return rows_per_beat if slowest <= 60.0 / (rows_per_beat * row_s) <= fastest else None


def played_lengths(rows: Sequence[Row]) -> list[int]:
    """Rows that were played of each pattern, up to its end or a break; the last is left out."""
    starts = [
        i
        for i, (a, b) in enumerate(itertools.pairwise(rows), 1)
        if b.order != a.order or b.row == 0
    ]
    return [end - start for start, end in itertools.pairwise([0, *starts])]


def find_steady(rows: Sequence[Row], n_samples: int, min_duration_s: float) -> Steady:
    """The stretch to use.

    Args:
        rows: As played; ``start`` is exact to ``BLOCK`` samples.
        n_samples: Length of the rendering.
        min_duration_s: A shorter stretch is none.

    Raises:
        LeftOutError: there is no such stretch, or its level or its timing cannot be told.
    """
    if n_samples < min_duration_s * SAMPLE_RATE:
        raise LeftOutError(f"shorter than {min_duration_s:g} s")
    lengths = played_lengths(rows)
    if lengths and sum(length % 3 == 0 for length in lengths) > len(lengths) / 2:
        raise LeftOutError("patterns of 3 x 2^n rows: 3, 4 or 6 of them may be a beat")
    # Two rows at a time: speeds that alternate are swing, and the pair's duration is constant.
    pairs = [(b.start - a.start) / 2 for a, b in zip(rows, rows[2:], strict=False)]
    row_s = statistics.median(pairs) / SAMPLE_RATE
    module_rows_per_beat = Counter(row.rows_per_beat for row in rows).most_common(1)[0][0]
    rows_per_beat = choose_rows_per_beat(module_rows_per_beat, row_s)
    if rows_per_beat is None:
        raise LeftOutError(f"no level within {BPM_RANGE[0]:g} to {BPM_RANGE[1]:g} BPM")
    beats = [row for row in rows if row.row % rows_per_beat == 0]
    # First with a period known to a block in two rows, then with that of the whole run.
    run = _longest_run(beats, rows_per_beat * row_s * SAMPLE_RATE, (rows_per_beat / 2 + 1) * BLOCK)
    if len(run) > 1:
        run = _longest_run(beats, statistics.median(_distances(run)), 1.5 * BLOCK)
    if len(run) < 2:
        raise LeftOutError(f"tempo or phase changes: no {min_duration_s:g} s of equidistant beats")
    period, offset = exact_beats(run)
    # A run ends with its last beat, unless it is the end of the music that cut it off.
    first, last = run[0].start, run[-1].start
    if run[-1] is beats[-1]:
        last = min(n_samples, last + round(period))
    if last - first < min_duration_s * SAMPLE_RATE:
        raise LeftOutError(f"tempo or phase changes: no {min_duration_s:g} s of equidistant beats")
    bars = [row for row in run if row.row % (4 * rows_per_beat) == 0]
    head = next((row for row in run if row.row == 0), run[0])
    n_head = round((head.start - run[0].start) / period)
    in_bars = all(
        round((bar.start - head.start) / period) % 4 == 0 for bar in bars
    ) and _ROUND_LENGTHS.issuperset(lengths)
    return Steady(
        first=first,
        last=last,
        grid=Grid(60.0 * SAMPLE_RATE / period, (offset + n_head * period - first) / SAMPLE_RATE),
        rows_per_beat=rows_per_beat,
        downbeat="likely" if in_bars else "unknown",
    )


def _distances(rows: Sequence[Row]) -> list[int]:
    return [b.start - a.start for a, b in itertools.pairwise(rows)]


def _longest_run(beats: Sequence[Row], period: float, tolerance: float) -> Sequence[Row]:
    """The longest run of beats whose distances are multiples of a period, all in samples."""
    best, begin = beats[:0], 0
    for end, distance in enumerate([*_distances(beats), 0], 1):
        n_periods = round(distance / period)
        if 1 <= n_periods <= _MAX_GAP and abs(distance - n_periods * period) <= tolerance:
            continue
        if end - begin > len(best):
            best = beats[begin:end]
        begin = end
    return best


def exact_beats(run: Sequence[Row]) -> tuple[float, float]:
    """Period and first beat in samples, from the player's own arithmetic.

    A tick lasts 2.5 / tempo seconds, truncated to whole samples by most formats (up to 0.2 %
    faster than written, that is half a second in four minutes) and not by others. What explains
    the start of every beat to within the block in which it was seen is what was played.

    Raises:
        LeftOutError: neither does.
    """
    starts = np.array([row.start for row in run])
    # The tempo of the middle: at either end it may just be about to change.
    tick = 2.5 * SAMPLE_RATE / run[len(run) // 2].tempo
    seen = statistics.median(_distances(run))
    for samples_per_tick in (float(int(tick)), tick):
        period = round(seen / samples_per_tick) * samples_per_tick
        earliest = starts - np.round((starts - starts[0]) / period) * period
        low, high = earliest.max(), earliest.min() + BLOCK
        if low < high:
            # The first row of all begins with the first sample.
            return period, 0.0 if low <= starts[0] == 0 else float(low + high - 1) / 2
    raise LeftOutError("beats do not follow from ticks of one tempo")


def find_modules(package_dir: Path) -> list[Path]:
    """Module files of all unpacked packages, by their names alone."""
    return sorted(path for path in package_dir.rglob("*") if MODULE.search(path.name))


def license_of(module: Path, package_dir: Path) -> str | None:
    """Licence from the package's machine-readable copyright file, None where it has none."""
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


def strongest_row(samples: np.ndarray, grid: Grid, rows_per_beat: int) -> int:
    """The row of the beat on which sounds begin most, 0 where the phase is what it should be."""
    curve = onset_curve(samples)
    beats = grid.beat_times(len(samples) / SAMPLE_RATE)[:-1]
    rows = beats[:, None] + np.arange(rows_per_beat) * grid.period_s / rows_per_beat
    frames = np.round(rows * SAMPLE_RATE / 32).astype(int)
    near = np.stack([curve[np.clip(frames + k, 0, len(curve) - 1)] for k in range(-4, 16)])
    return int(near.max(axis=0).mean(axis=0).argmax())


@entry("modules", paths=("package_dir", "out_dir", "table"))
def main(cfg: DictConfig) -> None:
    """Render all modules that have a grid, and write the table of all."""
    if library() is None:
        raise BeatgridError("libopenmpt is missing; experiments/results/install.sh installs it")
    package_dir, out_dir = Path(cfg.package_dir), Path(cfg.out_dir)
    modules = find_modules(package_dir)
    if not modules:
        raise BeatgridError(f"{package_dir}: no modules; run experiments/results/install.sh first")
    seen: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for path in progress(modules, "modules"):
        package = path.relative_to(package_dir).parts[0]
        name = _name(package, path, {row["name"] for row in rows})
        row: dict[str, Any] = dict.fromkeys(_COLUMNS, "") | {"name": name, "package": package}
        try:
            row |= _render(path, name, package, seen, cfg, license_of(path, package_dir))
        except (LeftOutError, BeatgridError) as reason:
            row["left_out"] = str(reason)
            (out_dir / "labels" / f"{name}{SUFFIX}").unlink(missing_ok=True)
            (out_dir / "audio" / f"{name}.flac").unlink(missing_ok=True)
        rows.append(row)
    lines = ["\t".join(_COLUMNS), *("\t".join(map(str, row.values())) for row in rows)]
    write_text(cfg.table, "\n".join(lines) + "\n")
    _print_summary(rows)


def _render(
    path: Path, name: str, package: str, seen: dict[str, str], cfg: DictConfig, license: str | None
) -> dict[str, object]:
    """Renders one module, writes audio and label; its columns of the table."""
    content = path.read_bytes()
    if path.suffix.lower() == ".gz":
        content = gzip.decompress(content)
    digest = hashlib.sha256(content).hexdigest()
    if digest in seen:
        raise LeftOutError(f"the same file as {seen[digest]}")
    samples, played = play(content, cfg.max_duration_s)
    seen[digest] = name
    steady = find_steady(played, len(samples), cfg.min_duration_s)
    samples = samples[steady.first : steady.last]
    peak = float(np.abs(samples).max())
    if peak < _SILENT:
        raise LeftOutError("silent")
    samples = samples * np.float32(min(1.0, 0.98 / peak))
    duration_s = len(samples) / SAMPLE_RATE
    with replacing(Path(cfg.out_dir) / "audio" / f"{name}.flac") as temporary:
        soundfile.write(temporary, samples, SAMPLE_RATE, subtype="PCM_16")
    begin = max(0, int((duration_s - _ONSETS_S) / 2 * SAMPLE_RATE))
    middle = samples[begin : begin + int(_ONSETS_S * SAMPLE_RATE)]
    grid = Grid(steady.grid.bpm, steady.grid.offset_s - begin / SAMPLE_RATE)
    onset_ms, clarity = residual_ms(middle, grid)
    write_label(
        Path(cfg.out_dir) / "labels" / f"{name}{SUFFIX}",
        steady.grid,
        duration_s,
        f"{name}.flac",
        steady.downbeat,
        genre="tracker",
        source=f"Debian: {package}",
        license=license,
        split="test",
        group=package,
        rowsPerBeat=steady.rows_per_beat,
        suspect="octave",  # rows per beat are a custom: forgive a factor of two
        onset=_onset_kind(onset_ms, clarity),
    )
    return {
        "bpm": round(steady.grid.bpm, 3),
        "rows_per_beat": steady.rows_per_beat,
        "start_s": round(steady.first / SAMPLE_RATE, 2),
        "duration_s": round(duration_s, 1),
        "downbeat": steady.downbeat,
        "onset": _onset_kind(onset_ms, clarity),
        "onset_ms": round(onset_ms, 1),
        "clarity": round(clarity, 2),
        "strongest_row": strongest_row(middle, grid, steady.rows_per_beat),
    }


def _onset_kind(onset_ms: float, clarity: float) -> str:
    """Whether what is heard begins with the row: arpeggios and soft samples come a tick late."""
    if clarity < _CLEAR:
        return "unclear"
    return "row" if abs(onset_ms) <= _LATE_MS else "late"


def _name(package: str, path: Path, taken: set[object]) -> str:
    stem = MODULE.sub("", path.name)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{package.removesuffix('-data')}-{stem}")
    return (
        name if name not in taken else f"{name}-{sum(str(n).startswith(name) for n in taken) + 1}"
    )


def _print_summary(rows: list[dict[str, object]]) -> None:
    """Prints the set by package, as in MODULES.md, and why modules were left out."""
    kept = [row for row in rows if not row["left_out"]]
    print("| package | modules | min | BPM | onset (ms), median |\n|---|---|---|---|---|")
    sizes = Counter(str(row["package"]) for row in kept)
    shown = {package: package for package, size in sorted(sizes.items()) if size > 2}
    for package in [*shown, "others", "all"]:
        part = [row for row in kept if package in (shown.get(str(row["package"]), "others"), "all")]
        if not part:
            continue
        bpm = sorted(float(str(row["bpm"])) for row in part)
        minutes = sum(float(str(row["duration_s"])) for row in part) / 60
        clear = [float(str(row["onset_ms"])) for row in part if row["onset"] != "unclear"]
        onset = f"{statistics.median(clear):+.1f}" if clear else ""
        print(f"| {package} | {len(part)} | {minutes:.1f} | {bpm[0]:g} .. {bpm[-1]:g} | {onset} |")
    print(f"{len(kept)} of {len(rows)} files have a grid")
    reasons = Counter(str(row["left_out"]).partition(" as ")[0] for row in rows if row["left_out"])
    for reason, count in reasons.most_common():
        print(f"{count:4} left out: {reason}")
