"""The systems that can be compared, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from beatgrid.errors import BeatgridError

BEATGRID = "beatgrid"
_PACKAGE = Path(__file__).resolve().parent
RUNNERS = _PACKAGE / "runners"

Kind = Literal["grid", "beats", "tempo"]


@dataclass(frozen=True)
class System:
    """A method of finding tempo or beats.

    Attributes:
        name: What the user calls it; estimates are kept under it.
        kind: What it answers: a grid, a sequence of beats, or a tempo alone.
        about: The method and its source, in one line.
        licence: Of code and models.
        environment: Name of the environment that it runs in; several systems may share one.
        runner: Script in ``runners``.
        arguments: Of the script.
        weights: Whether its weights come from the user, as a path.
    """

    name: str
    kind: Kind
    about: str
    licence: str
    environment: str
    runner: str
    arguments: tuple[str, ...] = ()
    weights: bool = False

    @property
    def script(self) -> Path:
        """The runner's file."""
        return RUNNERS / self.runner


def _essentia(method: str, kind: Kind, about: str) -> System:
    return System(
        f"essentia-{method}",
        kind,
        about,
        "AGPL-3.0",
        "essentia",
        "essentia_runner.py",
        (method,),
    )


_ALL = (
    System(
        BEATGRID,
        "grid",
        "beatgrid's network and grid search",
        "MIT",
        BEATGRID,
        "beatgrid_runner.py",
    ),
    System(
        "madmom",
        "beats",
        "madmom's recurrent networks and dynamic Bayesian network (Böck et al., 2016)",
        "BSD-2-Clause; models CC BY-NC-SA 4.0, not for commercial use",
        "madmom",
        "madmom_runner.py",
    ),
    System(
        "mixxx",
        "beats",
        "Mixxx's beat analysis, the Queen Mary tempo tracker (Davies and Plumbley, 2007)",
        "GPL-2.0-or-later",
        "mixxx",
        "mixxx_runner.py",
    ),
    _essentia(
        "multifeature",
        "beats",
        "Essentia's RhythmExtractor2013, multifeature (Zapata et al., 2014)",
    ),
    _essentia("degara", "beats", "Essentia's RhythmExtractor2013, degara (Degara et al., 2012)"),
    _essentia(
        "percival", "tempo", "Essentia's PercivalBpmEstimator (Percival and Tzanetakis, 2014)"
    ),
    System(
        "librosa",
        "beats",
        "librosa.beat.beat_track, dynamic programming (Ellis, 2007)",
        "ISC",
        "librosa",
        "librosa_runner.py",
    ),
    System(
        "aubio",
        "beats",
        "aubio's tempo tracker (Brossier, 2006)",
        "GPL-3.0-or-later",
        "aubio",
        "aubio_runner.py",
    ),
    System(
        "beatnet",
        "beats",
        "BeatNet's offline mode, model 1 (Heydari et al., 2021)",
        "CC BY 4.0; madmom inside",
        "beatnet",
        "beatnet_runner.py",
    ),
    System(
        "tempocnn",
        "tempo",
        "tempo-cnn's global estimate, model fcn (Schreiber and Müller, 2018)",
        "AGPL-3.0",
        "tempocnn",
        "tempocnn_runner.py",
    ),
    System(
        "deeprhythm",
        "tempo",
        "DeepRhythm's network over harmonic sums (Foroughmand and Peeters, 2019)",
        "GPL-3.0",
        "deeprhythm",
        "deeprhythm_runner.py",
        weights=True,
    ),
    System(
        "beat_this",
        "beats",
        "Beat This!, minimal post-processing (Foscarin et al., 2024)",
        "MIT",
        "beat_this",
        "beat_this_runner.py",
        weights=True,
    ),
)

SYSTEMS: Mapping[str, System] = MappingProxyType({system.name: system for system in _ALL})
"""By name; beatgrid comes first."""


def chosen_systems(names: Sequence[str] | None) -> list[System]:
    """Return the systems of these names, beatgrid first; all of them for None.

    Raises:
        BeatgridError: A name that is not among them.
    """
    if names is None:
        return list(SYSTEMS.values())
    for name in names:
        if name not in SYSTEMS:
            raise BeatgridError(f"systems={name}: must be one of {', '.join(SYSTEMS)}")
    return [system for name, system in SYSTEMS.items() if name in {BEATGRID, *names}]
