"""Fits the rankers shipped with the package, ``beatgrid/search/*.json``.

python -m beatgrid.calibration.packaged generic           synthetic activations
python -m beatgrid.calibration.packaged flux DATA_DIR     split ``train`` of a labelled folder
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import beatgrid.search
from beatgrid import files
from beatgrid.activation.flux import flux_activation
from beatgrid.audio.features import FeatureSpec, log_mel_blocks
from beatgrid.audio.reader import open_audio
from beatgrid.calibration.examples import Example
from beatgrid.calibration.fit import FitReport, fit_ranker
from beatgrid.calibration.synthetic import varied_track
from beatgrid.data.discovery import discover
from beatgrid.data.track import Track
from beatgrid.grid import Activation
from beatgrid.search import GridSearch

N_GENERIC = 1000
# Tempi considered by the search whose candidates are ranked.
BPM_RANGE = (60.0, 240.0)


def generic_examples(n: int = N_GENERIC) -> Iterator[Example]:
    """Make synthetic activations of every kind of imperfection."""
    for seed in range(n):
        grid, activation = varied_track(seed)
        yield Example(activation, grid)


def flux_examples(data_dir: Path) -> Iterator[Example]:
    """Read the training tracks of a labelled folder whose metrical level is not in doubt."""
    for track, activation in flux_tracks(data_dir, "train"):
        suspect = track.label.suspect
        if suspect != "octave":
            yield Example(
                activation,
                track.label.grid,
                group=track.label.group or track.name,
                phase_reliable=suspect != "beat phase",
            )


def flux_tracks(data_dir: Path, split: str) -> Iterator[tuple[Track, Activation]]:
    """Read every track of a split with its flux activation, in the order of the labels.

    Args:
        data_dir: Holds the folders ``audio`` and ``labels``.
        split: What the labels must name.
    """
    spec = FeatureSpec()
    for track in discover(data_dir / "audio", data_dir / "labels"):
        if track.label.split == split and track.audio_path is not None:
            stream = open_audio(track.audio_path, spec.sample_rate)
            log_mel = log_mel_blocks(stream, spec)
            yield track, flux_activation(log_mel, spec.frame_rate, stream.info.duration_s)


def write_ranker(path: Path, examples: Iterable[Example]) -> FitReport:
    """Fit a ranker and write it as JSON.

    The level model is linear: a ranker for any source of activations should do nothing
    unforeseen.
    """
    ranker, report = fit_ranker(examples, GridSearch(*BPM_RANGE), n_units=0)
    files.write_text(path, json.dumps(ranker.to_dict(), indent=1) + "\n")
    return report


def main() -> None:
    """Fit one of the packaged rankers in place, and print its cross-validated quality."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("generic", help="for any source of beat probabilities")
    kinds.add_parser("flux", help="for spectral flux").add_argument("data_dir", type=Path)
    arguments = parser.parse_args()
    is_flux = arguments.kind == "flux"
    examples = flux_examples(arguments.data_dir) if is_flux else generic_examples()
    target = Path(beatgrid.search.__file__).parent / f"{arguments.kind}.json"
    report = asdict(write_ranker(target, examples))
    del report["tracks"]
    print(json.dumps(report, indent=1))
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
