"""Let BeatNet import: a stand-in for PyAudio, which only its microphone needs; madmom's name."""

from __future__ import annotations

import runpy
from importlib.metadata import distribution
from pathlib import Path

_STAND_IN = '"""Stands in for PyAudio, which needs a library of sound cards."""\n'


def main() -> None:
    """Write the stand-in into the site-packages of this environment."""
    site_packages = Path(str(distribution("BeatNet").locate_file("")))
    (site_packages / "pyaudio.py").write_text(_STAND_IN, encoding="utf-8")
    runpy.run_path(str(Path(__file__).with_name("madmom.py")), run_name="__main__")


if __name__ == "__main__":
    main()
