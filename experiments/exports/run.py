"""Export grids of files with awkward names, and read every export with a reader that is not ours.

python experiments/exports/run.py
"""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import soundfile

from beatgrid.export.exporter import Exporter, chosen_formats
from beatgrid.export.options import ExportOptions
from beatgrid.export.track import ExportTrack
from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.output.result import SUFFIX
from experiments.exports import dj_readers
from experiments.exports.readers import READERS, Reader
from tests.export.tracks import AWKWARD_NAMES, changing_result, constant_result, write

BPM, DURATION_S = 127.973, 600.0
BEGIN, END = "<!-- table -->", "<!-- end -->"
COLUMNS = (
    *("format", "reader", "checked", "names"),
    *("constant: worst, ms", "drift, ms", "changing: worst, ms", "drift, ms"),
)


def main() -> None:
    """Write the table into the README."""
    warnings.simplefilter("ignore")  # what old libraries of the readers deprecate
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "constant": constant_result(BPM, 0.352, DURATION_S),
            "changing": changing_result(),
        }
        for kind, result in kinds.items():
            for name in AWKWARD_NAMES:
                audio = Path(folder, "music", f"{kind} {name}").with_suffix(".wav")
                audio.parent.mkdir(exist_ok=True)
                soundfile.write(audio, np.zeros(round(result["duration_s"] * 8000)), 8000)
                result = result | {"file": str(audio), "mp3_tag": None, "codec": "PCM_16"}
                write(Path(folder, "grids", kind, audio.name + SUFFIX), result)
        rows = [row(reader, Path(folder)) for reader in (*READERS, *dj_readers.READERS)]
    table = "\n".join(markdown_table(COLUMNS, rows))
    readme = Path(__file__).with_name("README.md")
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_text(readme, f"{before}{BEGIN}\n{table}\n{END}{after}")
    print(table)


def row(reader: Reader, folder: Path) -> list[str]:
    """Export and read in one format; returns its line of the table."""
    cells = [reader.format, reader.reader, reader.checked]
    (format,) = chosen_formats(reader.format)
    figures: list[str] = []
    right = 0
    for kind in ("constant", "changing"):
        out = folder / "out" / reader.format / kind
        results = sorted((folder / "grids" / kind).iterdir())
        options = ExportOptions(click_level=0.9)
        with Exporter(out, [format], options, lambda _: None, print) as exporter:
            for path in results:
                exporter.add_result(path, path.name)
            exporter.finish((path, None) for path in results)
        worst_ms, drift_ms = [], []
        for path in results:
            track = ExportTrack.read(path)
            name = path.name.removesuffix(SUFFIX)
            suffix = format.suffix.replace("{audio}", options.click_audio)
            if format.in_audio:
                file = out / "tagged" / name
            elif format.per_track:
                file = out / f"{name}{suffix}"
            else:
                file = out / f"{format.name}{suffix}"
            found = reader.read(file, track)
            right += found.name in (None, track.name, track.audio.name, str(track.audio))
            wanted_s = track.constant().beat_times_s()
            if format.piecewise:
                beats = json.loads(path.read_text(encoding="utf-8"))["beats"]
                wanted_s = np.array([beat["time"] for beat in beats])
            error_ms = 1000 * (found.times_s - wanted_s)
            worst_ms.append(np.abs(error_ms).max())
            drift_ms.append(abs(error_ms[-1] - error_ms[0]))
        figures += [f"{max(worst_ms):.3f}", f"{max(drift_ms):.3f}"]
    return [*cells, f"{right} of {2 * len(AWKWARD_NAMES)}", *figures]


if __name__ == "__main__":
    main()
