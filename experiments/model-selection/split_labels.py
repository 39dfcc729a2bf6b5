"""Keeps a third of the training labels for choosing models.

    python experiments/model-selection/split_labels.py LABEL_DIR OUT_DIR

Writes copies of all labels; of those marked ``split: train``, a third (by a hash of their
``group``, so that versions of a tune stay together) becomes ``split: test``, which no run trains
on. Fifty-six validation tracks tell little; with these there are some 150.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

from beatgrid.data.labels import SUFFIX
from beatgrid.files import write_json

EVERY = 3


def main(label_dir: str, out_dir: str) -> None:
    """Write the copies."""
    counts: dict[str, int] = {}
    for path in sorted(Path(label_dir).glob(f"*{SUFFIX}")):
        label = json.loads(path.read_text("utf-8"))
        group = label.get("group") or path.name.removesuffix(SUFFIX)
        if label.get("split") == "train" and zlib.crc32(group.encode()) % EVERY == 0:
            label["split"] = "test"
        counts[label["split"]] = counts.get(label["split"], 0) + 1
        write_json(Path(out_dir) / path.name, label)
    print(", ".join(f"{n} {split}" for split, n in sorted(counts.items())))


if __name__ == "__main__":
    main(*sys.argv[1:])
