"""Render the test set of tracker modules, and write the table of all.

sh experiments/results/install.sh
python experiments/results/modules.py
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from beatgrid.commands.cli import entry, progress
from beatgrid.rendering.openmpt import require_library
from beatgrid.rendering.tracker_modules import find_modules, summary, write_modules, write_table


@entry("modules", paths=("package_dir", "out_dir", "table"))
def main(cfg: DictConfig) -> None:
    """Render all modules that have a grid."""
    require_library()
    package_dir = Path(cfg.package_dir)
    modules = find_modules(package_dir)
    steps = write_modules(
        modules, package_dir, Path(cfg.out_dir), cfg.min_duration_s, cfg.max_duration_s
    )
    entries = list(progress(steps, "modules", total=len(modules)))
    write_table(cfg.table, entries)
    print(summary(entries))
