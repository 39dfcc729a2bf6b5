"""LMMS's demo projects, human-made electronic pieces, rendered anew: other tempo, key, players.

Their tempo is a number in the project, whole for LMMS; varispeed of a few per cent makes it
fractional. Their audio must not be passed on: the origin of some stock samples is unclear.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from beatgrid.grid import Grid
from beatgrid.rendering.generator.dsp import Samples
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, random_source
from beatgrid.rendering.sources.mastering import master

PROJECTS = Path("/usr/share/lmms/projects")

# A project takes LMMS as long to render whole as in part: longer excerpts than elsewhere.
_LONGEST_S = 200.0

_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Project:
    """One demo project.

    Attributes:
        path: Below ``PROJECTS``.
        genre: What it sounds like.
        license: As Debian's package states it.
        quarters_per_beat: 2 where listeners count half of the project's tempo.
        downbeat: "likely" where bars follow the project's signature, "unknown" where not.
        late_s: How late its samples' attacks are, where that is more than a millisecond or two.
        held_out: For measuring only.
    """

    path: str
    genre: str
    license: str
    quarters_per_beat: int = 1
    downbeat: str = "likely"
    late_s: float = 0.0
    held_out: bool = False


#: Left out: ProgressiveHousePluckDemo and C64 (audio loops do not follow the tempo), Crunk (felt
#: at either level), CoolSnip and Main (15 s long), BuzzerBeater (renders at real time).
ALL = (
    Project("demos/Alf42red-Mauiwowi.mmpz", "reggae", "CC-BY-SA-3.0"),
    Project("demos/CapDan/CapDan-ReggaeTry.mmpz", "reggae", "Artistic-2.0", 2, "unknown"),
    Project("demos/CapDan/CapDan-ReggaetonTry.mmpz", "reggaeton", "Artistic-2.0", 2, "unknown"),
    Project(
        "demos/CapDan/CapDan-TwilightArea-OriginalByAlf42red.mmpz",
        "electronic rock",
        "CC-BY-SA-3.0",
    ),
    Project("demos/CapDan/CapDan-ZeroSumGame-OriginalByZakarra.mmpz", "trance", "Artistic-2.0"),
    Project("demos/EsoXLB-CPU.mmpz", "electro", "Artistic-2.0", late_s=0.007, held_out=True),
    Project("demos/Impulslogik-Zen.mmpz", "trance", "Artistic-2.0"),
    Project("demos/Momo64-esp.mmpz", "trance", "Artistic-2.0", held_out=True),
    Project("demos/Oglsdl-Dr8v2.mmpz", "drum machine", "Artistic-2.0"),
    Project("demos/Oglsdl-PpTrip.mmpz", "electronic", "Artistic-2.0", downbeat="unknown"),
    Project("demos/Saber-FinalStep.mmpz", "trance", "BSD-2-Clause"),
    Project("demos/Settel-InnerRecreation.mmpz", "trance", "Artistic-2.0"),
    Project("demos/Skiessi/Skiessi-Onion.mmpz", "electronic", "CC-BY-SA-4.0", downbeat="unknown"),
    Project("demos/Socceroos-Progress.mmpz", "electronic", "Artistic-2.0", 2, "unknown"),
    Project("demos/StrictProduction-DearJonDoe.mmp", "hip-hop", "GPL-2+"),
    Project("demos/TameAnderson-MakeMe.mmpz", "house", "Artistic-2.0", held_out=True),
    Project("demos/Thomasso-AxeFromThe80s.mmpz", "synth rock", "Artistic-2.0"),
    Project("shorties/DirtyLove.mmpz", "drum and bass", "GPL-2+", downbeat="unknown"),
    Project("shorties/Skiessi-222.mmpz", "electronic", "GPL-2+", downbeat="unknown", held_out=True),
)


def missing_tools() -> list[str]:
    """Name what of LMMS and its projects is not installed."""
    missing = [] if shutil.which("lmms") else ["lmms"]
    return missing + ([] if (PROJECTS / "demos").exists() else [str(PROJECTS / "demos")])


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render one version of a project, mastered; at most 200 s of it.

    Args:
        seed: Any integer >= 0.
        held_out: Use the projects held out from training.

    Raises:
        RuntimeError: LMMS fails or takes longer than ten minutes.
    """
    rng = random_source("lmms", seed)
    projects = [project for project in ALL if project.held_out == held_out]
    project = projects[seed % len(projects)]
    text = read_project(PROJECTS / project.path)
    n_muted = int(rng.choice([0, 1, 2, 4], p=[0.4, 0.25, 0.2, 0.15]))
    edited, bpm = edit(
        text,
        speed=float(rng.uniform(0.82, 1.06)),
        semitones=int(rng.integers(-4, 5)),
        n_muted=n_muted,
        rng=rng,
    )
    samples = _run_lmms(edited)
    speed = float(rng.uniform(0.97, 1.03))
    samples = np.asarray(
        soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE, quality="HQ"), np.float32
    )
    bpm *= speed / project.quarters_per_beat
    samples, start_s = _excerpt(samples, rng)
    samples, mastering = master(samples, rng)
    return Piece(
        samples,
        Grid(bpm, project.late_s / speed - start_s),
        project.genre,
        project.downbeat,
        project.license,
        recipe={
            "project": Path(project.path).stem,
            "muted": n_muted,
            "mastering": mastering,
        },
    )


def read_project(path: Path) -> str:
    """Read a project's XML; ``.mmpz`` is compressed behind its length in four bytes."""
    data = path.read_bytes()
    return (zlib.decompress(data[4:]) if path.suffix == ".mmpz" else data).decode("utf-8")


def edit(
    text: str, speed: float, semitones: int, n_muted: int, rng: np.random.Generator
) -> tuple[str, float]:
    """Give a project another tempo, key and cast.

    Args:
        text: A project's XML.
        speed: Wanted ratio to the project's tempo, which is rounded to whole beats per minute.
        semitones: Transposition of everything that is not a sample.
        n_muted: Instruments to silence; half of them stay at least.
        rng: Chooses them.

    Returns:
        The edited XML, and its tempo in quarter notes per minute.
    """
    # Control characters in names, which LMMS tolerates, are not XML.
    root = ElementTree.fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text))
    head = root.find("head")
    if head is None or "bpm" not in head.attrib:
        raise ValueError("an LMMS project whose head names no bpm")
    bpm = round(float(head.attrib["bpm"]) * speed)
    head.set("bpm", str(bpm))
    head.set("masterpitch", str(int(float(head.get("masterpitch", "0"))) + semitones))
    # Types 0 and 1 are instruments and patterns; muting a pattern's own tracks changes less.
    audible = [
        track
        for track in root.findall("./song/trackcontainer/track")
        if track.get("type") in ("0", "1") and track.get("muted", "0") == "0"
    ]
    for i in rng.permutation(len(audible))[: min(n_muted, len(audible) // 2)]:
        audible[int(i)].set("muted", "1")
    return ElementTree.tostring(root, encoding="unicode"), float(bpm)


def _run_lmms(text: str) -> Samples:
    """Render a project with LMMS, mono at ``SAMPLE_RATE``."""
    with tempfile.TemporaryDirectory() as folder:
        project, audio = Path(folder) / "project.mmp", Path(folder) / "project.wav"
        project.write_text(text, encoding="utf-8")
        command = ["lmms", "--allowroot", "render", str(project), "-o", str(audio)]
        command += ["-f", "wav", "-s", str(SAMPLE_RATE)]
        try:
            result = subprocess.run(
                command,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
                env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": folder},
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"lmms took more than {_TIMEOUT_S:g} s") from error
        if not audio.exists():
            raise RuntimeError(f"lmms wrote nothing: {result.stderr[-300:]!r}")
        stereo, _ = sf.read(audio, dtype="float32", always_2d=True)
    return stereo.mean(axis=1)


def _excerpt(samples: Samples, rng: np.random.Generator) -> tuple[Samples, float]:
    """Return at most ``_LONGEST_S`` from anywhere, without silence at the end, and its start."""
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.max(np.abs(samples), initial=1e-9))
    if len(loud) == 0:
        raise ValueError("this version plays nothing")
    samples = samples[: loud[-1] + 1]
    spare = len(samples) - round(_LONGEST_S * SAMPLE_RATE)
    start = int(rng.integers(0, spare)) if spare > 0 else 0
    return samples[start : start + round(_LONGEST_S * SAMPLE_RATE)], start / SAMPLE_RATE
