"""Make labelled tracks of Frets on Fire songs: stems mixed, labels from their charts.

    python experiments/peers/fretsonfire.py SONGS OUT

SONGS: a folder of songs, each with ``song.ogg``, ``guitar.ogg`` and ``notes.mid``. Writes
``OUT/audio`` and ``OUT/labels``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.files import write_json

_STEMS = ("song.ogg", "guitar.ogg", "rhythm.ogg")
# Of each stem: their sum stays below full scale.
_GAIN = 0.6


def main() -> None:
    """Import the charts, then mix the stems of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("songs", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    for folder in ("audio", "labels"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as drafts:
        code = "from beatgrid.commands.program import main; main()"
        command = [sys.executable, "-c", code, "import", str(args.songs), f"out={drafts}"]
        subprocess.run(command, check=True)
        for path in sorted(Path(drafts).glob("*.labels.json")):
            label = json.loads(path.read_text(encoding="utf-8"))
            song = (args.songs / label["fileName"]).parent
            name = f"{song.parent.name}-{song.name}".lower().replace(" ", "-")
            mix(song, args.out / "audio" / f"{name}.flac")
            kept = (
                "bpm",
                "duration",
                "downbeatOffset",
                "beatsPerBar",
                "downbeat",
                "title",
                "artist",
            )
            values = {key: label[key] for key in kept if key in label}
            write_json(
                args.out / "labels" / f"{name}.labels.json", {"fileName": f"{name}.flac", **values}
            )
            print(name, label["bpm"])


def mix(song: Path, target: Path) -> None:
    """Add up the stems of a song, all of one rate."""
    stems = [soundfile.read(song / stem) for stem in _STEMS if (song / stem).exists()]
    length = max(len(samples) for samples, _ in stems)
    total = np.zeros((length, 2))
    for samples, _ in stems:
        total[: len(samples)] += _GAIN * np.broadcast_to(
            samples.reshape(len(samples), -1), (len(samples), 2)
        )
    soundfile.write(target, total, stems[0][1])


if __name__ == "__main__":
    main()
