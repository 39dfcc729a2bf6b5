"""Let torchaudio import beside a torch without CUDA.

Its wheels on the package index hold extensions that are linked against CUDA, and fail to load
without it; what the peers use, spectra and filters, is Python. Where the files are missing,
torchaudio does without.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path


def main() -> None:
    """Remove the extensions where torch has no CUDA."""
    import torch

    if torch.version.cuda is not None:
        return
    for path in Path(str(distribution("torchaudio").locate_file("torchaudio/lib"))).glob("*.so"):
        path.unlink()


if __name__ == "__main__":
    main()
