"""Break right labels in known ways and see what the audit says: ``outcomes-NAME.csv``.

python experiments/audit/measure.py own --rendered outputs/rendered/own
python experiments/audit/measure.py corpus --audio CORPUS/audio --labels CORPUS/labels

The network runs once on each track; its activations are kept in ``--activations``.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from faults import EXPECTED, FAULTS, Case

from beatgrid.activation.source import ActivationSource
from beatgrid.audio.cache import FeatureCache
from beatgrid.audit.evidence import search
from beatgrid.audit.run import with_clocks
from beatgrid.audit.track import AuditedLabel, audit_activation
from beatgrid.data.discovery import discover, of_split
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.track import Track, open_track
from beatgrid.evaluation import evaluate_track
from beatgrid.files import replacing, write_text
from beatgrid.grid import Activation
from beatgrid.output.spreadsheet import cell
from beatgrid.predictor import load

HERE = Path(__file__).resolve().parent
COLUMNS = (
    *("set", "track", "split", "marked", "offset_source", "downbeat", "fault", "verdict", "score"),
    *("also", "corrected", "corrected_error_ms", "corrected_bars", "reason"),
)
# Of the labels of a set are by a foreign clock, where a clock is tried.
CLOCK_SHARE = 0.2


@dataclass(frozen=True)
class Outcome:
    """What was said of a broken label."""

    track: Track
    fault: str
    audited: AuditedLabel


def main() -> None:
    """Measure one set of tracks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of the set")
    parser.add_argument("--rendered", help="a folder of rendered features")
    parser.add_argument("--audio", help="a folder of music")
    parser.add_argument("--labels", help="a folder of its labels")
    parser.add_argument("--split", help="only labels that name it")
    parser.add_argument("--cache", default="data/cache", help="of features")
    parser.add_argument("--activations", type=Path, default=Path("outputs/audit/activations"))
    parser.add_argument("--faults", default=",".join(range_of_faults()), help="by their numbers")
    options = parser.parse_args()
    source = load("shipped").source
    tracks = list(tracks_of(options, source))
    names = list(FAULTS)
    chosen = [names[int(i)] for i in options.faults.split(",")]
    outcomes = list(outcomes_of(tracks, source, options.activations / options.name, chosen))
    rng = np.random.default_rng(1)
    for fault in chosen:
        if EXPECTED[fault] == "clock":
            outcomes = with_clock(outcomes, fault, rng)
    write(HERE / f"outcomes-{options.name}.csv", options.name, outcomes)


def range_of_faults() -> list[str]:
    """Return the numbers of all faults."""
    return [str(i) for i in range(len(FAULTS))]


def tracks_of(options: argparse.Namespace, source: ActivationSource) -> Iterator[Track]:
    """Yield the tracks that the command line names, with their features at hand."""
    if options.rendered:
        yield from RenderedSource(options.rendered).tracks(source.features)
        return
    cache = FeatureCache(options.cache, source.features)
    for track in of_split(discover(options.audio, options.labels), options.split):
        yield open_track(track, cache)


def activation_of(track: Track, source: ActivationSource, folder: Path) -> Activation:
    """Return a track's activation, computed once."""
    path = folder / f"{track.name}.npz"
    if not path.exists():
        made = source(track.load_features(), track.audio_duration_s)
        with replacing(path) as temporary, temporary.open("wb") as file:
            fields = {f.name: getattr(made, f.name) for f in dataclasses.fields(made)}
            np.savez_compressed(file, **{n: v for n, v in fields.items() if v is not None})
    with np.load(path) as kept:
        return Activation(**{n: v if v.ndim else float(v) for n, v in kept.items()})


def outcomes_of(
    tracks: list[Track], source: ActivationSource, folder: Path, faults: list[str]
) -> Iterator[Outcome]:
    """Yield what the audit says of every track under every fault."""
    rng = np.random.default_rng(0)
    for i, track in enumerate(tracks):
        activation = activation_of(track, source, folder)
        found = search()(activation, source.ranker)
        other = tracks[(i + int(rng.integers(1, max(len(tracks), 2)))) % len(tracks)].label
        case = Case(track.label, track.duration_s, other)
        for fault in faults:
            label = FAULTS[fault](case, rng)
            if label is not None:
                broken = replace(track, label=label)
                yield Outcome(track, fault, audit_activation(broken, activation, found, source))
        if i % 20 == 19:
            print(f"{i + 1} of {len(tracks)}", flush=True)


def with_clock(outcomes: list[Outcome], fault: str, rng: np.random.Generator) -> list[Outcome]:
    """Return the outcomes where a share of the labels is by one foreign clock.

    The others are right; what is said of them is entered under the fault's name with "others".
    """
    clocked = [o for o in outcomes if o.fault == fault]
    right = {o.track.name: o for o in outcomes if o.fault == "none"}
    chosen = {o.track.name for o in clocked if rng.random() < CLOCK_SHARE}
    mixed = [o if o.track.name in chosen else right[o.track.name] for o in clocked]
    rows, _ = with_clocks([o.audited for o in mixed])
    renamed = [
        Outcome(o.track, fault if o.track.name in chosen else f"{fault}: others", row)
        for o, row in zip(mixed, rows, strict=True)
    ]
    return [o for o in outcomes if o.fault != fault] + renamed


def write(path: Path, name: str, outcomes: list[Outcome]) -> None:
    """Write a line for each outcome."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        track, verdict = outcome.track, outcome.audited.verdict
        label = track.label
        error_ms = bars = None
        if verdict.correction is not None:
            score = evaluate_track(
                label.grid, verdict.correction, track.duration_s, downbeat_reliable=True
            )
            error_ms, bars = score.max_error_ms, score.downbeat_ok
        values = {
            "set": name,
            "track": label.name,
            "split": label.split,
            "marked": label.suspect,
            "offset_source": label.extra.get("offsetSource"),
            "downbeat": label.downbeat,
            "fault": outcome.fault,
            "verdict": verdict.kind,
            "score": round(verdict.score, 4),
            "also": " ".join(verdict.also),
            "corrected": verdict.correction is not None,
            "corrected_error_ms": error_ms,
            "corrected_bars": bars,
            "reason": verdict.reason,
        }
        writer.writerow({key: cell(value) for key, value in values.items()})
    write_text(path, text.getvalue())


if __name__ == "__main__":
    main()
