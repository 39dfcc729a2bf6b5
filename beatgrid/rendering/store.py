"""Pieces from seeds, written as ``beatgrid.data.rendered`` reads them.

``OUT_DIR/SOURCE`` is the folder of a source, ``SOURCE-SEED`` the name of a piece. A seed whose
label exists is not rendered again.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.data.labels import write_label
from beatgrid.data.rendered import RenderedFolder
from beatgrid.errors import BeatgridError
from beatgrid.files import replacing, write_json
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, draw_duration_s
from beatgrid.rendering.sources import source_module

# Seeds from here on are for measuring, never for training.
FIRST_HELD_OUT_SEED = 1_000_000


@dataclass(frozen=True)
class Job:
    """Everything a worker process needs to render one piece.

    Attributes:
        out_dir: Root of the corpus.
        source: Name of the source.
        seed: Of the piece.
        held_out: The piece is for measuring only.
        spec: Resolution of the features.
        keep_audio: Write FLAC too.
    """

    out_dir: Path
    source: str
    seed: int
    held_out: bool
    spec: FeatureSpec
    keep_audio: bool = False

    @property
    def name(self) -> str:
        """Base name of the piece's files."""
        return f"{self.source}-{self.seed:07d}"

    @property
    def folder(self) -> RenderedFolder:
        """Folder of the source."""
        return RenderedFolder(self.out_dir / self.source)

    @property
    def is_done(self) -> bool:
        """The piece is there, complete."""
        return self.folder.label_path(self.name).exists()

    @property
    def duration_s(self) -> float:
        """Length of the piece in seconds."""
        fixed: float | None = getattr(source_module(self.source), "DURATION_S", None)
        return draw_duration_s(self.source, self.seed) if fixed is None else fixed


def jobs_for(
    out_dir: str | os.PathLike[str],
    source: str,
    hours: float,
    spec: FeatureSpec,
    keep_audio: bool = False,
    held_out: bool = False,
    first_seed: int = 0,
    genres: Collection[str] | None = None,
) -> list[Job]:
    """List the pieces of a source up to a total length; more hours only append.

    Args:
        out_dir: Root of the corpus.
        source: Name of the source.
        hours: Total length; the last piece goes beyond it.
        spec: Resolution of the features.
        keep_audio: Write FLAC too.
        held_out: Take the seeds (and instruments) that are never trained on.
        first_seed: Number of the first piece, below ``FIRST_HELD_OUT_SEED``: far enough up, pieces
            of the same kind that no training used.
        genres: Seeds of other genres are passed over; a piece is the same with or without. None:
            all.

    Raises:
        BeatgridError: ``first_seed`` is out of its range, or the source has no such genre.
    """
    if not 0 <= first_seed < FIRST_HELD_OUT_SEED:
        raise BeatgridError(f"first_seed={first_seed}: must lie in 0 .. {FIRST_HELD_OUT_SEED - 1}")
    cycle = _genres_in_turn(source, genres)
    jobs: list[Job] = []
    total_s = 0.0
    seed = first_seed + FIRST_HELD_OUT_SEED * held_out
    while total_s < hours * 3600:
        if genres is None or cycle[seed % len(cycle)] in genres:
            jobs.append(Job(Path(out_dir), source, seed, held_out, spec, keep_audio))
            total_s += jobs[-1].duration_s
        seed += 1
    return jobs


def _genres_in_turn(source: str, wanted: Collection[str] | None) -> tuple[str, ...]:
    """Return the genres that a source's seeds cycle through; check that those wanted are some."""
    if wanted is None:
        return ()
    cycle: tuple[str, ...] = getattr(source_module(source), "GENRES", ())
    if unknown := set(wanted) - set(cycle):
        raise BeatgridError(
            f"genres: {source} has no {', '.join(sorted(unknown))}; "
            f"it has {', '.join(sorted(set(cycle))) or 'none to choose from'}"
        )
    if not wanted:
        raise BeatgridError("genres=[]: names none; leave it at null for all")
    return cycle


def prepare_folder(job: Job) -> None:
    """Write the source's feature spec.

    Raises:
        BeatgridError: The folder holds features of another spec.
    """
    path = job.folder.spec_path
    if not path.exists():
        write_json(path, job.spec.to_dict())
    elif (found := job.folder.read_spec()) != job.spec:
        raise BeatgridError(
            f"{path}: holds features of {found}, not {job.spec}; choose another out_dir"
        )


def render_job(job: Job) -> str | None:
    """Render and write one piece; runs in a worker process.

    Returns:
        None, or one line that says why this seed has no piece: the others go on.
    """
    source = source_module(job.source)
    try:
        piece = source.render_piece(job.seed, job.held_out)
        write_piece(job, piece)
    except (ValueError, RuntimeError) as error:
        return f"{job.name}: {type(error).__name__}: {error}"
    return None


def write_piece(job: Job, piece: Piece) -> None:
    """Write features, audio if asked for, and last the label.

    Raises:
        ValueError: The piece is silent or holds a sample that is no number.
    """
    peak = float(np.max(np.abs(piece.samples), initial=0.0))
    if not 1e-4 < peak < np.inf:
        raise ValueError(f"peak of {peak}: silent or broken audio")
    if job.spec.sample_rate != SAMPLE_RATE:
        raise ValueError(f"pieces have {SAMPLE_RATE} Hz, not features.sample_rate")
    features = log_mel(piece.samples, job.spec)
    with (
        replacing(job.folder.features_path(job.name)) as temporary,
        temporary.open("wb") as file,
    ):
        np.save(file, features.astype(np.float16), allow_pickle=False)
    audio_path = job.folder.audio_path(job.name)
    if job.keep_audio:
        with replacing(audio_path) as temporary:
            sf.write(temporary, piece.samples, SAMPLE_RATE, subtype="PCM_16")
    write_label(
        job.folder.label_path(job.name),
        piece.grid,
        piece.duration_s,
        audio_path.name if job.keep_audio else None,
        piece.downbeat,
        split="test" if job.held_out else "train",
        genre=piece.genre,
        license=piece.license,
        source=job.source,
        seed=job.seed,
        recipe=dict(piece.recipe),
    )
