"""Genre templates as data: tempo custom, grooves, parts, form and sound of each.

``bpm`` is the range in which listeners of the genre count: drum & bass at 160-180 although its
backbeat halves that, trap and dubstep at 130-160 with the snare on beat 3, ballads at 60-90
although their hi-hat doubles that, metal by its quarter note whatever the feet do. The label's
metrical level is this custom, and a network can only learn it if it is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from beatgrid.synth.dsp import Range


@dataclass(frozen=True)
class Part:
    """One player: a role, the instruments that may take it, the figures it may play.

    Attributes:
        role: "bass", "comp" (chords in rhythm), "pad" (chords held), "arp" or "lead".
        voices: Names of instruments.
        figures: Names in ``patterns.BASSES`` or ``patterns.COMPS``; for a lead and an arp none.
        prob: Chance that a track has the part at all.
        density: Notes per beat of a lead or arp.
        power: Chords are root, fifth and octave, as on distorted guitars.
    """

    role: str
    voices: tuple[str, ...]
    figures: tuple[str, ...] = ()
    prob: float = 0.85
    density: Range = (0.8, 2.2)
    power: bool = False


@dataclass(frozen=True)
class Genre:
    """A genre template.

    Attributes:
        bpm: Customary tempo range.
        grooves: Names in ``patterns.GROOVES``; none for music without drums.
        kits: Names in ``drums.KITS``.
        parts: Players.
        form: Name in ``arrangement.FORMS``.
        beats_per_bar: Metre.
        swing: Place of the off-beat sixteenth (or eighth) within its pair; 0.5 is straight.
        swing_beats: Length of the pair in beats: 0.5 swings sixteenths, 1 eighths.
        human_ms: Standard deviation of each onset's displacement.
        scales: Names in ``patterns.SCALES``.
        chord_bars: Bars one chord may last.
        rms_db: Loudness after mastering.
        sidechain: Depth of the pumping after each kick.
        drive: Gain of the master's soft clipper.
        lofi: Chance of a band-limited, noisy master.
        rates: Speed of the drums against the tempo, chosen per section: 0.5 is half time.
    """

    bpm: Range
    grooves: tuple[str, ...]
    kits: tuple[str, ...]
    parts: tuple[Part, ...]
    form: str = "song"
    beats_per_bar: int = 4
    swing: Range = (0.5, 0.5)
    swing_beats: float = 0.5
    human_ms: Range = (0.0, 0.0)
    scales: tuple[str, ...] = ("major", "minor")
    chord_bars: tuple[float, ...] = (1.0,)
    rms_db: Range = (-17.0, -9.0)
    sidechain: Range = (0.0, 0.0)
    drive: Range = (0.3, 2.0)
    lofi: float = 0.05
    rates: tuple[float, ...] = (1.0,)


def _bass(voices: str, figures: str, prob: float = 0.92) -> Part:
    return Part("bass", tuple(voices.split()), tuple(figures.split()), prob)


def _comp(voices: str, figures: str, prob: float = 0.8) -> Part:
    return Part("comp", tuple(voices.split()), tuple(figures.split()), prob)


def _power(figures: str, voices: str = "power_guitar palm_guitar") -> Part:
    return Part("comp", tuple(voices.split()), tuple(figures.split()), 0.97, power=True)


def _pad(voices: str = "pad strings choir wall", prob: float = 0.6) -> Part:
    return Part("pad", tuple(voices.split()), (), prob)


def _arp(voices: str, density: Range = (2, 4), prob: float = 0.5) -> Part:
    return Part("arp", tuple(voices.split()), (), prob, density)


def _lead(voices: str, density: Range = (0.7, 2.2), prob: float = 0.7) -> Part:
    return Part("lead", tuple(voices.split()), (), prob, density)


_EDM_LEADS = "saw_lead supersaw pluck fm_lead vocal chip_square bell growl"
_EDM: dict[str, Any] = {"sidechain": (0.0, 0.9), "form": "club", "scales": ("minor", "minor", "major", "phrygian")}
_PLAYED: dict[str, Any] = {"human_ms": (0.5, 5.0), "drive": (0.2, 1.2)}
_ACOUSTIC: dict[str, Any] = _PLAYED | {"form": "solo", "rms_db": (-27.0, -14.0), "drive": (0.1, 0.4), "lofi": 0.2}

TEMPLATES: dict[str, Genre] = {
    "house": Genre(
        (118, 130), ("house", "house_swing", "four", "deep", "afro"), ("909", "808", "lofi"),
        (
            _bass("saw_bass sub_bass fm_bass picked_bass", "offbeat house house_2 garage octaves_16 sync"),
            _comp("stab piano ep organ supersaw", "house_piano house_stab house_long offbeat pump whole"),
            _pad(prob=0.4), _lead("vocal pluck saw_lead sax marimba", (0.5, 1.6)),
        ), swing=(0.5, 0.6), **_EDM,
    ),
    "techno": Genre(
        (122, 148), ("techno", "techno_perc", "techno_broken", "four", "psy", "hats_only"),
        ("909", "808", "hardcore"),
        (
            _bass("saw_bass sub_bass acid reese fm_bass", "rolling offbeat root_16 acid rolling_2 root_whole"),
            _comp("stab fm_bass pluck", "house_stab hits offbeat_16 push", 0.6),
            _arp("pluck acid bell fm_lead", (2, 4), 0.6), _pad(prob=0.4),
        ), chord_bars=(2.0, 4.0), **_EDM,
    ),
    "trance": Genre(
        (130, 145), ("trance", "four", "psy", "hats_only"), ("909",),
        (
            _bass("saw_bass reese fm_bass", "offbeat rolling rolling_2 offbeat_octave root_16"),
            _comp("supersaw stab wall", "trance_gate gate_16 offbeat whole supersaw_sync", 0.8),
            _arp("pluck saw_lead bell", (3, 4), 0.8), _pad(prob=0.7), _lead(_EDM_LEADS, (0.8, 2)),
        ), **_EDM,
    ),
    "drum_and_bass": Genre(
        (160, 180), ("dnb", "dnb_2step", "dnb_sync", "dnb_neuro", "break", "halfstep"),
        ("909", "break", "acoustic"),
        (
            _bass("reese sub_bass growl wobble_bass saw_bass", "dnb dnb_2 reese wobble root_half rolling"),
            _comp("stab ep piano supersaw", "hits house_stab push half quarters", 0.6),
            _pad(prob=0.7), _arp("pluck bell", (1, 4), 0.4), _lead(_EDM_LEADS, (0.3, 1.3)),
        ), chord_bars=(1.0, 2.0), **_EDM,
    ),
    "jungle": Genre(
        (155, 178), ("jungle", "jungle_chop", "break", "break_funky"), ("break", "acoustic", "lofi"),
        (
            _bass("sub_bass 808_bass reese", "reggae dnb dnb_2 boom 808_slide root_whole"),
            _comp("stab organ ep", "skank reggae hits house_stab", 0.6), _pad(prob=0.7),
            _lead("vocal shout sax pluck", (0.3, 1.2), 0.5),
        ), chord_bars=(1.0, 2.0, 4.0), human_ms=(0, 2), lofi=0.2, **_EDM,
    ),
    "breakbeat": Genre(
        (105, 142), ("break", "break_funky", "big_beat", "electro", "techno_broken", "garage"),
        ("break", "909", "808", "acoustic"),
        (
            _bass("saw_bass reese acid picked_bass fm_bass", "funk acid sync house_2 garage pop"),
            _comp("stab organ clean_guitar supersaw", "funk_stab house_stab hits funk_16", 0.7),
            _pad(prob=0.4), _lead("vocal rap saw_lead pluck", (0.5, 2)),
        ), swing=(0.5, 0.58), **_EDM,
    ),
    "dubstep": Genre(
        (136, 152), ("dubstep", "dubstep_heavy", "halfstep", "future"), ("909", "hardcore", "808"),
        (
            _bass("wobble_bass growl reese sub_bass", "dubstep wobble root_half sync root_whole"),
            _comp("supersaw stab growl", "hits future_bass push gate_16", 0.6), _pad(prob=0.6),
            _lead(_EDM_LEADS, (0.5, 2), 0.6), _arp("pluck bell chip_square", (2, 4), 0.4),
        ), chord_bars=(1.0, 2.0), drive=(0.8, 4.0), **_EDM,
    ),
    "trap": Genre(
        (130, 160), ("trap", "trap_roll", "trap_triplet", "drill", "future"), ("808",),
        (
            _bass("808_bass sub_bass", "trap 808_slide root_half boom"),
            _comp("bell pluck piano choir", "whole quarters hits half", 0.6), _pad(prob=0.5),
            _arp("bell pluck music_box harp flute", (1, 3), 0.6), _lead("rap vocal flute", (1, 2.5), 0.8),
        ), chord_bars=(1.0, 2.0), **(_EDM | {"form": "song"}),
    ),
    "hip_hop": Genre(
        (75, 105), ("boom_bap", "boom_bap_lazy", "hiphop_16", "break", "rnb"),
        ("break", "808", "acoustic", "lofi"),
        (
            _bass("sub_bass picked_bass 808_bass upright_bass", "boom pop sync 808_slide root_half"),
            _comp("ep piano guitar stab clean_guitar", "whole half hits push chop funk_stab", 0.8),
            _pad(prob=0.4), _lead("rap", (2, 4), 0.75), _lead("flute sax bell strings", (0.4, 1.2), 0.3),
        ), swing=(0.5, 0.64), human_ms=(0, 5), lofi=0.3,
    ),
    "lofi": Genre(
        (68, 92), ("lofi", "boom_bap_lazy", "boom_bap", "shaker_only"), ("lofi", "brush"),
        (
            _bass("sub_bass upright_bass picked_bass", "boom root_half pop root_whole"),
            _comp("ep piano guitar muted_guitar", "whole half push charleston quarters", 0.95),
            _lead("ep pluck sax guitar flute music_box", (0.4, 1.3), 0.7), _pad(prob=0.3),
        ), form="loop", swing=(0.52, 0.66), human_ms=(2, 7), lofi=0.8, rms_db=(-24, -14),
    ),
    "rnb": Genre(
        (62, 98), ("rnb", "ballad_rim", "hiphop_16", "future"), ("808", "lofi", "909"),
        (
            _bass("sub_bass 808_bass picked_bass", "boom pop 808_slide sync"),
            _comp("ep pluck piano guitar", "push half charleston whole", 0.9), _pad(prob=0.5),
            _lead("vocal", (1, 2.5), 0.95),
        ), swing=(0.5, 0.6), human_ms=(0, 4),
    ),
    "hardcore": Genre(
        (160, 220), ("gabber", "hardcore_roll", "hardcore_gallop", "four", "trance"), ("hardcore", "909"),
        (
            _bass("saw_bass reese acid", "offbeat rolling offbeat_octave root_16", 0.6),
            _comp("supersaw stab wall", "offbeat whole supersaw_sync pump house_piano", 0.7),
            _lead("supersaw saw_lead shout growl piano", (0.8, 2.5), 0.85), _pad(prob=0.4),
            _arp("pluck saw_lead", (2, 4), 0.3),
        ), drive=(1, 5), **_EDM,
    ),
    "jcore": Genre(
        (160, 230), ("hardcore_roll", "four", "gabber", "jungle", "dnb_2step", "break_funky", "hardcore_gallop", "disco"),
        ("hardcore", "909", "break"),
        (
            _bass("saw_bass reese slap_bass chip_triangle", "offbeat octaves rolling root_16 slap dnb"),
            _comp("supersaw piano stab wall", "supersaw_sync house_piano offbeat eighths future_bass", 0.9),
            _lead("supersaw saw_lead chip_square vocal piano fm_lead violin", (1.5, 4), 0.95),
            _arp("chip_square pluck piano bell", (2, 4), 0.6), _pad(prob=0.5), _lead("vocal", (0.8, 2), 0.4),
        ), rates=(1.0, 1.0, 1.0, 0.5), drive=(0.8, 4), **(_EDM | {"scales": ("major", "minor", "minor")}),
    ),
    "artcore": Genre(
        (150, 210), ("dnb", "break_funky", "jungle", "hardcore_roll", "halfstep", "dnb_sync"), ("break", "909", "acoustic"),
        (
            _bass("reese saw_bass picked_bass", "dnb root_8 dnb_2 offbeat"),
            _comp("piano strings spiccato wall", "ostinato eighths whole ostinato_sync", 0.9),
            _lead("violin piano flute choir harpsichord", (1, 4), 0.95), _arp("piano harp harpsichord bell", (2, 4), 0.7),
            _pad("strings choir", 0.8),
        ), rates=(1.0, 1.0, 0.5), **(_EDM | {"scales": ("minor", "harmonic", "major")}),
    ),
    "chiptune": Genre(
        (110, 190), ("four", "rock", "dnb", "disco_16", "punk", "rock_2", "gallop"), ("chip",),
        (
            _bass("chip_triangle chip_square", "octaves root_8 octaves_16 disco pop gallop walking_8"),
            _arp("chip_square", (3, 4), 0.85), _lead("chip_square", (1, 3), 0.95),
            _comp("chip_square", "offbeat_16 gate_16 upstroke", 0.4),
        ), form="loop", drive=(0.1, 0.8), rates=(1.0, 1.0, 1.0, 0.5),
    ),
    "game": Genre(
        (90, 180), ("rock", "four", "disco", "samba", "march", "break", "skank", "shaker_only"),
        ("acoustic", "909", "chip", "lofi"),
        (
            _bass("picked_bass saw_bass slap_bass fm_bass", "root_8 octaves pop latin walking_8 motown"),
            _comp("piano guitar marimba organ brass spiccato", "offbeat ostinato eighths montuno strum upstroke", 0.9),
            _lead("flute brass violin saw_lead music_box koto fm_lead", (0.8, 2.5), 0.95), _pad("strings choir pad", 0.5),
            _arp("harp bell marimba pluck", (2, 4), 0.4),
        ), form="loop", human_ms=(0, 2),
    ),
    "synthwave": Genre(
        (80, 120), ("rock", "four", "rock_open", "ballad", "electro"), ("909", "808"),
        (
            _bass("saw_bass fm_bass reese", "root_16 octaves root_8 gallop octaves_16"),
            _comp("stab supersaw brass", "whole half push offbeat", 0.7), _pad(prob=0.9),
            _arp("pluck saw_lead", (3, 4), 0.7), _lead("saw_lead sax solo_guitar bell vocal", (0.5, 1.6)),
        ), sidechain=(0, 0.6), scales=("minor", "minor", "dorian"), lofi=0.15,
    ),
    "electro_pop": Genre(
        (95, 135), ("four", "electro", "disco", "garage", "rock"), ("909", "808"),
        (
            _bass("saw_bass fm_bass slap_bass", "octaves root_8 disco pop offbeat"),
            _comp("stab supersaw ep clean_guitar", "upstroke funk_16 future_bass offbeat pump", 0.9),
            _pad(prob=0.4), _lead("vocal", (1, 2.6), 0.95), _arp("pluck bell chip_square", (2, 4), 0.4),
        ), sidechain=(0, 0.7),
    ),
    "future_bass": Genre(
        (130, 160), ("future", "trap", "halfstep", "trap_roll"), ("808", "909"),
        (
            _bass("sub_bass reese 808_bass", "root_whole root_half trap sync"),
            _comp("supersaw wall", "future_bass supersaw_sync pump gate_16 push", 0.97),
            _lead("vocal pluck saw_lead chip_square", (1, 3), 0.9), _pad(prob=0.4), _arp("pluck bell", (2, 4), 0.5),
        ), **(_EDM | {"scales": ("major", "minor"), "sidechain": (0.4, 0.95)}),
    ),
    "garage": Genre(
        (126, 140), ("garage", "house_swing"), ("909", "lofi", "808"),
        (
            _bass("sub_bass reese fm_bass saw_bass", "garage house_2 sync funk"),
            _comp("organ ep stab", "house_stab charleston chop offbeat_16", 0.9), _pad(prob=0.4), _lead("vocal", (0.8, 2), 0.8),
        ), swing=(0.56, 0.66), **_EDM,
    ),
    "reggaeton": Genre(
        (84, 106), ("reggaeton", "dembow"), ("808", "909"),
        (
            _bass("sub_bass 808_bass fm_bass", "reggaeton root_half 808_slide sync"),
            _comp("pluck guitar piano stab", "montuno half offbeat strum_2", 0.8), _pad(prob=0.4), _lead("vocal rap", (1.2, 3), 0.9),
        ), chord_bars=(1.0, 0.5),
    ),
    "latin": Genre(
        (90, 130), ("samba", "bossa", "afro", "conga_only", "reggaeton"), ("acoustic", "909"),
        (
            _bass("picked_bass upright_bass", "latin bossa tresillo reggaeton"),
            _comp("piano guitar brass", "montuno bossa strum_2", 0.95), _lead("vocal brass sax flute", (0.8, 2), 0.9),
        ), **_PLAYED,
    ),
    "reggae": Genre(
        (66, 92), ("one_drop", "steppers", "shaker_only"), ("acoustic", "lofi"),
        (
            _bass("sub_bass picked_bass", "reggae boom pop"), _comp("organ clean_guitar muted_guitar piano", "skank", 0.98),
            _comp("organ clean_guitar", "reggae upstroke offbeat_16", 0.4), _lead("vocal brass sax flute", (0.6, 2), 0.85),
        ), swing=(0.5, 0.62), **_PLAYED,
    ),
    "ska": Genre(
        (120, 180), ("ska", "skank", "punk", "polka"), ("acoustic",),
        (
            _bass("picked_bass upright_bass", "walking walking_8 motown"), _comp("clean_guitar organ muted_guitar", "upstroke", 0.98),
            _comp("brass", "hits push funk_stab", 0.5), _lead("vocal brass sax shout", (0.7, 2.2), 0.9),
        ), **_PLAYED,
    ),
    "polka": Genre(
        (100, 140), ("polka", "march", "train"), ("acoustic", "brush"),
        (
            _bass("brass upright_bass accordion", "oompah oompah_fast"), _comp("accordion guitar brass", "oompah polka", 0.98),
            _lead("accordion flute violin brass", (1.2, 3.5), 0.98),
        ), form="loop", scales=("major",), **_PLAYED,
    ),
    "disco": Genre(
        (108, 130), ("disco", "disco_16", "four"), ("acoustic", "909"),
        (
            _bass("picked_bass slap_bass saw_bass", "disco octaves funk octaves_16"),
            _comp("clean_guitar muted_guitar ep", "funk_16 disco chop_16 upstroke", 0.9), _comp("strings brass", "hits push funk_stab", 0.5),
            _pad("strings", 0.6), _lead("vocal sax saw_lead", (0.7, 2.2), 0.9),
        ), **(_PLAYED | {"human_ms": (0, 3)}),
    ),
    "funk": Genre(
        (88, 122), ("funk", "funk_linear", "break_funky", "disco_16"), ("acoustic", "break"),
        (
            _bass("slap_bass picked_bass fm_bass", "funk slap disco"), _comp("muted_guitar clean_guitar ep", "funk_16 chop_16 funk_stab", 0.95),
            _comp("brass organ", "funk_stab hits push", 0.6), _lead("vocal sax shout", (0.7, 2.5), 0.7),
        ), swing=(0.5, 0.58), chord_bars=(1.0, 2.0, 4.0), scales=("dorian", "mixolydian", "minor"), **_PLAYED,
    ),
    "motown": Genre(
        (96, 140), ("motown", "rock", "tambourine_only"), ("acoustic", "brush"),
        (
            _bass("picked_bass upright_bass", "motown pop walking_8"), _comp("clean_guitar piano organ", "chop eighths upstroke quarters", 0.95),
            _pad("strings", 0.4), _lead("vocal", (0.8, 2), 0.95), _comp("brass", "hits push funk_stab", 0.4),
        ), lofi=0.3, **_PLAYED,
    ),
    "rock": Genre(
        (90, 165), ("rock", "rock_2", "rock_open", "rock_toms", "punk"), ("acoustic",),
        (
            _bass("picked_bass", "rock root_8 rock_push pop"), _power("power_8 power_ring power_sync strum"),
            _comp("clean_guitar guitar organ piano", "strum strum_2 eighths", 0.5), _lead("vocal shout solo_guitar", (0.8, 2.2), 0.95),
        ), rates=(1.0, 1.0, 1.0, 0.5), scales=("major", "minor", "mixolydian"), **(_PLAYED | {"drive": (0.5, 2)}),
    ),
    "indie": Genre(
        (85, 175), ("rock", "rock_toms", "disco", "motown", "stomp_clap", "tambourine_only"), ("acoustic", "lofi"),
        (
            _bass("picked_bass saw_bass", "root_8 pop rock_push octaves"), _comp("clean_guitar guitar muted_guitar piano", "strum strum_2 strum_8 eighths offbeat upstroke", 0.97),
            _arp("clean_guitar bell pluck", (2, 4), 0.5), _pad(prob=0.4), _lead("vocal", (0.8, 2.2), 0.95),
        ), rates=(1.0, 1.0, 0.5), **_PLAYED,
    ),
    "pop": Genre(
        (80, 130), ("four", "rock", "ballad", "stomp_clap", "reggaeton", "rnb", "house"), ("909", "acoustic", "808"),
        (
            _bass("saw_bass sub_bass picked_bass", "pop root_8 sync rock_push root_half"), _comp("piano guitar ep stab clean_guitar", "quarters eighths strum push upstroke whole", 0.95),
            _pad(prob=0.6), _lead("vocal", (1, 2.6), 0.97), _arp("pluck bell muted_guitar", (2, 4), 0.4),
        ), sidechain=(0, 0.4), human_ms=(0, 2),
    ),
    "jpop": Genre(
        (120, 200), ("rock", "rock_2", "disco", "skank", "punk", "four", "motown"), ("acoustic", "909"),
        (
            _bass("picked_bass slap_bass", "root_8 slap octaves walking_8 pop"), _power("power_8 power_sync strum"),
            _comp("piano brass organ", "push eighths funk_stab upstroke", 0.8), _pad("strings", 0.7), _lead("vocal", (1.2, 2.8), 0.97),
            _lead("solo_guitar saw_lead violin", (1, 3), 0.3),
        ), rates=(1.0, 1.0, 1.0, 0.5), human_ms=(0, 3), chord_bars=(1.0, 0.5), rms_db=(-14, -8),
    ),
    "punk": Genre(
        (150, 215), ("punk", "dbeat", "skank", "rock"), ("acoustic", "metal"),
        (_bass("picked_bass", "punk root_8"), _power("power_8 power_sync"), _lead("shout vocal", (1, 2.5), 0.95)),
        rates=(1.0, 1.0, 0.5), scales=("major", "minor"), **(_PLAYED | {"drive": (0.8, 3)}),
    ),
    "metal": Genre(
        (90, 220), ("double_kick", "gallop", "thrash", "blast", "rock", "double_half", "breakdown_metal", "dbeat"), ("metal", "acoustic"),
        (
            _bass("picked_bass", "root_8 root_16 gallop root_half"), _power("power_16 power_gallop power_chug power_8 power_ring"),
            _lead("scream shout solo_guitar vocal", (0.8, 3), 0.9), _pad("strings choir", 0.3),
        ), human_ms=(0, 2), scales=("minor", "phrygian", "harmonic"), rates=(1.0, 1.0, 0.5), drive=(0.8, 4), chord_bars=(1.0, 2.0, 0.5), rms_db=(-14, -8),
    ),
    "extreme_metal": Genre(
        (160, 250), ("blast", "blast_unison", "bomb_blast", "double_kick", "skank", "thrash"), ("metal",),
        (
            _bass("picked_bass", "root_8 root_16"), _power("power_16 power_8 power_chug chug_triplet"), _lead("scream solo_guitar", (0.8, 4), 0.9),
            _pad("choir strings", 0.3),
        ), human_ms=(0, 2), scales=("minor", "phrygian", "harmonic"), rates=(1.0, 1.0, 1.0, 0.5), drive=(1, 5), chord_bars=(1.0, 2.0, 0.5), rms_db=(-13, -8),
    ),
    "metalcore": Genre(
        (110, 180), ("breakdown_metal", "double_half", "double_kick", "dbeat", "punk", "rock_open"), ("metal",),
        (
            _bass("picked_bass reese", "root_8 sync root_16"), _power("djent power_chug power_ring power_gallop", "palm_guitar power_guitar"),
            _lead("scream vocal", (0.8, 2.5), 0.9), _lead("solo_guitar", (1, 4), 0.5), _pad(prob=0.3),
        ), scales=("minor", "phrygian"), rates=(1.0, 0.5), drive=(1, 4), chord_bars=(1.0, 2.0), rms_db=(-13, -8),
    ),
    "blues_shuffle": Genre(
        (88, 140), ("shuffle", "shuffle_rock", "swing_big"), ("acoustic",),
        (
            _bass("picked_bass upright_bass", "shuffle boogie walking_swing"), _comp("clean_guitar piano organ", "shuffle jazz_comp swing_off", 0.95),
            _lead("vocal solo_guitar sax shout", (0.8, 2), 0.95),
        ), swing=(0.62, 0.68), swing_beats=1.0, scales=("mixolydian", "dorian"), **_PLAYED,
    ),
    "jazz": Genre(
        (95, 230), ("jazz", "jazz_comp", "swing_big", "brushes"), ("brush", "acoustic"),
        (
            _bass("upright_bass", "walking walking_swing", 0.97), _comp("piano clean_guitar ep", "jazz_comp jazz_4 charleston swing_off", 0.9),
            _lead("sax brass piano flute marimba", (1, 2.5), 0.95),
        ), form="solo", swing=(0.58, 0.68), swing_beats=1.0, scales=("dorian", "major", "mixolydian"), chord_bars=(1.0, 0.5), rms_db=(-24, -13), **_PLAYED,
    ),
    "electro_swing": Genre(
        (110, 132), ("electro_swing", "swing_big"), ("909", "break"),
        (
            _bass("saw_bass upright_bass", "walking walking_swing offbeat"), _comp("piano honky_piano guitar brass", "swing_off oompah jazz_4", 0.95),
            _lead("brass vocal sax", (1, 2.5), 0.95),
        ), swing=(0.6, 0.67), swing_beats=1.0, sidechain=(0, 0.6), form="club",
    ),
    "waltz": Genre(
        (84, 190), ("waltz", "waltz_jazz", "waltz_pop"), ("brush", "acoustic"),
        (
            _bass("upright_bass piano accordion picked_bass", "three_oom three_whole three_walk"), _comp("piano accordion guitar strings", "waltz", 0.95),
            _lead("violin flute accordion vocal piano", (0.6, 2), 0.95), _pad("strings", 0.4),
        ), beats_per_bar=3, **_PLAYED,
    ),
    "waltz_solo": Genre(
        (80, 170), (), ("brush",),
        (_bass("piano honky_piano accordion harp music_box", "three_oom three_whole", 1.0), _comp("piano accordion harp music_box guitar", "waltz waltz_roll", 1.0), _lead("piano violin flute music_box", (0.5, 2), 1.0)),
        beats_per_bar=3, **_ACOUSTIC,
    ),
    "ballad": Genre(
        (60, 90), ("ballad", "ballad_rim", "rock_open", "ballad_68", "shaker_only"), ("acoustic", "909", "brush"),
        (
            _bass("picked_bass sub_bass upright_bass", "root_half pop root_whole rock_push"), _comp("piano guitar ep clean_guitar", "eighths quarters whole folk_pick strum triplets", 0.97),
            _pad("strings pad choir", 0.8), _lead("vocal violin solo_guitar sax", (0.8, 2.4), 0.97), _arp("piano guitar harp", (2, 4), 0.4),
        ), rms_db=(-22, -10), **_PLAYED,
    ),
    "ambient_pulse": Genre(
        (60, 110), ("ticking", "shaker_only", "hats_only", "techno", "ballad_rim"), ("lofi", "808", "909"),
        (
            _bass("sub_bass reese", "root_whole root_half root_quarter pedal", 0.8), _arp("pluck bell ep harp piano music_box", (1, 4), 0.95),
            _pad("pad choir strings", 1.0), _lead("flute piano bell vocal", (0.2, 0.9), 0.6),
        ), form="solo", chord_bars=(1.0, 2.0), rms_db=(-26, -13), lofi=0.2,
    ),
    "ragtime": Genre(
        (76, 112), (), ("brush",),
        (_bass("honky_piano piano", "oompah stride", 1.0), _comp("honky_piano piano", "stride oompah", 1.0), _lead("honky_piano piano", (1.8, 3.6), 1.0)),
        scales=("major",), chord_bars=(1.0, 0.5), **_ACOUSTIC,
    ),
    "piano_solo": Genre(
        (60, 120), (), ("brush",),
        (
            _bass("piano", "root_whole root_half root_8 octaves sync", 0.95), _comp("piano", "eighths quarters whole half sixteenths triplets push", 0.9),
            _lead("piano", (0.6, 2.2), 0.97), _arp("piano", (2, 4), 0.4),
        ), chord_bars=(1.0, 0.5), **_ACOUSTIC,
    ),
    "guitar_solo": Genre(
        (66, 130), (), ("brush",),
        (
            _bass("guitar picked_bass", "root_half oompah root_quarter sync", 0.8), _comp("guitar banjo", "folk_pick strum strum_2 strum_8 campfire quarters", 0.97),
            _arp("guitar banjo", (2, 4), 0.5), _lead("guitar vocal flute violin", (0.6, 2), 0.7),
        ), **_ACOUSTIC,
    ),
    "folk": Genre(
        (80, 140), ("stomp_clap", "tambourine_only", "train", "shaker_only"), ("brush", "acoustic"),
        (
            _bass("upright_bass guitar", "oompah root_half walking"), _comp("guitar banjo accordion", "strum strum_8 campfire oompah folk_pick", 0.98),
            _arp("banjo guitar harp", (2, 4), 0.5), _lead("vocal violin flute accordion", (0.8, 2.6), 0.97),
        ), rms_db=(-22, -11), scales=("major", "mixolydian", "dorian"), **_PLAYED,
    ),
    "chamber": Genre(
        (66, 140), (), ("brush",),
        (
            _bass("pizzicato strings violin upright_bass", "root_quarter root_half oompah walking", 0.9), _comp("spiccato pizzicato strings harpsichord", "quarters eighths ostinato orch_8 offbeat oompah", 0.95),
            _lead("violin flute strings harpsichord", (0.6, 2.5), 0.95), _pad("strings", 0.4), _arp("harp pizzicato harpsichord", (2, 4), 0.4),
        ), scales=("major", "minor", "harmonic"), **_ACOUSTIC,
    ),
    "cinematic": Genre(
        (70, 160), ("taiko", "epic", "march", "ticking"), ("acoustic",),
        (
            _bass("strings brass reese", "root_8 root_half root_whole gallop", 0.9), _comp("spiccato brass strings", "ostinato orch_8 ostinato_sync hits", 0.95),
            _pad("strings choir", 0.8), _lead("brass violin choir flute", (0.3, 1.3), 0.9), _arp("spiccato harp piano", (2, 4), 0.4),
        ), form="cinema", human_ms=(0, 3), scales=("minor", "harmonic", "major"), rms_db=(-22, -9),
    ),
    "world": Genre(
        (80, 140), ("conga_only", "afro", "taiko", "samba", "shaker_only"), ("acoustic", "brush"),
        (
            _bass("upright_bass sub_bass", "root_half tresillo sync latin", 0.7), _comp("koto harp marimba guitar", "ostinato offbeat montuno folk_pick", 0.9),
            _lead("flute koto vocal marimba violin", (0.8, 2.6), 0.95), _pad("choir pad", 0.4),
        ), form="loop", scales=("minor", "phrygian", "dorian"), rms_db=(-22, -11), **_PLAYED,
    ),
}  # fmt: skip

GENRES: tuple[str, ...] = tuple(TEMPLATES)
"""Names of all genres, the order in which data sets cycle through them."""
