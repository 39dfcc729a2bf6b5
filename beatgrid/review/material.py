"""What a track is heard and judged by, computed when it is opened: sound, waveform, activation."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from beatgrid.audio.reader import open_audio
from beatgrid.grid import Activation
from beatgrid.review.waveform import SAMPLE_RATE, Waveform, write_wav
from beatgrid.search.least_squares import Peaks, find_peaks

if TYPE_CHECKING:
    from beatgrid.predictor import Predictor

# Those opened last; five minutes take 27 MB on disk.
MAX_TRACKS = 8
# As the grid search smooths.
SMOOTHING_S = 0.01


@dataclass(frozen=True, eq=False)
class Sound:
    """A track as the program decodes it.

    Attributes:
        wav: Mono, 44.1 kHz, 16 bits.
        waveform: Its picture.
    """

    wav: Path
    waveform: Waveform


@dataclass(frozen=True, eq=False)
class Heard:
    """What the network heard in a track.

    Attributes:
        activation: Probabilities per frame.
        peaks: Their sub-frame maxima.
    """

    activation: Activation
    peaks: Peaks


@dataclass(frozen=True, eq=False)
class Material:
    """Both, as soon as they are there; ``result()`` waits, and raises what went wrong."""

    sound: Future[Sound]
    heard: Future[Heard]

    @property
    def activation(self) -> Activation | None:
        """The activation, None while it is not there."""
        heard = self.heard_now
        return None if heard is None else heard.activation

    @property
    def heard_now(self) -> Heard | None:
        """What was heard, None while it is not there."""
        if self.heard.done() and self.heard.exception() is None:
            return self.heard.result()
        return None


class Materials:
    """Computes the material of tracks in the background and keeps the last few.

    Args:
        folder: For sounds; it belongs to this object alone.
        load: Makes the predictor. That takes seconds, so it begins at once, in the background.
    """

    def __init__(self, folder: Path, load: Callable[[], Predictor]) -> None:
        self._folder = folder
        self._tracks: OrderedDict[str, Material] = OrderedDict()
        self._lock = threading.Lock()
        # One of each: the page asks for one track, and for the next before it is needed.
        self._decoding = ThreadPoolExecutor(1, "decoding")
        self._hearing = ThreadPoolExecutor(1, "hearing")
        self._predictor = self._hearing.submit(load)

    def of(self, track_id: str, audio: Path, *, retry: bool = False) -> Material:
        """Return the material of a track; what is not there is begun now.

        Args:
            track_id: Names the track; may be part of a file's name.
            audio: Its file.
            retry: Begin again what went wrong: the file may be there by now.
        """
        with self._lock:
            material = self._tracks.get(track_id)
            if material is None or (retry and _failed(material)):
                material = Material(
                    self._decoding.submit(self._decode, track_id, audio),
                    self._hearing.submit(self._hear, audio),
                )
                self._tracks[track_id] = material
            self._tracks.move_to_end(track_id)
            for old_id in list(self._tracks)[:-MAX_TRACKS]:
                old = self._tracks[old_id]
                if old.sound.done() and old.heard.done():
                    del self._tracks[old_id]
                    self._wav(old_id).unlink(missing_ok=True)
            return material

    def close(self) -> None:
        """Give up what is not begun, and wait for what is."""
        for executor in (self._decoding, self._hearing):
            executor.shutdown(cancel_futures=True)

    def _decode(self, track_id: str, audio: Path) -> Sound:
        wav = self._wav(track_id)
        reader = open_audio(audio, SAMPLE_RATE)
        waveform = reader.consume(lambda blocks: write_wav(wav, blocks))
        return Sound(wav, waveform)

    def _hear(self, audio: Path) -> Heard:
        activation = self._predictor.result()(audio).activation
        return Heard(activation, find_peaks(activation, SMOOTHING_S))

    def _wav(self, track_id: str) -> Path:
        return self._folder / f"{track_id}.wav"


def _failed(material: Material) -> bool:
    """Tell whether something went wrong."""
    return any(
        future.done() and (future.cancelled() or future.exception() is not None)
        for future in (material.sound, material.heard)
    )
