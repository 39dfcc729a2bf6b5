"""Genre templates in compound metre, and the slow waltz that is taken for it.

The label counts the dotted quarter: 12/8 has four to the bar, 6/8 two, at 45 to 150 a minute;
neither the eighths (three to a beat) nor two beats as one. Gallops of metal and triplet basses
likewise: the beat is what the three notes divide. A waltz in 3/4 counts its quarters (bars of
three, a chord a bar, bass on 1 only); in 6/8 the bass falls on both beats. A half-time shuffle
counts the beat with the snare on 2 and 4, so that its hats are triplets of sixteenths.
``docs/metrical-levels.md`` gives the custom of each genre and its source.
"""

from __future__ import annotations

from typing import Any

from beatgrid.rendering.generator.template import (
    ACOUSTIC,
    PLAYED,
    Genre,
    arp,
    bass,
    comp,
    lead,
    pad,
    power,
    rap,
)

#: Off-beats that are written as halves of a beat fall on its third third.
TERNARY: dict[str, Any] = {"compound": True, "swing": (0.64, 0.68), "swing_beats": 1.0}

COMPOUND: dict[str, Genre] = {
    "slow_blues": Genre(
        (45, 78),
        ("slow_blues", "slow_12_8", "slow_12_8_busy"),
        ("acoustic", "brush"),
        (
            bass("picked_bass upright_bass", "triplet_walk twelve_push triplet walking_swing"),
            comp("piano organ clean_guitar", "twelve_8 twelve_chop jazz_comp shuffle", 0.97),
            lead("vocal shout", (0.8, 2.4), 0.8),
            lead("solo_guitar sax clean_guitar", (1, 4), 0.8),
        ),
        scales=("mixolydian", "dorian"),
        late_snare=(0.0, 0.02),
        **TERNARY,
        **PLAYED,
    ),
    "soul_12_8": Genre(
        (50, 90),
        ("slow_12_8", "slow_12_8_busy", "doo_wop", "gospel_12_8"),
        ("acoustic", "brush"),
        (
            bass("picked_bass upright_bass", "twelve_push triplet twelve_half triplet_walk"),
            comp("piano organ clean_guitar", "twelve_8 twelve_strum twelve_chop", 0.98),
            lead("vocal", (0.8, 2.6), 0.97),
            comp("brass strings", "twelve_half hits", 0.4),
            pad("choir strings", 0.6),
        ),
        chord_bars=(1.0, 0.5),
        lofi=0.2,
        **TERNARY,
        **PLAYED,
    ),
    "gospel_12_8": Genre(
        (46, 96),
        ("gospel_12_8", "slow_12_8", "slow_12_8_16"),
        ("acoustic",),
        (
            bass("picked_bass organ", "triplet_walk twelve_push triplet"),
            comp("piano organ", "twelve_8 twelve_16 twelve_strum", 1.0),
            lead("vocal shout", (0.8, 3), 0.97),
            pad("choir organ", 0.9),
        ),
        scales=("major", "mixolydian"),
        chord_bars=(0.5, 1.0),
        **TERNARY,
        **PLAYED,
    ),
    "pop_12_8": Genre(
        (50, 96),
        ("slow_12_8", "slow_12_8_16", "rock_12_8", "stomp_clap_12"),
        ("909", "acoustic", "808"),
        (
            bass("sub_bass picked_bass saw_bass", "twelve_half triplet twelve_push"),
            comp("piano guitar ep clean_guitar", "twelve_8 twelve_half twelve_quarters", 0.97),
            lead("vocal", (0.8, 2.6), 0.98),
            pad(prob=0.7),
            arp("piano pluck bell", (3, 3), 0.5),
        ),
        human_ms=(0, 3),
        chord_bars=(1.0, 0.5),
        **TERNARY,
    ),
    "trap_12_8": Genre(
        (56, 84),
        ("slow_12_8_16", "shuffle_16_plain"),
        ("808", "lofi"),
        (
            bass("808_bass sub_bass", "twelve_half twelve_push"),
            comp("ep piano guitar bell", "twelve_half twelve_quarters twelve_8", 0.95),
            lead("vocal", (1, 3), 0.8),
            rap((2, 5), 0.4),
            pad(prob=0.5),
        ),
        scales=("minor", "dorian", "major"),
        chord_bars=(1.0, 0.5),
        **TERNARY,
    ),
    "rock_12_8": Genre(
        (56, 112),
        ("rock_12_8", "slow_12_8_busy", "shuffle_rock"),
        ("acoustic",),
        (
            bass("picked_bass", "triplet twelve_push triplet_gallop twelve_half"),
            power("twelve_strum twelve_half gallop_12 twelve_8"),
            comp("clean_guitar piano organ", "twelve_8 twelve_strum", 0.6),
            lead("vocal shout", (0.8, 2.6), 0.95),
            lead("solo_guitar", (1, 4), 0.4),
        ),
        scales=("major", "minor", "mixolydian"),
        **TERNARY,
        **(PLAYED | {"drive": (0.5, 2)}),
    ),
    "metal_triplets": Genre(
        (88, 150),
        ("triplet_gallop", "triplet_double", "rock_12_8"),
        ("metal",),
        (
            bass("picked_bass", "triplet_gallop triplet_8 triplet"),
            power("gallop_12 chug_triplet twelve_8 twelve_half"),
            lead("vocal shout scream", (0.8, 2.6), 0.8),
            lead("solo_guitar", (1.5, 5), 0.6),
            pad("strings choir", 0.3),
        ),
        human_ms=(0, 2),
        scales=("minor", "harmonic", "phrygian"),
        drive=(0.8, 4),
        chord_bars=(1.0, 2.0, 0.5),
        rms_db=(-14, -8),
        **TERNARY,
    ),
    "half_time_shuffle": Genre(
        (68, 96),
        ("shuffle_16", "shuffle_16_plain"),
        ("acoustic", "break"),
        (
            bass("picked_bass slap_bass", "shuffle_16 twelve_push slow_sync"),
            comp("piano ep clean_guitar organ", "twelve_16 twelve_half slow_push", 0.97),
            comp("brass", "hits twelve_chop", 0.4),
            lead("vocal sax", (1, 2.6), 0.9),
        ),
        swing=(0.64, 0.68),
        swing_beats=0.5,
        compound=True,
        scales=("mixolydian", "dorian", "major"),
        chord_bars=(1.0, 0.5),
        **PLAYED,
    ),
    "swing_ballad": Genre(
        (50, 84),
        ("swing_ballad", "brushes", "jazz_comp"),
        ("brush",),
        (
            bass("upright_bass", "twelve_half walking_swing triplet_walk", 0.97),
            comp("piano clean_guitar ep", "jazz_comp twelve_half twelve_chop", 0.95),
            lead("sax brass vocal piano flute", (1, 3.5), 0.97),
        ),
        form="solo",
        scales=("major", "dorian", "minor"),
        chord_bars=(0.5, 1.0),
        rms_db=(-24, -13),
        **TERNARY,
        **PLAYED,
    ),
    "schaffel": Genre(
        (96, 136),
        ("schaffel",),
        ("909", "808"),
        (
            bass("saw_bass sub_bass fm_bass", "triplet_gallop triplet triplet_8"),
            comp("stab ep supersaw", "twelve_strum shuffle twelve_half", 0.8),
            arp("pluck saw_lead", (3, 3), 0.6),
            pad(prob=0.5),
            lead("vocal saw_lead", (0.5, 1.8), 0.6),
        ),
        form="club",
        chord_bars=(1.0, 2.0),
        sidechain=(0, 0.7),
        **TERNARY,
    ),
    "bembe": Genre(
        (88, 132),
        ("bembe",),
        ("acoustic",),
        (
            bass("picked_bass upright_bass", "twelve_push triplet triplet_walk"),
            comp("guitar piano clean_guitar", "twelve_strum twelve_8 swing_off", 0.9),
            lead("vocal brass flute marimba", (0.8, 2.6), 0.9),
        ),
        scales=("major", "mixolydian", "dorian"),
        **TERNARY,
        **PLAYED,
    ),
    "ballad_6_8": Genre(
        (45, 76),
        ("ballad_6_8", "ballad_6_8_16", "ballad_6_8_ride"),
        ("acoustic", "brush", "909"),
        (
            bass("picked_bass upright_bass sub_bass", "two_whole two_oom two_push"),
            comp("piano guitar clean_guitar", "two_8 two_16 two_roll two_whole", 0.98),
            lead("vocal", (1, 3), 0.97),
            pad("strings choir pad", 0.7),
            lead("solo_guitar violin", (0.8, 3), 0.3),
        ),
        beats_per_bar=2,
        chord_bars=(1.0, 2.0),
        **TERNARY,
        **PLAYED,
    ),
    "folk_6_8": Genre(
        (52, 110),
        ("folk_6_8", "ballad_6_8_ride"),
        ("acoustic", "brush"),
        (
            bass("upright_bass picked_bass", "two_oom two_whole two_push", 0.7),
            comp("guitar banjo piano harp accordion", "two_8 two_roll two_oom", 1.0),
            lead("vocal violin flute accordion", (1, 3), 0.97),
        ),
        beats_per_bar=2,
        scales=("major", "dorian", "mixolydian", "minor"),
        chord_bars=(1.0, 2.0),
        **TERNARY,
        **ACOUSTIC,
    ),
    "jig_6_8": Genre(
        (96, 150),
        ("jig_6_8", "folk_6_8"),
        ("acoustic",),
        (
            bass("picked_bass accordion", "two_oom two_8 two_whole", 0.7),
            comp("guitar banjo accordion", "two_roll two_oom two_8", 0.97),
            lead("violin flute accordion banjo", (2.2, 3), 1.0),
        ),
        beats_per_bar=2,
        scales=("major", "dorian", "mixolydian"),
        chord_bars=(1.0, 2.0),
        **TERNARY,
        **PLAYED,
    ),
    "slow_waltz": Genre(
        (70, 132),
        ("waltz_slow", "waltz_rock", "waltz_16", "waltz_pop"),
        ("acoustic", "brush"),
        (
            bass("picked_bass upright_bass", "three_whole three_oom three_walk"),
            comp("guitar piano clean_guitar accordion", "waltz waltz_roll three_whole", 0.98),
            lead("vocal violin", (0.7, 2.2), 0.95),
            pad("strings organ", 0.5),
            lead("clean_guitar violin", (0.8, 2.5), 0.3),
        ),
        beats_per_bar=3,
        **PLAYED,
    ),
}
