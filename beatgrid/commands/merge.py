"""Join the shares of a library: ``beatgrid merge out=<folder of results>``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from beatgrid.cluster.shard import Shard
from beatgrid.cluster.shards import merge
from beatgrid.commands.cli import entry
from beatgrid.errors import BeatgridError
from beatgrid.files import printable
from beatgrid.output.index import ResultIndex
from beatgrid.output.summary import FAILED, DoubtfulFirst, write_summary

_SHOWN = 8


@entry("merge", paths=("out",))
def main(cfg: DictConfig) -> None:
    """Merge, write the summary, print a table; status 1 where something is not done."""
    folder = Path(cfg.out)
    if not folder.is_dir():
        raise BeatgridError(f"out={folder}: no such folder; name the out of the shards' commands")
    doubtful, n_failed = DoubtfulFirst(), 0
    with ResultIndex(folder) as index:
        merged = merge(index)
        write_summary(index)
        for record in index.records():
            if record.status in ("done", "no grid", "locked"):
                doubtful.add(record)
            n_failed += record.status == "failed"
    doubtful.print()
    noun = "file" if doubtful.n_seen == 1 else "files"
    print(f"{doubtful.n_seen} {noun} in {printable(folder)}")
    for shards, state in (
        (merged.running, "being run"),
        (merged.unfinished, "cut off: start the same command again"),
        (merged.missing, "not begun"),
    ):
        if shards:
            print(f"error: {_named(shards)} {state}", file=sys.stderr)
    if n_failed:
        noun = "file" if n_failed == 1 else "files"
        print(
            f"error: {n_failed} {noun} failed; try again with audio=@{printable(folder / FAILED)}",
            file=sys.stderr,
        )
    if n_failed or not merged.is_complete:
        sys.exit(1)


def _named(shards: Sequence[Shard]) -> str:
    shown = ", ".join(map(str, shards[:_SHOWN]))
    more = f" and {len(shards) - _SHOWN} more" if len(shards) > _SHOWN else ""
    return f"shard {shown} is" if len(shards) == 1 else f"shards {shown}{more} are"
