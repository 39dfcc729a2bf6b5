"""What do torch and ONNX Runtime cost: on disk, at the start, per minute of audio, in memory?

    python experiments/speed/backends.py [--minutes 5] [--repeats 5] [--only PART ...]

One run, each pair in turn. *Disk*: two new environments are installed from a package index under
``constraints.txt``, with and without ``beatgrid[train]``. *Start*: ``beatgrid predict`` on 15 s of
clicks in a fresh process. *Speed*: processor seconds of one thread, log-mel and network. *Memory*:
the peak of a process that predicts a track, and of one that predicts three hours. Writes
``backends.md`` beside this script.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import soundfile

from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table
from beatgrid.rendering.generator import click_track, render

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BACKENDS = ("onnx", "torch")
PARTS = ("disk", "start", "speed", "memory")
Row = tuple[str, str, str]
_PREDICT = (
    "import re, sys, beatgrid\n"
    "beatgrid.load('shipped', backend=sys.argv[1], num_threads=1)(sys.argv[2])\n"
    # Linux; getrusage would say the parent's where that is higher.
    "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1000)"
)
_IMPORTS = ("import onnxruntime", "import torch", "import hydra, hydra.utils")


def main() -> None:
    """Measure all parts and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    args = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        if "disk" in args.only:
            rows += disk(here)
        if "start" in args.only:
            rows += start(here, args.repeats)
        if "speed" in args.only:
            rows += speed(args.minutes, args.repeats)
        if "memory" in args.only:
            rows += memory(here, args.minutes)
    text = "\n".join(markdown_table(["", "ONNX Runtime", "torch"], rows))
    print(text)
    write_text(HERE / "backends.md", text + "\n")


def disk(here: Path) -> list[Row]:
    """Install twice, without compiled modules, and add up the files of site-packages."""
    sizes = []
    for extra in ("", "[train]"):
        folder = here / f"venv{extra}"
        venv.create(folder, with_pip=False, symlinks=True)
        pip = (sys.executable, "-m", "pip", "--quiet", "--python", str(folder / "bin/python"))
        constraints = ("-c", str(ROOT / "constraints.txt"))
        subprocess.run(
            [*pip, "install", "--no-compile", *constraints, f"{ROOT}{extra}"], check=True
        )
        files = (path for path in next(folder.rglob("site-packages")).rglob("*") if path.is_file())
        sizes.append(sum(path.lstat().st_blocks * 512 for path in files) / 1e6)
    return [("disk, fresh installation, MB", f"{sizes[0]:.0f}", f"{sizes[1]:.0f}")]


def start(here: Path, repeats: int) -> list[Row]:
    """Run the command on a short file in fresh processes."""
    soundfile.write(here / "clicks.wav", click_track(125.0, 0.2, 15.0), 44100)
    command = ["-c", "from beatgrid.commands.program import main; main()", "predict"]
    options = ["audio=clicks.wav", "picture=false"]
    runs: dict[str, list[tuple[float, float]]] = {}
    for repeat in range(repeats + 1):
        for backend in BACKENDS:
            out = f"out={backend}{repeat}"  # found anew each time
            taken = seconds_of([*command, *options, f"backend={backend}", out], here)
            runs.setdefault(backend, []).append(taken)
        for code in _IMPORTS:
            runs.setdefault(code, []).append(seconds_of(["-c", code], here))
    processor = {name: [cpu for _, cpu in values[1:]] for name, values in runs.items()}
    wall = {name: [all_of for all_of, _ in values[1:]] for name, values in runs.items()}
    return [
        ("start, 15 s of clicks, processor s", *(shown(processor[name]) for name in BACKENDS)),
        ("start, wall s", *(shown(wall[name]) for name in BACKENDS)),
        ("of it the runtime's import, processor s", *(shown(processor[c]) for c in _IMPORTS[:2])),
        ("of it Hydra's import, processor s", *2 * [shown(processor[_IMPORTS[2]])]),
    ]


def speed(minutes: float, repeats: int) -> list[Row]:
    """Time log-mel and networks in this process, in turn."""
    import torch

    from beatgrid.activation.chunks import in_chunks
    from beatgrid.activation.network import network_logits
    from beatgrid.activation.onnx import OnnxSource
    from beatgrid.audio.features import log_mel
    from beatgrid.networks import load_model, load_onnx
    from beatgrid.networks.description import SHIPPED, SHIPPED_ONNX

    torch.set_num_threads(1)
    model, exported = load_model(SHIPPED), load_onnx(SHIPPED_ONNX)
    source = OnnxSource(exported)
    samples = render("house", 1, 60 * minutes).samples
    features = log_mel(samples, model.features)
    steps: dict[str, Callable[[], object]] = {
        "log-mel": lambda: log_mel(samples, model.features),
        "onnx": lambda: in_chunks(source.compute, features, exported.context_frames),
        "torch": lambda: network_logits(model.network, features),
        "log-mel of torch": lambda: torch_log_mel(samples),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(repeats + 1):
        for name, step in steps.items():
            began = time.process_time()
            step()
            if repeat:  # the first round warms up
                seconds[name].append(time.process_time() - began)
    what = f"{minutes:g} min of audio, one thread, processor s"
    return [
        (f"network, {what}", *(shown(seconds[name]) for name in BACKENDS)),
        (f"log-mel, {what}", shown(seconds["log-mel"]), shown(seconds["log-mel of torch"])),
    ]


def torch_log_mel(samples: object) -> None:
    """Compute what the log-mel costs by torch: its spectra in double precision and its mel bands.

    The package has one log-mel, by numpy; this is what it is compared with.
    """
    import torch

    from beatgrid.audio.features import FeatureSpec, mel_filterbank

    spec = FeatureSpec()
    window = torch.hann_window(spec.n_fft, dtype=torch.float64)
    filters = torch.from_numpy(mel_filterbank(spec).copy()).T.contiguous()
    signal = torch.as_tensor(samples)
    n_frames = 128
    span = (n_frames - 1) * spec.hop_length + spec.n_fft
    for first in range(0, len(signal) - span, n_frames * spec.hop_length):
        piece = signal[first : first + span].double()
        spectrum = torch.stft(
            piece, spec.n_fft, spec.hop_length, window=window, center=False, return_complex=True
        ).T
        power = (spectrum.real.square() + spectrum.imag.square()).float()
        (power @ filters).clamp_(min=1e-10).log10_().mul_(10).numpy().copy()


def memory(here: Path, minutes: float) -> list[Row]:
    """Return the peak memory of processes that predict one track; of three hours, the default's."""
    rows: list[Row] = []
    piece = render("house", 1, 60.0).samples
    for what, n_minutes, backends in (
        (f"{minutes:g} min", round(minutes), BACKENDS),
        ("3 h", 180, BACKENDS[:1]),
    ):
        path = here / "track.wav"
        with soundfile.SoundFile(path, "w", 44100, 1) as file:
            for _ in range(n_minutes):
                file.write(piece)
        peaks = [peak_mb(backend, path) for backend in backends] + ["-"]
        rows.append((f"peak memory, {what}, MB", peaks[0], peaks[1]))
    return rows


def peak_mb(backend: str, path: Path) -> str:
    """Return the peak memory of a process that predicts a file."""
    done = subprocess.run(
        [sys.executable, "-c", _PREDICT, backend, str(path)],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return f"{float(done.stdout):.0f}"


def environment() -> dict[str, str]:
    """Return one thread, this checkout, and compiled modules kept as they are for users."""
    values = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    return values


def seconds_of(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run Python with these arguments; return wall and processor seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shown(values: Sequence[float]) -> str:
    """Return median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} .. {max(values):.2f})"


if __name__ == "__main__":
    main()
