"""The whole path in a few minutes: synthesise, train, predict, compare.

    python experiments/demo/demo.py [--tracks 40] [--epochs 15]

Every step is a command of this project, printed before it runs.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from rich.progress import track

from beatgrid.rendering.generator import write_dataset

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("data/demo")
# Few enough that forty tracks show several of each; the generator has ten times as many.
GENRES = ("house", "techno", "trance", "disco", "rock", "synthwave", "drum_and_bass", "chiptune")


def run(title: str, *arguments: str) -> None:
    """Run one of the project's commands in sight of the user; stop the demo if it fails."""
    print(f"\n--- {title}\n$ python {shlex.join(arguments)}", flush=True)
    status = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode
    if status:
        sys.exit(f"error: this step failed with exit status {status}")


def synthesise(folder: Path, n_tracks: int, seed: int) -> None:
    """Write a labelled folder unless an earlier demo has left it complete."""
    if len(list((folder / "labels").glob("*.labels.json"))) == n_tracks:
        print(f"{folder}: {n_tracks} tracks are there")
        return
    steps = write_dataset(folder, n_tracks=n_tracks, seed=seed, duration_s=45.0, genres=GENRES)
    for _ in track(steps, f"{n_tracks} tracks into {folder}", total=n_tracks):
        pass


def main() -> None:
    """Synthesise, train, predict, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=40, help="training tracks, 45 s each")
    parser.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()
    start = time.monotonic()

    print("--- Synthesise labelled tracks: some to learn from, others to be judged by")
    synthesise(ROOT / FOLDER / "train", args.tracks, seed=1)
    synthesise(ROOT / FOLDER / "held_out", 8, seed=2)
    data = [f"data.audio_dir={FOLDER}/train/audio", f"data.label_dir={FOLDER}/train/labels"]
    run(
        "Train a small network on them",
        *(
            "train.py",
            *data,
            "data.val_count=4",
            "data.split_seed=0",
            f"trainer.max_epochs={args.epochs}",
        ),
        *("model=tcn", "trainer=cpu", "data.crop_s=8", "callbacks.pictures.every_n_epochs=5"),
    )
    held_out = FOLDER / "held_out"
    run(
        "Find the beatgrids of the held-out tracks",
        *("predict.py", f"audio={held_out}/audio", "ckpt=latest", "out=outputs/demo"),
    )
    run(
        "Compare them with the truth",
        *("evaluate.py", f"data.audio_dir={held_out}/audio", f"data.label_dir={held_out}/labels"),
        *("ckpt=latest", "out=outputs/demo"),
    )
    run(
        "And the shipped weights, trained on far more, on the same tracks",
        *("evaluate.py", f"data.audio_dir={held_out}/audio", f"data.label_dir={held_out}/labels"),
        "out=outputs/demo/shipped",
    )
    pictures = sorted((ROOT / "outputs/demo").glob("*.png"))
    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Look at {pictures[0].relative_to(ROOT)} "
        f"and {len(pictures) - 1} more.\n"
        "Next:\n"
        "  source .venv/bin/activate\n"
        '  python predict.py audio="path/to/your song.mp3"\n'
        "  tensorboard --logdir outputs/train            # curves, pictures, clicks\n"
        "  python train.py data.audio_dir=... data.label_dir=...   # see data/README.md"
    )


if __name__ == "__main__":
    main()
