"""The whole chain for one track: audio, features, activation, grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from beatgrid.activation.source import ActivationSource, open_source
from beatgrid.audio.arrays import audio_from_array
from beatgrid.audio.extract import file_features
from beatgrid.audio.features import FeatureSpec, log_mel
from beatgrid.audio.reader import AudioInfo, check_has_signal
from beatgrid.audio.tags import read_bpm_tag
from beatgrid.errors import BeatgridError
from beatgrid.grid import Activation
from beatgrid.networks.description import SHIPPED, SHIPPED_ONNX
from beatgrid.prediction import Prediction
from beatgrid.search import GridEstimate, GridSearch, Search, TempoHint
from beatgrid.training.runs import best_checkpoint


class Predictor:
    """Finds the beatgrid of audio files, or of samples; ``load`` makes one.

    Args:
        source: Turns features into an Activation: a network, or spectral flux.
        search: Turns an Activation into a GridEstimate.
        hint: What somebody says of the tempi: a tempo, a range [lowest, highest], or ``tag`` for
            what each file's own tags say. It counts when grids are chosen and is never copied.

    Raises:
        BeatgridError: The hint is none of these.
    """

    def __init__(
        self,
        source: ActivationSource,
        search: Search,
        hint: float | Sequence[float] | str | None = None,
    ) -> None:
        self.source = source
        self.search = search
        self._from_tags = hint == "tag"
        self._hint: TempoHint | None = None
        if hint is not None and not self._from_tags:
            try:
                self._hint = TempoHint.of(hint)
            except ValueError as error:
                raise BeatgridError(f"hint={hint}: {error}, and not 'tag'") from None

    @property
    def features(self) -> FeatureSpec:
        """The features that the source takes."""
        return self.source.features

    @property
    def model_id(self) -> str:
        """Which checkpoint answers, or ``flux``."""
        return self.source.model_id

    def __call__(
        self, audio: str | Path | np.ndarray, *, sample_rate: int | None = None
    ) -> Prediction:
        """Find the grid of a track; memory grows with a file's features, not its samples.

        Args:
            audio: A file, or samples: (samples,) or (samples, channels), floats of full scale 1
                or signed integers.
            sample_rate: Of samples, per second; a file says its own.

        Raises:
            AudioError: The audio cannot be decoded, is too short or silent.
            TypeError: Samples without a sample rate, or a file with one.
        """
        if isinstance(audio, str | Path):
            if sample_rate is not None:
                raise TypeError("sample_rate= goes with samples; a file says its own")
            return self._predict(*file_features(audio, self.features), self._hint_for(audio))
        if sample_rate is None:
            raise TypeError("samples need their rate, for instance sample_rate=44100")
        track = audio_from_array(audio, sample_rate, self.features.sample_rate)
        check_has_signal(track.info)
        return self._predict(log_mel(track.samples, self.features), track.info, self._hint)

    def map(
        self, files: Iterable[str | Path], num_threads: int = 4
    ) -> Iterator[tuple[str | Path, Prediction | BeatgridError]]:
        """Find the grids of files, several at a time, and yield each with its own, in order.

        While the network computes for some (in batches, with ``load(..., batch_size=)``), others
        are decoded and searched. Memory holds about ``num_threads`` tracks, whatever their number.

        Args:
            files: Taken one by one, as threads become free.
            num_threads: Files at a time.

        Yields:
            A file and its prediction, or why it has none.
        """
        with ThreadPoolExecutor(num_threads, thread_name_prefix="predict") as threads:
            started: deque = deque()
            try:
                for file in files:
                    started.append((file, threads.submit(self._attempt, file)))
                    if len(started) > num_threads:
                        file, found = started.popleft()
                        yield file, found.result()
                for file, found in started:
                    yield file, found.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _attempt(self, file: str | Path) -> Prediction | BeatgridError:
        try:
            return self(file)
        except BeatgridError as error:
            return error

    def _hint_for(self, path: str | Path) -> TempoHint | None:
        if not self._from_tags:
            return self._hint
        bpm = read_bpm_tag(Path(path))
        return None if bpm is None else TempoHint.of(bpm)

    def _predict(self, log_mel: np.ndarray, info: AudioInfo, hint: TempoHint | None) -> Prediction:
        activation, estimate = self.find(log_mel, info.duration_s, hint)
        return Prediction(info, activation, estimate, log_mel, self.model_id, hint)

    def find(
        self, log_mel: np.ndarray, duration_s: float, hint: TempoHint | None = None
    ) -> tuple[Activation, GridEstimate]:
        """Return activation and grid of features (frames, mels) of a track.

        Args:
            log_mel: Features in dB as ``features`` says, (frames, mels).
            duration_s: Length of the track.
            hint: On its tempo; that of the predictor does not count here.
        """
        activation = self.source(log_mel, duration_s)
        if hint is None:  # a search of one's own need not take one
            return activation, self.search(activation, self.source.ranker)
        return activation, self.search(activation, self.source.ranker, hint)


def load(
    ckpt: str | Path = "shipped",
    *,
    activation: str = "network",
    search: Search | None = None,
    backend: str = "auto",
    device: str = "cpu",
    num_threads: int | None = None,
    batch_size: int = 1,
    hint: float | Sequence[float] | str | None = None,
) -> Predictor:
    """Load what finds grids: by default the network that comes with the package.

    >>> import beatgrid
    >>> from beatgrid.rendering.generator import click_track
    >>> samples = click_track(bpm=125.0, offset_s=0.2, duration_s=12.0)
    >>> found = beatgrid.load("shipped")(samples, sample_rate=44100)
    >>> found.bpm
    125.0
    >>> found.beat_times()[:3].round(2)
    array([0.2 , 0.68, 1.16])

    Args:
        ckpt: ``shipped``, the weights that come with the package; ``latest``, the best ones of
            the newest training run under ``outputs/train``; or a file, a checkpoint or one of
            ``beatgrid export-model``.
        activation: ``network``, or ``flux``: spectral flux, without a checkpoint.
        search: Turns an Activation into a grid; by default ``GridSearch()``.
        backend: What runs the network: ``onnx`` (ONNX Runtime, for ``.onnx`` files), ``torch``
            (for checkpoints), or ``auto``: what the file needs, and for ``shipped``, which there
            is for both, ONNX Runtime, the faster one, unless ``device`` asks for another.
        device: Where the network computes, as torch names it; ONNX Runtime has ``cpu``.
        num_threads: Of the network; by default one under ONNX Runtime, and what torch was told.
        batch_size: Pieces of two minutes that the network computes at once, at most: those of a
            long track, and of tracks in several threads (``Predictor.map``). For a GPU, under
            torch; a CPU gains nothing.
        hint: What somebody says of the tempi: see ``Predictor``.

    Raises:
        BeatgridError: No such checkpoint, activation or backend, a file that cannot be read,
            one that the backend does not run, or batches where there are none.
    """
    if backend not in BACKENDS:
        raise BeatgridError(f"backend={backend}: must be one of {', '.join(BACKENDS)}")
    source = open_source(
        activation, lambda: find_model(ckpt, backend, device), device, num_threads, batch_size
    )
    return Predictor(source, search or GridSearch(), hint)


BACKENDS = ("auto", "onnx", "torch")


def find_model(ckpt: str | Path, backend: str = "auto", device: str = "cpu") -> Path:
    """Return the file that a backend runs for a checkpoint's name; see ``load``.

    Raises:
        BeatgridError: The backend does not run that file, or not on that device.
    """
    if ckpt == "shipped" and (backend == "onnx" or (backend == "auto" and device == "cpu")):
        path = SHIPPED_ONNX
    else:
        path = find_checkpoint(ckpt)
    is_onnx = path.suffix == ".onnx"
    if backend == "onnx" and not is_onnx:
        raise BeatgridError(
            f"backend=onnx: {path} is a checkpoint of torch; make an ONNX file of it: "
            f"beatgrid export-model ckpt='{path}' out='{path.with_suffix('.onnx').name}'"
        )
    if backend == "torch" and is_onnx:
        raise BeatgridError(f"backend=torch: {path} is for ONNX Runtime; name the checkpoint")
    if is_onnx and device != "cpu":
        raise BeatgridError(
            f"device={device}: {path} runs on the cpu; name a checkpoint and backend=torch"
        )
    return path


def find_checkpoint(ckpt: str | Path) -> Path:
    """Return the file that ``shipped``, ``latest`` or a path means; see ``load``.

    Raises:
        BeatgridError: ``latest``, but there is no run.
    """
    if ckpt == "shipped":
        return SHIPPED
    return best_checkpoint(Path("outputs/train")) if ckpt == "latest" else Path(ckpt)
