"""The package's own songs, the drums played on sampled kits of the drum machine Hydrogen.

Recorded drums of wood, skin and brass, and samples as producers use them: what the generator's
synthesised drums lack. Every stroke's own latency is measured and cut off.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from beatgrid.rendering.generator import GENRES as ALL_GENRES
from beatgrid.rendering.generator import render
from beatgrid.rendering.generator.dsp import fade_out, peak_normalised
from beatgrid.rendering.generator.genres import TEMPLATES
from beatgrid.rendering.generator.grooves import GROOVES
from beatgrid.rendering.generator.performance import DrumSounds
from beatgrid.rendering.piece import SAMPLE_RATE, Piece, draw_duration_s, random_source
from beatgrid.rendering.sources.mastering import master

Samples = NDArray[np.float32]

#: Where Debian's hydrogen-data and hydrogen-drumkits put their kits, one folder each.
FOLDER = Path("/usr/share/hydrogen/data/drumkits")

#: Genres that have drums.
GENRES = tuple(name for name in ALL_GENRES if TEMPLATES[name].grooves)

# Not a song of ``own``, whose seeds are below: the same song with other drums teaches less.
_FIRST_SONG = 20_000_000

_LAYERED_SHARE = 0.3  # of pieces: kick, snare and clap sound together with the synthesised ones
_LAYERED = ("kick", "snare", "clap")
_LONGEST_S = 3.0  # of a sample: ``render`` forgets strokes that began earlier
_ONSET = 0.05  # of the peak: where a stroke begins
_BEFORE_S = 0.0003  # kept before it, faded in
_RISEN = 0.3  # of the peak ...
_SLOWEST_RISE_S = 0.006  # ... by when, or the sample is left out: its beat would seem late


@dataclass(frozen=True)
class KitInfo:
    """What is known about a kit besides its files.

    Attributes:
        kind: "acoustic", "electronic", or "percussion" (hands and sticks, no hi-hat).
        licence: Of the samples, as the copyright files of Debian's packages state it.
        held_out: Held out from training.
    """

    kind: str
    licence: str
    held_out: bool = False


#: By folder. Kits that are not here have no known licence and are not used. GMRockKit and The
#: Black Pearl share samples: they must be on one side. No others do.
KITS: dict[str, KitInfo] = {
    "Audiophob": KitInfo("electronic", "CC0-1.0"),
    "BJA_Pacific": KitInfo("acoustic", "CC-BY-SA-3.0-US", held_out=True),
    "ColomboAcousticDrumkit": KitInfo(
        "acoustic", "GPL-2+ with composition exception", held_out=True
    ),
    "ElectricEmpireKit": KitInfo("electronic", "GPL-2+"),
    "ForzeeStereo": KitInfo("acoustic", "GPL-2"),
    "GMRockKit": KitInfo("acoustic", "GPL-2+"),
    "Gimme A Hand 1.0": KitInfo("percussion", "GPL-2"),
    "HardElectro1": KitInfo("electronic", "GPL-2+", held_out=True),
    "Millo-Drums_v.1": KitInfo("acoustic", "GPL-2"),
    "Millo_MultiLayered2": KitInfo("acoustic", "GPL-2"),
    "Millo_MultiLayered3": KitInfo("acoustic", "GPL-2"),
    "TR808EmulationKit": KitInfo("electronic", "GPL-2+"),
    "The Black Pearl 1.0": KitInfo("acoustic", "GPL-2"),
    "VariBreaks": KitInfo("electronic", "GPL-2+"),
    "circAfrique v4": KitInfo("percussion", "CC-BY-SA-3.0", held_out=True),
    "rumpf_kit_z01_h2": KitInfo("electronic", "CC-BY-3.0"),
}

#: Drum and the names instruments have, in lower case; the first that fits counts, none leaves an
#: instrument out.
NAMES: tuple[tuple[str | None, str], ...] = (
    (None, r"^sample:|fx|whistle|strum|glass|\broll\b|redo"),
    (None, r"\bpd\b|pedal|semi|swish|choke|flink|free|crash/ride"),  # neither one nor the other
    ("kick", r"kick|bass ?drum|djembe\d* bass|cajon thump"),
    ("rim", r"stick|rim click|djembe\d* slap"),
    ("snare", r"snare|cajon slap"),
    ("clap", r"clap|finger ?snap"),
    ("cowbell", r"cowbell|agogo|(sangban|dununba|kenkeni)\d* bell"),
    ("open", r"\bop\b|\bohh\b|\bopen|(hat|hh)\b.*\bopen"),
    ("hat", r"hat\b|\bc?hh\b"),
    ("tom_low", r"tom ?low|low tom|tom ?floor|floor tom|sangban\d* head"),
    ("tom_high", r"\btom|kenkeni\d* head"),
    ("taiko", r"dununba\d* head"),
    ("ride", r"\bride\b"),
    ("crash", r"crash|splash|china|cymbal"),
    ("shaker", r"shaker|maraca"),
    ("conga", r"conga|bongo|djembe\d* tone"),
    ("clave", r"clave|wood ?block"),
    ("tambourine", r"tambourine"),
    ("zap", r"\bzap"),
)

#: How the names of files begin that hold silence, or whose body sounds 7 to 50 ms after a first
#: touch, which the cut takes for their onset.
UNUSED = (
    "emptySample",
    "CajonThumps-",
    "808_Cymbal.",
    "HardHse_K_03_B.",
    "VP Kick 1.",
    "VP Kick 3.",
    "beats_07-18.",
    "beats_08-17.",
    "beats_08-18.",
)

# Kits of ``beatgrid.rendering.generator`` that stand for recorded drums.
_RECORDED = {"acoustic", "brush", "metal", "break"}


@dataclass(frozen=True)
class Layer:
    """One sample of an instrument; ``loudest`` is the velocity (0 to 1) up to which it serves."""

    path: Path
    semitones: float
    loudest: float


Instrument = tuple[Layer, ...]


def missing_tools() -> list[str]:
    """Name the kits that are not installed."""
    return [str(FOLDER / name) for name in KITS if not (FOLDER / name / "drumkit.xml").exists()]


def render_piece(seed: int, held_out: bool = False) -> Piece:
    """Render piece ``seed``, mastered, of genre ``seed`` modulo their number.

    Args:
        seed: Any integer >= 0.
        held_out: Use the kits held out from training.
    """
    return play(GENRES[seed % len(GENRES)], "hydrogen", seed, held_out)


def play(genre: str, source: str, seed: int, held_out: bool) -> Piece:
    """Render a song of the generator on a sampled kit, mastered.

    Args:
        genre: One of ``genres.TEMPLATES`` that has drums.
        source: Name of the source, from which length, kit and mastering are drawn.
        seed: Any integer >= 0.
        held_out: Use the kits held out from training.
    """
    rng = random_source(source, seed)
    name = choose_kit(genre, rng, held_out)
    layered = bool(rng.random() < _LAYERED_SHARE)
    speed = float(rng.uniform(0.9, 1.1)) if rng.random() < 0.6 else 1.0
    n_variants = 4 if max(TEMPLATES[genre].human_ms) > 0 else 1  # samplers repeat, humans do not
    sounds_seed = int(rng.integers(2**32))

    def drum_sounds(synthesised: DrumSounds) -> DrumSounds:
        kit = read_kit(FOLDER / name)
        return SampledDrums(kit, synthesised, sounds_seed, n_variants, speed, layered)

    track = render(
        genre,
        _FIRST_SONG + seed,
        draw_duration_s(source, seed),
        sample_rate=SAMPLE_RATE,
        drum_sounds=drum_sounds,
    )
    samples, mastering = master(track.samples, rng)
    recipe = track.metadata | {
        "synthesised_kit": track.metadata["kit"],
        "kit": name,
        "layered": layered,
        "speed": round(speed, 4),
        "mastering": mastering,
    }
    return Piece(samples, track.grid, genre, license=KITS[name].licence, recipe=recipe)


def choose_kit(genre: str, rng: np.random.Generator, held_out: bool) -> str:
    """Name of a kit that suits a genre: recorded drums mostly for bands, samples for machines."""
    template = TEMPLATES[genre]
    recorded = float(np.mean([kit in _RECORDED for kit in template.kits]))
    kind = "acoustic" if rng.random() < np.clip(recorded, 0.15, 0.9) else "electronic"
    played = {drum for groove in template.grooves for drum in GROOVES[groove]}
    if not played & {"hat", "open", "ride"} and rng.random() < 0.6:
        kind = "percussion"
    names = [n for n, info in KITS.items() if info.kind == kind and info.held_out == held_out]
    return names[int(rng.integers(len(names)))]


class SampledDrums:
    """A sampled kit, played; drums it lacks are left to another one.

    Args:
        kit: Instruments of each drum, as ``read_kit`` returns them.
        others: Plays the other drums.
        seed: Decides which instrument is taken where a kit has several.
        n_variants: Samples of an instrument that take turns, the louder ones.
        speed: At which samples are played, their pitch with it.
        layered: Kick, snare and clap sound together with those of ``others``.
    """

    def __init__(
        self,
        kit: Mapping[str, Sequence[Instrument]],
        others: DrumSounds,
        seed: int,
        n_variants: int = 1,
        speed: float = 1.0,
        layered: bool = False,
    ) -> None:
        self._kit = kit
        self._others = others
        self._seed = seed
        self._n_variants = n_variants
        self._speed = speed
        self._layered = layered
        self._strokes: dict[str, list[Samples]] = {}

    def hit(self, drum: str, count: int) -> Samples:
        """Return the ``count``-th stroke, peak 1, float32 (samples,)."""
        if drum not in self._strokes:
            self._strokes[drum] = self._load(drum)
        strokes = self._strokes[drum]
        return strokes[count % len(strokes)] if strokes else self._others.hit(drum, count)

    def _load(self, drum: str) -> list[Samples]:
        """Load the strokes that take turns on a drum; none if the kit has no usable one."""
        rng = np.random.default_rng((self._seed, zlib.crc32(drum.encode())))
        instruments = self._kit.get(drum, ())
        for i in rng.permutation(len(instruments)):
            loudest_first = sorted(instruments[i], key=lambda layer: -layer.loudest)
            louder = [layer for layer in loudest_first if layer.loudest > 0.5] or loudest_first[:1]
            strokes = [
                stroke
                for layer in louder
                if (stroke := read_stroke(layer, self._speed)) is not None
            ][: self._n_variants]
            if strokes and self._layered and drum in _LAYERED:
                level = np.float32(rng.uniform(0.3, 1.0))
                return [_together(x, level * self._others.hit(drum, 0)) for x in strokes]
            if strokes:
                return strokes
        return []


def _together(a: Samples, b: Samples) -> Samples:
    """Mix two sounds that begin at once, peak 1."""
    out = np.zeros(max(len(a), len(b)), np.float32)
    out[: len(a)] += a
    out[: len(b)] += b
    return peak_normalised(out)


def drum_of(name: str) -> str | None:
    """Return the package's name of a drum by an instrument's name; None if it has none."""
    name = re.sub(r"\(.*\)", "", name.lower())  # makers and sizes
    return next((drum for drum, pattern in NAMES if re.search(pattern, name)), None)


@functools.lru_cache(maxsize=64)
def read_kit(folder: Path) -> dict[str, list[Instrument]]:
    """Read the instruments of each drum in a kit's ``drumkit.xml``, without unknown ones.

    Args:
        folder: Of the kit, its samples beside the description.
    """
    root = ElementTree.parse(folder / "drumkit.xml").getroot()
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # with or without Hydrogen's namespace
    kit: dict[str, list[Instrument]] = {}
    for instrument in root.iter("instrument"):
        drum = drum_of(instrument.findtext("name") or "")
        # Before Hydrogen 0.9.3 an instrument had one sample and no layers.
        elements = list(instrument.iter("layer")) or [instrument]
        layers = tuple(
            Layer(
                folder / name,
                float(element.findtext("pitch") or 0.0),
                float(element.findtext("max") or 1.0),
            )
            for element in elements
            # Some kits name files that they do not contain.
            if (name := element.findtext("filename"))
            and not name.startswith(UNUSED)
            and (folder / name).exists()
        )
        if drum is not None and layers:
            kit.setdefault(drum, []).append(layers)
    return kit


def read_stroke(layer: Layer, speed: float = 1.0) -> Samples | None:
    """Read a sample as ``cut_to_onset`` leaves it.

    Args:
        layer: The sample and its transposition.
        speed: At which it is played on top of that.
    """
    samples, rate = _read_mono(layer.path)
    ratio = speed * 2.0 ** (layer.semitones / 12.0)
    if rate * ratio != SAMPLE_RATE:
        samples = soxr.resample(samples, rate * ratio, SAMPLE_RATE)
    return cut_to_onset(samples)


@functools.lru_cache(maxsize=256)
def _read_mono(path: Path) -> tuple[Samples, int]:
    """Read the beginning of a file, float32 (samples,), and its sample rate."""
    with sf.SoundFile(path) as file:
        samples = file.read(round(1.2 * _LONGEST_S * file.samplerate), "float32", always_2d=True)
        return samples.mean(axis=1), file.samplerate


def cut_to_onset(samples: Samples) -> Samples | None:
    """Cut a stroke to begin at its first sample, with less than half a millisecond of lead.

    Args:
        samples: float32 (samples,) at ``SAMPLE_RATE``, any level.

    Returns:
        float32 (samples,), peak 1; None for silence and for what rises so slowly that it would
        seem late.
    """
    samples = peak_normalised(samples)
    loud = np.abs(samples)
    if not np.max(loud, initial=0.0) > 0.5:  # silence is not normalised
        return None
    start = int(np.argmax(loud > _ONSET))
    if np.argmax(loud > _RISEN) - start > _SLOWEST_RISE_S * SAMPLE_RATE:
        return None
    lead = min(start, round(_BEFORE_S * SAMPLE_RATE))
    stroke = samples[start - lead : start - lead + round(_LONGEST_S * SAMPLE_RATE)].copy()
    stroke[:lead] *= np.linspace(0, 1, lead, endpoint=False, dtype=np.float32)
    return fade_out(peak_normalised(stroke), SAMPLE_RATE, 0.02)
