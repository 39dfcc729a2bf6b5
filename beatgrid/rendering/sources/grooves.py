"""MMA's grooves: which are used, how listeners count them, and at what tempo.

MMA writes every style in quarter notes; what a listener taps is another matter. ``CUSTOMS`` is the
rule, first match wins:

- a style notated in 4/4 "at double tempo" (polka, march, ragtime, samba ...) is counted in two:
  a beat is two of MMA's quarters, a bar two beats;
- 6/8 is counted in dotted quarters: MMA's "6" styles write eighths as quarters, so a beat is
  three of them, a bar two beats; its "12/8" styles write the dotted quarter as a quarter;
- a waltz is counted in three; jazz and swing at the quarter; ballads at 60 to 90 although their
  hi-hats and arpeggios double that;
- electronic styles, hip-hop and reggae as their scenes do: drum & bass 160-178, techno 124-145,
  hip-hop 80-102, reggae 66-90.

Styles that bands play at either level (quickstep, charleston, fast swing, merengue) are left out.
"""

from __future__ import annotations

import functools
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIBRARY = Path("/usr/share/mma/lib")

# One style file in ten is kept for measuring. OPL3 goes with them in held-out pieces.
_HELD_OUT_SHARE = 10


@dataclass(frozen=True)
class Custom:
    """How a family of styles is counted.

    Attributes:
        family: Name, used as the genre.
        bpm: Lowest and highest tempo in beats per minute.
        quarters_per_beat: MMA's quarter notes in one beat.
        beats_per_bar: Beats in one of MMA's bars.
        swing: Off-beat eighths come late, or the beat falls in three.
        drums: The style has drums and percussion only.
    """

    family: str
    bpm: tuple[float, float]
    quarters_per_beat: int = 1
    beats_per_bar: int = 4
    swing: bool = False
    drums: bool = False

    @property
    def quarters_per_bar(self) -> int:
        """Length of one of MMA's bars."""
        return self.quarters_per_beat * self.beats_per_bar


#: Styles never used: odd metres, wrong or ambiguous signatures, no music.
EXCLUDED = re.compile(
    r"stdlib/(jazz-54|68march|ballad68|afro-cuban|metronome.*|none|quickstep|charleston|merengue"
    r"|fastswing|gypsyjazz|desert)"
    r"|casio/(quickstep|fastbigband|twist|poppolka|polkafox)"
    r"|kara/(2beatp|twi)|yamaha/(mambo|quando.*)|zoom/(count|ending|intro|blues34|blues68|rock34"
    r"|bald34|mide|afro|hrk|trip)"
)

_IN_TWO: dict[str, Any] = {"quarters_per_beat": 2, "beats_per_bar": 2}
_IN_SIX: dict[str, Any] = {"quarters_per_beat": 3, "beats_per_bar": 2, "swing": True}
_IN_THREE: dict[str, Any] = {"beats_per_bar": 3}

CUSTOMS: tuple[tuple[str, Custom], ...] = (
    (r"zoom/dnb", Custom("drum and bass", (160, 178), drums=True)),
    (r"zoom/(hiphop|rnb)", Custom("hip-hop", (78, 104), drums=True)),
    (r"zoom/reggae", Custom("reggae", (66, 92), drums=True)),
    (r"zoom/(techno|house|dance)", Custom("techno", (118, 142), drums=True)),
    (r"zoom/(punk|ska|thr|mtl)", Custom("punk", (140, 196), drums=True)),
    (r"zoom/(jazz.*)", Custom("jazz", (100, 190), swing=True, drums=True)),
    (r"zoom/(shuffle|blues)", Custom("shuffle", (84, 140), swing=True, drums=True)),
    (r"zoom/(bald|ambient)", Custom("ballad", (58, 92), drums=True)),
    (r"zoom/(samba|bossa|latin)", Custom("latin", (96, 136), drums=True)),
    (r"zoom/.*", Custom("rock", (84, 150), drums=True)),
    (r"stdlib/(68swing)", Custom("6/8", (72, 126), **_IN_SIX)),
    (r"stdlib/(arpeggio68|blues68)|casio/68ballad", Custom("6/8", (54, 84), **_IN_SIX)),
    (r"stdlib/(ballad128|blues128)", Custom("12/8", (56, 84), swing=True)),
    (r"stdlib/rock-128", Custom("12/8", (60, 110), swing=True)),
    (
        r".*vienesewaltz|.*(fast|french|modernjazz|yamaha/jazz).*waltz",
        Custom("waltz", (124, 196), **_IN_THREE),
    ),
    (r".*waltz", Custom("waltz", (76, 164), **_IN_THREE)),
    (
        r".*(polka|march\d?$)|stdlib/(ragtime|dixie|samba|broadway|showtune|ska)",
        Custom("two-beat", (82, 136), **_IN_TWO),
    ),
    (
        r".*(hymn|lullaby|spiritual|serenade|stringballad|arpeggio44)",
        Custom("slow acoustic", (58, 92)),
    ),
    (
        r".*(mellowjazz|nitejazz|slowjazz|slowblues|slowswing|evansish)",
        Custom("slow jazz", (58, 92), swing=True),
    ),
    (r".*(ballad|slow|ambient)", Custom("ballad", (58, 92))),
    (r".*(bebop)", Custom("jazz", (130, 220), swing=True)),
    (
        r".*(basie|bigband|swing|jazz(trio|Grtrio|combo|guitar|bouncy)|modernjazz|descendingjazz)",
        Custom("jazz", (96, 200), swing=True),
    ),
    (r".*(bossa|jazzrhumba)", Custom("bossa nova", (104, 150))),
    (r".*(salsa|mambo|son$|calypso)", Custom("latin", (88, 124), **_IN_TWO)),
    (r".*(rhumba|chacha|cubanguitar|beguine|bolero|tango|worldpop)", Custom("latin", (92, 132))),
    (r".*(shuffle|bo+g+ie|blues|strut|softshoe)", Custom("shuffle", (78, 140), swing=True)),
    (r".*(jive|50s|60srock|twist|K50s|motown|60sp)", Custom("rock and roll", (118, 172))),
    (r".*(hip-?hop|triphop|r\+b|rb$|soul)", Custom("soul and hip-hop", (74, 108))),
    (r".*(techno|trance|rave|house|dance|boneym|disco)", Custom("dance", (114, 142))),
    (r".*(metal)", Custom("metal", (110, 176))),
    (r".*(funk|fusion|jazzrock)", Custom("funk", (88, 124))),
    (r".*(foxtrot|zydeco|bluegrass|hillcountry)", Custom("dance band", (98, 132))),
    (r".*(country|western|folk)", Custom("country and folk", (84, 140))),
    (r".*16", Custom("pop", (72, 112))),
    (r".*", Custom("pop and rock", (88, 148))),
)

# Introductions, fills and endings have their own lengths and chords; fills are used as such.
_NOT_MAIN = re.compile(r"(?i:(intro|end|fill|break|metronome)\w*)$|(?<=[a-z0-9])(E|FA|FB)$")
_FILL = re.compile(r"(?i:fill\d?|fill[a-d]{1,2})$|(?<=[a-z0-9])F[AB]$")


@dataclass(frozen=True)
class Style:
    """One of MMA's style files.

    Attributes:
        name: "lib/file" below MMA's library, its address.
        custom: How it is counted.
        grooves: Names of the grooves that make up the body of a song.
        fills: Names of one-bar fills.
    """

    name: str
    custom: Custom
    grooves: tuple[str, ...]
    fills: tuple[str, ...] = ()

    def address(self, groove: str) -> str:
        """Return how a song names a groove: names alone are not unique."""
        return f"{self.name}:{groove}"


def custom_of(style_name: str) -> Custom | None:
    """Return the custom of a style file "lib/file", None if the file is not used."""
    if EXCLUDED.fullmatch(style_name):
        return None
    return next(
        custom for pattern, custom in CUSTOMS if re.fullmatch(f"(?:{pattern}).*", style_name)
    )


def parse_style(name: str, text: str) -> Style | None:
    """Read a style from its file's text; None if it is excluded or has no body."""
    custom = custom_of(name)
    grooves = tuple(re.findall(r"^[ \t]*defgroove[ \t]+(\S+)", text, re.I | re.M))
    main = tuple(groove for groove in grooves if not _NOT_MAIN.search(groove))
    fills = tuple(groove for groove in grooves if _FILL.search(groove))
    return Style(name, custom, main, fills) if custom and main else None


@functools.cache
def styles(held_out: bool = False, drums: bool = False) -> tuple[Style, ...]:
    """Return all usable styles of the installed library.

    Args:
        held_out: Those for measuring, a tenth, instead of those for training.
        drums: Styles that are drums only, instead of those with harmony.
    """
    found = []
    for path in sorted(LIBRARY.glob("*/*.mma")):
        name = f"{path.parent.name}/{path.stem}"
        style = parse_style(name, path.read_text(encoding="latin-1"))
        if (
            style is not None
            and style.custom.drums == drums
            and (zlib.crc32(f"held out: {name}".encode()) % _HELD_OUT_SHARE == 0) == held_out
        ):
            found.append(style)
    return tuple(found)
