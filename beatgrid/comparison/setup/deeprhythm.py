"""Let torchaudio import, as for Beat This!."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("beat_this.py")), run_name="__main__")
