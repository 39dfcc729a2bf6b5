"""Compare beatgrid with other systems: ``beatgrid compare data.audio_dir=...``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from beatgrid.audio.find import find_audio
from beatgrid.audio.path_list import write_paths
from beatgrid.commands.cli import entry, exit_if_failed, output_folder, progress
from beatgrid.comparison.contenders import Contender, find_contenders
from beatgrid.comparison.environments import Environment, environments
from beatgrid.comparison.estimates import Estimate
from beatgrid.comparison.page import write_page
from beatgrid.comparison.report import Report
from beatgrid.comparison.run import Attempt, Comparison, Piece
from beatgrid.comparison.scores import Reference
from beatgrid.comparison.summary import make_report
from beatgrid.comparison.systems import chosen_systems
from beatgrid.comparison.text import markdown, print_report
from beatgrid.data.discovery import discover, of_split
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError
from beatgrid.files import printable, write_json, write_text

# In the folder ``out``.
_ESTIMATES, _NAME, _ALONE = "estimates", "comparison", "alone"


@entry(
    "compare",
    paths=(
        *("data.audio_dir", "data.label_dir", "out", "peers_dir", "ckpt"),
        *("weights.beat_this", "weights.deeprhythm"),
    ),
)
def main(cfg: DictConfig) -> None:
    """Install peers, or run every system on every track and write tables and a page."""
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    peers_dir = Path(cfg.peers_dir)
    if cfg.setup:
        _set_up(plain["setup"], peers_dir)
        return
    names = plain["systems"]
    systems = chosen_systems([names] if isinstance(names, str) else names)
    if cfg.data.audio_dir is None:
        raise BeatgridError(
            "data.audio_dir=null: name a folder of audio, or peers to install with setup=..."
        )
    weights = {name: file for name, file in plain["weights"].items() if file is not None}
    contenders, left_out = find_contenders(
        systems, peers_dir, ckpt=cfg.ckpt, activation=cfg.activation, weights=weights
    )
    for name, why in left_out.items():
        print(f"{name} is left out: {why}")
    pieces, tracks = _pieces(cfg)
    out = output_folder(cfg.out)
    comparison = Comparison(contenders, out / _ESTIMATES, limit_s=cfg.time_limit_s)
    failed = _run(comparison, pieces)
    estimates = comparison.estimates(pieces)
    report = make_report(
        contenders,
        estimates,
        None if tracks is None else _references(tracks, estimates),
        left_out | {name: f"cannot be used: {why}" for name, why in comparison.unusable.items()},
        [line for attempt in failed for line in _lines(attempt)],
    )
    print_report(report)
    _write(report, out, plain, contenders)
    exit_if_failed(sum(attempt.system is None for attempt in failed), len(pieces))


def _set_up(names: str | Sequence[str], peers_dir: Path) -> None:
    names = [names] if isinstance(names, str) else list(names)
    known = environments()
    for name in names:
        if name != "all" and name not in known:
            raise BeatgridError(f"setup={name}: must be all, or of {', '.join(known)}")
    failed = []
    for name in known if "all" in names else names:
        environment = Environment(name, peers_dir / name)
        print(f"{name}: installing in {printable(environment.folder)}", flush=True)
        try:
            size_mb = environment.set_up()
        except BeatgridError as error:
            failed.append(name)
            print(f"error: {printable(str(error))}", file=sys.stderr)
            continue
        print(f"{name}: {size_mb:.0f} MB")
    exit_if_failed(len(failed), len(names))


def _pieces(cfg: DictConfig) -> tuple[list[Piece], dict[str, Track] | None]:
    """Return the tracks to compare on; those of labels by name as well, None without labels."""
    if cfg.data.label_dir is None:
        if cfg.data.split is not None:
            raise BeatgridError(f"data.split={cfg.data.split}: needs labels, data.label_dir=...")
        return [Piece(f.place, Path(f.path)) for f in find_audio(str(cfg.data.audio_dir))], None
    tracks = of_split(discover(cfg.data.audio_dir, cfg.data.label_dir), cfg.data.split)
    found = {track.name: track for track in tracks if track.audio_path is not None}
    return [Piece(name, Path(str(track.audio_path))) for name, track in found.items()], found


def _run(comparison: Comparison, pieces: Sequence[Piece]) -> list[Attempt]:
    """Make every attempt that is missing; return those that failed."""
    total = sum(len(systems) for _, systems in comparison.missing(pieces))
    failed = []
    with contextlib.closing(comparison.run(pieces)) as attempts:
        for attempt in progress(attempts, "comparing", total):
            if attempt.failure is None:
                continue
            failed.append(attempt)
            for line in _lines(attempt):
                print(f"error: {printable(line)}", file=sys.stderr)
    return failed


def _lines(attempt: Attempt) -> list[str]:
    if attempt.failure is None:
        return []
    reason = attempt.failure.reason
    if attempt.system is None:
        return [reason]
    return [f"{attempt.system}: {attempt.piece.name}: {reason}"]


def _references(
    tracks: dict[str, Track], estimates: dict[str, dict[str, Estimate]]
) -> dict[str, Reference]:
    durations_s = {
        name: estimate.duration_s
        for found in estimates.values()
        for name, estimate in found.items()
    }
    references = {}
    for name, duration_s in durations_s.items():
        label = tracks[name].label
        end_s = label.duration_within(duration_s)
        if not len(label.grid.beat_indices(end_s)):
            print(f"error: {label.path}: no beat lies in the audio; left out", file=sys.stderr)
            continue
        references[name] = Reference(label.grid, end_s, label.downbeat == "reliable")
    return references


def _write(
    report: Report, out: Path, settings: dict[str, Any], contenders: Sequence[Contender]
) -> None:
    try:
        write_json(out / f"{_NAME}.json", {"settings": settings, **report.plain()})
        write_text(out / f"{_NAME}.md", markdown(report))
        write_page(out / f"{_NAME}.html", report)
        alone = out / f"{_ALONE}.txt"
        audio = {track["track"]: track["audio"] for track in report.tracks}
        write_paths(alone, [audio[found.track] for found in report.alone])
    except OSError as error:
        raise BeatgridError(
            f"out={out}: cannot be written to ({error.strerror}); make room and start again"
        ) from error
    if report.alone:
        n = len(report.alone)
        shown, folder = printable(alone), printable(out / _ALONE)
        print(
            f"beatgrid stands alone on {n} of {report.n_tracks} tracks; hear them:\n"
            f"  beatgrid predict audio=@{shown} out={folder} && beatgrid review {folder}"
        )
    print(f"{len(contenders)} systems: {printable(out / f'{_NAME}.html')}")
