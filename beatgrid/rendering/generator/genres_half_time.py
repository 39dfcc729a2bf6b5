"""Genre templates: fast music whose backbeat is at half time, the mirror image of slow music.

The label counts as producers do, 126 to 180 a minute: the snare falls on 3 (drum & bass: on 2 and
4), hats are the eighths of that count. What tells these from ``genres_slow`` is not the drums'
rate alone: a chord lasts two or four bars of the label, phrases eight or sixteen; the bass is a
long 808 or a drone; syllables are eighths and triplets. ``docs/metrical-levels.md`` gives the
custom of each genre and its source.
"""

from __future__ import annotations

from beatgrid.rendering.generator.template import Genre, arp, bass, comp, lead, pad, rap

_LONG = (8, 8, 16, 16, 4)

HALF_TIME: dict[str, Genre] = {
    "trap_rap": Genre(
        (130, 164),
        ("trap_8", "trap_busy", "trap_32", "trap_sparse", "trap_roll"),
        ("808",),
        (
            bass("808_bass", "slide_2 trap sub_2 808_slide"),
            comp("bell pluck piano choir strings", "whole half hits", 0.7),
            arp("bell pluck music_box flute harp", (1, 2), 0.6),
            rap((0.9, 2.0), 0.95),
            pad(prob=0.4),
        ),
        scales=("minor", "phrygian", "harmonic"),
        chord_bars=(2.0, 4.0),
        section_bars=_LONG,
        drive=(0.5, 3.0),
    ),
    "melodic_trap": Genre(
        (126, 160),
        ("trap_8", "trap_32", "trap_sparse", "trap_triplet"),
        ("808", "909"),
        (
            bass("808_bass sub_bass", "slide_2 sub_2 808_slide root_whole"),
            comp("guitar piano ep bell", "whole half hits folk_pick", 0.9),
            lead("vocal", (0.7, 1.7), 0.95),
            pad(prob=0.6),
        ),
        scales=("minor", "minor", "major"),
        chord_bars=(2.0, 2.0, 4.0),
        section_bars=_LONG,
    ),
    "drill_uk": Genre(
        (138, 148),
        ("drill_uk", "drill"),
        ("808",),
        (
            bass("808_bass", "drill_slide slide_2"),
            comp("piano strings choir bell", "whole hits half", 0.8),
            arp("piano harp bell", (1, 2), 0.4),
            rap((0.9, 2.0), 0.95),
            pad("strings choir pad", 0.5),
        ),
        scales=("minor", "harmonic"),
        chord_bars=(2.0, 4.0),
        section_bars=_LONG,
    ),
    "phonk": Genre(
        (126, 164),
        ("phonk", "trap_8"),
        ("808", "hardcore"),
        (
            bass("808_bass reese", "trap slide_2 root_half"),
            comp("bell choir stab", "hits whole", 0.5),
            arp("bell chip_square pluck", (1, 2), 0.6),
            rap((0.9, 1.8), 0.5),
            pad(prob=0.4),
        ),
        scales=("minor", "phrygian"),
        chord_bars=(2.0, 4.0),
        section_bars=_LONG,
        drive=(1.0, 5.0),
        lofi=0.3,
    ),
    "festival_trap": Genre(
        (136, 152),
        ("festival_trap", "trap_32", "future"),
        ("808", "909", "hardcore"),
        (
            bass("808_bass reese growl", "trap root_half sub_2"),
            comp("supersaw brass stab growl", "hits push future_bass half", 0.8),
            lead("saw_lead chip_square pluck supersaw", (0.5, 2), 0.8),
            pad(prob=0.4),
        ),
        form="club",
        scales=("minor", "phrygian"),
        chord_bars=(2.0, 4.0),
        sidechain=(0, 0.8),
        section_bars=_LONG,
        drive=(0.8, 4.0),
    ),
    "dubstep_140": Genre(
        (136, 146),
        ("dubstep_140", "dubstep_sparse", "dubstep"),
        ("909", "808"),
        (
            bass("sub_bass reese wobble_bass", "sub_2 root_whole dubstep wobble"),
            comp("organ stab ep", "hits skank whole", 0.5),
            pad(prob=0.8),
            lead("vocal flute bell", (0.2, 0.8), 0.5),
        ),
        form="club",
        scales=("minor", "phrygian"),
        chord_bars=(2.0, 4.0),
        section_bars=_LONG,
    ),
    "halftime_dnb": Genre(
        (164, 178),
        ("halftime_dnb", "halftime_dnb_16", "halfstep"),
        ("909", "break", "808"),
        (
            bass("reese sub_bass growl", "sub_2 dnb reese root_whole"),
            comp("stab ep piano", "hits half whole", 0.5),
            pad(prob=0.7),
            arp("pluck bell", (1, 2), 0.4),
            rap((0.8, 1.8), 0.3),
        ),
        form="club",
        scales=("minor", "dorian"),
        chord_bars=(2.0, 4.0),
        section_bars=_LONG,
        drive=(0.5, 3.0),
    ),
    "liquid_dnb": Genre(
        (170, 178),
        ("liquid_dnb", "liquid_dnb_ghost", "dnb"),
        ("break", "909", "acoustic"),
        (
            bass("sub_bass reese", "dnb dnb_2 root_whole sub_2"),
            comp("piano ep guitar", "half whole slow_push", 0.9),
            pad(prob=0.9),
            lead("vocal sax flute", (0.4, 1.2), 0.8),
            arp("piano pluck harp", (1, 2), 0.4),
        ),
        form="club",
        chord_bars=(2.0, 1.0, 4.0),
        sidechain=(0, 0.6),
        section_bars=_LONG,
    ),
    "future_garage": Genre(
        (126, 142),
        ("future_garage", "dubstep_sparse", "garage"),
        ("lofi", "909"),
        (
            bass("sub_bass reese", "sub_2 root_whole garage"),
            comp("ep organ stab", "whole charleston hits", 0.7),
            pad(prob=0.9),
            lead("vocal", (0.3, 1.2), 0.7),
        ),
        swing=(0.54, 0.66),
        form="club",
        chord_bars=(2.0, 1.0),
        section_bars=_LONG,
        lofi=0.3,
    ),
}
