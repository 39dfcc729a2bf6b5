"""Drum patterns of slow music, and of fast music whose backbeat is at half time.

``patterns`` explains the notation. Sixteen steps are sixteenths, 32 thirty-seconds, 24 triplets of
sixteenths. In ``SLOW_GROOVES`` the loud backbeat lies on 2 and 4 (steps 4 and 12 of 16), except in
Jamaican and Latin ones; what is fast in them is hats, kicks and ghost notes. In
``HALF_TIME_GROOVES`` it lies on 3 (step 8), except in drum & bass.
"""

from __future__ import annotations

SLOW_GROOVES: dict[str, dict[str, str]] = {
    # hip-hop: syncopated sixteenth kicks, doubled kicks, ghost notes
    "bap_double": {
        "kick": "X.x...xX..x.....|X..x..x...xX..x.",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "bap_ghost": {
        "kick": "X......x..xx....|X..x......x..x..",
        "snare": "....X..o.o..X..o|....X..o....X.oo",
        "hat": "x.xxx.xxx.xxx.xx",
    },
    "bap_break": {
        "kick": "X.x.......xx....|X.x...x...xx..x.",
        "snare": "....X..o.o..X..o",
        "hat": "x.x.x.x.x.x.x.x.",
        "ride": "x...x...x...x...",
    },
    "bap_16": {
        "kick": "X.......X.x.....|X..x....x.x..x..",
        "snare": "....X.......X...",
        "hat": "xoxoxoxoxoxoxoxo",
        "shaker": "..x...x...x...x.",
    },
    "bap_sparse": {
        "kick": "X.........x.....|X......x..x.....",
        "snare": "....X.......X...",
        "hat": "x...x...x...x...",
    },
    "lofi_dusty": {
        "kick": "X.....xx..x.....|X..x......x..x..",
        "snare": "....X.......X..o",
        "hat": "x.x.x.xxx.x.x.x.",
    },
    "lofi_rim": {
        "kick": "X..x......xx....",
        "rim": "....X..o....X...",
        "hat": "xoxoxoxoxoxoxoxo",
        "shaker": "oxoxoxoxoxoxoxox",
    },
    # R&B and soul: sixteenth and thirty-second hats over a slow backbeat
    "trap_soul": {
        "kick": "X......x..x.....|X..x......x...x.",
        "clap": "....X.......X...",
        "hat": "x.x.x.x.x.x.xxxxx.x.x.xxx.x.x.x.",
    },
    "trap_soul_roll": {
        "kick": "X.....x....x....|X.........xx....",
        "clap": "....X.......X...",
        "rim": ".......x.......x",
        "hat": "x.x.xxxxx.x.x.x.x.x.x.x.xxxxxxxx|x.x.x.x.x.x.x.x.xxxxxxxxx.x.x.x.",
    },
    "trap_soul_triplet": {
        "kick": "X......x..x.....",
        "snare": "....X.......X...",
        "hat": "x..x..x..x..x..x..xxxxxx|x..x..xxxxxxx..x..x..x..",
    },
    "neo_soul": {
        "kick": "X..x...x..x..x..|X......x.xx.....",
        "snare": "....X..o.o..X..o",
        "hat": "x.xox.xox.xox.xo",
    },
    "neo_soul_rim": {
        "kick": "X..x...x.x....x.",
        "rim": "....X.......X..x",
        "hat": "xxxxxxxxxxxxxxxx",
        "conga": "..x..o.x..x.o.xx",
    },
    "soul_16": {
        "kick": "X.....x.X.x.....|X..x....X.x..x..",
        "snare": "....X.......X...",
        "hat": "xoxoxoxoxoxoxoxo",
    },
    "soul_tambourine": {
        "kick": "X.......X.x.....",
        "snare": "....X.......X...",
        "ride": "x.x.x.x.x.x.x.x.",
        "tambourine": "....X.......X...",
    },
    "slow_jam": {
        "kick": "X.......X..x..x.|X..x....X..x....",
        "snare": "....X.......X...",
        "hat": "x.xxx.xxx.xxx.xx",
        "shaker": "xoxoxoxoxoxoxoxo",
    },
    # pop, country, rock, metal
    "slow_pop": {
        "kick": "X.....x.x.......|X.....x.x.x.....",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "slow_pop_16": {
        "kick": "X..x..x.X..x..x.",
        "clap": "....X.......X...",
        "shaker": "xoxxxoxxxoxxxoxx",
        "hat": "..x...x...x...x.",
    },
    "ballad_16": {
        "kick": "X.......X.x.....|X......xX.x.....",
        "snare": "....X.......X...",
        "hat": "xoxoxoxoxoxoxoxo",
    },
    "ballad_ride": {
        "kick": "X.....x.X.......|X.....xxX.......",
        "snare": "....X.......X...",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    "ballad_toms": {
        "kick": "X.......X.......",
        "snare": "....X.......X...",
        "tom_low": "..x...xx..x...xx",
        "hat": "x...x...x...x...",
    },
    "country_slow": {
        "kick": "X.......X.......|X......xX.......",
        "rim": "....X.......X...",
        "hat": "x.xxx.xxx.xxx.xx",
    },
    "country_train_slow": {
        "kick": "X...x...X...x...",
        "snare": "ooxoXoxoooxoXoxo",
    },
    "power_ballad": {
        "kick": "X.......X.X.....|X.X.....X.X...xx",
        "snare": "....X.......X...",
        "open": "X...x...X...x...",
        "crash": "X...............",
    },
    "power_ballad_double": {  # feet in sixteenths and thirty-seconds under a slow backbeat
        "kick": "XxxxXxxxXxxxXxxx|X.xxX.xxX.xxXxxx",
        "snare": "....X.......X...",
        "crash": "X...x...X...x...",
    },
    "power_ballad_32": {
        "kick": "X.x.x.x.X.......X.xxxxxxX.......",
        "snare": "....X.......X...",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    # Jamaica: the accent on 3, or a kick on every beat
    "one_drop_hat": {
        "kick": "........X.......",
        "rim": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "one_drop_16": {
        "kick": "........X.......",
        "snare": "........X......o",
        "hat": "xoxoxoxoxoxoxoxo",
        "rim": "...x..x....x..x.",
    },
    "rockers": {
        "kick": "X...X...X...X...",
        "rim": "....x...X.....x.",
        "hat": "x.xox.xox.xox.xo",
    },
    "steppers_16": {
        "kick": "X...X...X...X...",
        "rim": "...x..x.X..x..x.",
        "hat": "x.xxx.xxx.xxx.xx",
    },
    # downtempo
    "trip_hop": {
        "kick": "X.........x.....|X.x....x..x.....",
        "snare": "....X.......X..o",
        "hat": "x.x.x.x.x.x.xxx.",
    },
    "trip_hop_break": {
        "kick": "X.x.......x..x..|X..x....x.x.....",
        "snare": "....X..o.o..X..o|....X..o.o..X.oX",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    "downtempo": {
        "kick": "X...X...X...X...|X...X...X...X..x",
        "clap": "....X.......X...",
        "hat": "..x...x...x...x.",
        "shaker": "oxoxoxoxoxoxoxox",
    },
    "downtempo_perc": {
        "kick": "X.....x...x.....",
        "rim": "....X.......X...",
        "conga": "x.oxo.xxx.oxo.xx",
        "shaker": "X.oxX.oxX.oxX.ox",
    },
    # Latin: no backbeat
    "bolero": {
        "kick": "X.......X...x...",
        "rim": "X.xxx.x.X.x.x.x.",
        "conga": "..x.....x.x.x.x.",
        "shaker": "x.xxx.xxx.xxx.xx",
    },
    "bolero_bongo": {
        "conga": "XoxoXoxoXoxoXoxx",
        "shaker": "x.xxx.xxx.xxx.xx",
        "kick": "X...........x...",
    },
    "kizomba": {
        "kick": "X...X...X...X...",
        "rim": "...x..x....x..x.",
        "shaker": "xoxoxoxoxoxoxoxo",
    },
}

#: Hi-hat lines that make slow music sound twice as fast.
SLOW_HATS = (
    "x.x.x.x.x.x.x.x.",
    "xoxoxoxoxoxoxoxo",
    "xxxxxxxxxxxxxxxx",
    "x.xxx.xxx.xxx.xx",
    "XoxoXoxoXoxoXoxo",
    "x.xox.xox.xox.xx",
    "xox.xoxxxox.xoxx",
    "x.x.x.x.x.x.x.x.x.x.x.x.x.xxxxx.",
    "x.x.xxxxx.x.x.x.x.x.xxxxx.x.xxxx",
    "x.o.x.o.x.o.x.o.x.o.x.o.xxxxx.o.",
)

HALF_TIME_GROOVES: dict[str, dict[str, str]] = {
    "trap_8": {
        "kick": "X.....x.........|X.....x...x.....",
        "clap": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "trap_busy": {
        "kick": "X..x..x.......x.|X.......x..x....",
        "clap": "........X.......",
        "snare": "........X.....o.",
        "hat": "x.x.x.x.x.xxx.x.|x.x.x.x.xxxxx.x.",
    },
    "trap_32": {
        "kick": "X.......x.......|X.....x.......x.",
        "snare": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.x.x.x.x.xxxxxxxx|x...x...x...x...x...xxxxx...x...",
    },
    "trap_sparse": {
        "kick": "X...............|X.........x.....",
        "clap": "........X.......",
        "hat": "x...x...x...x...",
    },
    "drill_uk": {
        "kick": "X.....X...x.....|X.........X..x..",
        "snare": "........X.......|........X.....x.",
        "rim": "......x.......x.",
        "hat": "x..x..x.x..x..x.|x..x..x.x.x.xxx.",
    },
    "phonk": {
        "kick": "X.....x...X.....|X..x..x...X...x.",
        "clap": "........X.......",
        "cowbell": "x..x..x.x..x..x.|x..x..x.x.x.x.x.",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "festival_trap": {
        "kick": "X.....X.........|X.....X.....X.X.",
        "snare": "........X.......|........X.....XX",
        "hat": "x.x.x.x.x.x.x.xx",
        "tom_low": "............x.x.",
    },
    "dubstep_140": {
        "kick": "X.........x.....|X.....x.........",
        "snare": "........X.......",
        "hat": "..x...x...x...x.",
        "shaker": "x.x.x.x.x.x.x.x.",
    },
    "dubstep_sparse": {
        "kick": "X...............|X..x............",
        "snare": "........X.......",
        "rim": "......x......x..",
        "hat": "x.....x...x.....",
    },
    "halftime_dnb": {
        "kick": "X.....x.........|X..x......x.....",
        "snare": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.",
        "ride": "....x.......x...",
    },
    "halftime_dnb_16": {
        "kick": "X.........x..x..",
        "snare": "........X.....o.",
        "hat": "xoxoxoxoxoxoxoxo",
        "rim": "...x..x.....x..x",
    },
    "liquid_dnb": {
        "kick": "X.........X.....|X.........X..x..",
        "snare": "....X.......X...",
        "hat": "x.xxx.xxx.xxx.xx",
        "ride": "x...x...x...x...",
    },
    "liquid_dnb_ghost": {
        "kick": "X.........X.....",
        "snare": "....X..o.o..X..o",
        "shaker": "xoxoxoxoxoxoxoxo",
    },
    "future_garage": {
        "kick": "X.........x.....|X.....x.........",
        "rim": "........X.......",
        "clap": "........X.......",
        "hat": "..xo..x...xo..xx",
    },
}
