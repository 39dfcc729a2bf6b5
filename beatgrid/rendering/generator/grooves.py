"""Drum patterns as data; ``patterns`` explains the notation (X accent, x stroke, o ghost note)."""

from __future__ import annotations

from beatgrid.rendering.generator.grooves_compound import COMPOUND_GROOVES
from beatgrid.rendering.generator.grooves_slow import HALF_TIME_GROOVES, SLOW_GROOVES

Groove = dict[str, str]

GROOVES: dict[str, Groove] = {
    # four on the floor
    "four": {"kick": "X...X...X...X...", "clap": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."},
    "house": {
        "kick": "X...X...X...X...",
        "clap": "....X.......X...",
        "open": "..X...X...X...X.",
        "hat": "o.o.o.o.o.o.o.oo",
        "shaker": "oxoxoxoxoxoxoxox",
    },
    "house_swing": {
        "kick": "X...X...X...X..o",
        "clap": "....X.......X..o",
        "hat": "..xo..xo..xo..xo",
        "rim": "...x..x...x.....",
        "conga": "..x..o.x..x.o.xx",
    },
    "deep": {
        "kick": "X...X...X...X...",
        "rim": "....x..o.o..x...",
        "hat": "..x...x...x...x.",
        "shaker": "x.oxx.oxx.oxx.ox",
    },
    "techno": {
        "kick": "X...X...X...X...",
        "hat": "..x...x...x...x.",
        "rim": "x..x..x...x..x..",
        "clap": "....x.......x...",
    },
    "techno_perc": {
        "kick": "X...X...X...X...",
        "open": "..X...X...X...X.",
        "clave": "x..x..x.x..x..x.",
        "tom_low": "...x..x....x..x.",
        "hat": "xxxxxxxxxxxxxxxx",
    },
    "techno_broken": {
        "kick": "X..X..X...X..X..",
        "hat": "..x...x...x...x.",
        "clap": "....X.......X...",
        "zap": "......x.......xx",
    },
    "trance": {
        "kick": "X...X...X...X...",
        "open": "..X...X...X...X.",
        "clap": "....X.......X...",
        "hat": "xoxoxoxoxoxoxoxo",
    },
    "psy": {
        "kick": "X...X...X...X...",
        "open": "..x...x...x...x.",
        "hat": "o.xoo.xoo.xoo.xo",
        "clap": "....x.......x...",
    },
    "hats_only": {"open": "..X...X...X...X.", "hat": "xoxoxoxoxoxoxoxo"},
    "gabber": {"kick": "X...X...X...X...", "open": "..x...x...x...x."},
    "hardcore_roll": {
        "kick": "X...X...X...X.X.",
        "clap": "....X.......X...",
        "hat": "..X...X...X...X.",
        "crash": "X...............",
    },
    "hardcore_gallop": {
        "kick": "X..xX..xX..xX.xx",
        "snare": "....X.......X...",
        "open": "..x...x...x...x.",
    },
    "disco": {
        "kick": "X...X...X...X...",
        "snare": "....X.......X...",
        "open": "..X...X...X...X.",
        "hat": "x...x...x...x...",
        "tambourine": "x.xxx.xxx.xxx.xx",
        "conga": "x..x..x.x..x.xx.",
    },
    "disco_16": {
        "kick": "X...X...X...X...",
        "snare": "....X..o.o..X..o",
        "hat": "xoxxxoxxxoxxxoxx",
        "cowbell": "x.x.x.xxx.x.x.x.",
    },
    # broken beats
    "dnb": {"kick": "X.........X.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
    "dnb_2step": {
        "kick": "X.........X.....",
        "snare": "....X.......X..o",
        "hat": "xoxoxoxoxoxoxoxo",
        "ride": "x...x...x...x...",
    },
    "dnb_sync": {
        "kick": "X.....x...X.....|X..x......X..x..",
        "snare": "....X..o.o..X...|....X..o.o..X.oo",
        "hat": "..x...x...x...x.",
    },
    "dnb_neuro": {
        "kick": "X..X......X..X..",
        "snare": "....X.......X...",
        "hat": "x.xxx.xxx.xxx.xx",
        "shaker": "oxoxoxoxoxoxoxox",
    },
    "jungle": {
        "kick": "X.X.......XX....|X.X.......X.....",
        "snare": "....X..o.o..X..o|....X..o.o....X.",
        "hat": "x.x.x.x.x.x.x.x.",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    "jungle_chop": {
        "kick": "X.X...X...X.X...|X..X..X.X.....X.",
        "snare": "....X..X.o..X.oX|..X.X..o.XX.X.oo",
        "hat": "xxx.x.xxx.x.xxx.",
    },
    "break": {"kick": "X.x.......xx....", "snare": "....X..o.o..X..o", "hat": "x.x.x.x.x.x.x.x."},
    "break_funky": {
        "kick": "X..x..x.x..x....|X..x....x.x..x..",
        "snare": "....X..o.o.oX..o",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "big_beat": {
        "kick": "X.....X..XX.....",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
        "tambourine": "..x...x...x...x.",
    },
    "garage": {
        "kick": "X.........x.....",
        "snare": "....X.......X...",
        "hat": "..xo..xx..xo.xx.",
        "rim": "...x.....x....x.",
    },
    "electro": {
        "kick": "X.....X...x.....|X..X..X...x.....",
        "snare": "....X.......X...",
        "hat": "xxxxxxxxxxxxxxxx",
        "cowbell": "..x..x....x..x..",
    },
    "footwork": {
        "kick": "X..X..X.X..X..X.|X..X..X...X.X...",
        "clap": "............X...",
        "hat": "..x...x...x...x.",
        "tom_low": "..x..x....x..x..",
    },
    # half time
    "dubstep": {
        "kick": "X.....x.........|X..x......x.....",
        "snare": "........X.......",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "dubstep_heavy": {
        "kick": "X.........X.....|X...........X...",
        "snare": "........X.......",
        "clap": "........X.......",
        "hat": "..x...x.....x.xx",
    },
    "trap": {
        "kick": "X.....x...x.....|X..x......x..x..",
        "snare": "........X.......",
        "hat": "x.x.x.x.x.x.xxxx",
    },
    "trap_roll": {
        "kick": "X.......x..x....|X.....x...x...x.",
        "clap": "........X......o",
        "hat": "x.x.x.x.x.x.x.x.x.x.x.x.xxxxxxxx",
    },
    "trap_triplet": {
        "kick": "X.....x...x.....",
        "snare": "........X.......",
        "hat": "x.xx.xx.xx.x|xxxxxx.x.x.x",
    },
    "drill": {
        "kick": "X.....X......X..|X......X..X.....",
        "snare": "......X.......X.|......X.....X...",
        "hat": "x..x..x.x..x..x.",
    },
    "future": {
        "kick": "X..X..X.........|X..X..X...X.....",
        "clap": "........X.......",
        "hat": "x.x.x.xxx.x.x.xx",
    },
    "halfstep": {
        "kick": "X.........x..x..",
        "snare": "........X.......",
        "ride": "x...x...x...x...",
    },
    # hip-hop and slow grooves
    "boom_bap": {
        "kick": "X.....xX..x.....|X..x...X..x.....",
        "snare": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "boom_bap_lazy": {
        "kick": "X......x.xx.....",
        "snare": "....X..o....X..o",
        "hat": "x.xox.xox.xox.xx",
    },
    "hiphop_16": {
        "kick": "X..x..x...x.....",
        "snare": "....X.......X...",
        "hat": "xoxoxoxoxoxoxoxo",
        "shaker": "..x...x...x...x.",
    },
    "lofi": {
        "kick": "X.....x...x.....|X..x......xx....",
        "rim": "....X.......X...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "rnb": {"kick": "X..x......x..x..", "rim": "....X.......X...", "hat": "x.xxx.x.x.xxx.xo"},
    "reggaeton": {
        "kick": "X...X...X...X...",
        "snare": "...x..x....x..x.",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "dembow": {
        "kick": "X.......X.......",
        "rim": "...X..X....X..X.",
        "shaker": "xoxoxoxoxoxoxoxo",
        "conga": "..x.....x.x.....",
    },
    "afro": {
        "kick": "X...X...X...X...",
        "rim": "x..x..x...x.x...",
        "shaker": "x.xxx.xxx.xxx.xx",
        "conga": "..o..xx...o..xx.",
    },
    "samba": {
        "kick": "X..xX..xX..xX..x",
        "shaker": "XooxXooxXooxXoox",
        "rim": "x.x..x.x.x..x.x.",
        "tambourine": "x..x..x.x..x..xx",
    },
    "bossa": {"kick": "X..xX..xX..xX..x", "rim": "x..x..x...x..x..", "hat": "xoxoxoxoxoxoxoxo"},
    "one_drop": {"kick": "........X.......", "rim": "........X.......", "hat": "x.xxx.x.x.xxx.x."},
    "steppers": {"kick": "X...X...X...X...", "rim": "........X.......", "hat": "..x...x...x...x."},
    "ska": {"kick": "X...X...X...X...", "snare": "....X.......X...", "hat": "..X...X...X...X."},
    "polka": {"kick": "X.......X.......", "snare": "....X.......X...", "hat": "..o...o...o...o."},
    "march": {
        "kick": "X.......X.......",
        "snare": "X.x.x.x.x.xxx.x.|X.oox.oox.oxxxxx",
        "crash": "X...............",
    },
    "train": {"kick": "X...X...X...X...", "snare": "ooxoooxoooxoooXo"},
    # funk, rock, metal
    "funk": {"kick": "X.x...x...x..x..", "snare": "....X..o.o..X..o", "hat": "xoxoxoxoxoxoxoxo"},
    "funk_linear": {
        "kick": "X..x..x....x..x.|X..x......xx....",
        "snare": ".o..X.o..o.oX..o",
        "hat": "x.x..x.xx.x...x.",
    },
    "rock": {"kick": "X.......X.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
    "rock_2": {
        "kick": "X.x.....x.x.....|X.x....xx.......",
        "snare": "....X.......X...",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    "rock_open": {
        "kick": "X.......X.......",
        "snare": "....X.......X...",
        "open": "X...x...X...x...",
    },
    "rock_toms": {
        "kick": "X...X...X...X...",
        "tom_low": "x.xxx.xxx.xxx.xx",
        "snare": "............X...",
    },
    "motown": {
        "kick": "X.x...x.X.x...x.",
        "snare": "X...X...X...X...",
        "tambourine": "x.x.x.x.x.x.x.x.",
    },
    "shuffle": {"kick": "X.....X..X..", "snare": "...X.....X..", "hat": "x.xx.xx.xx.x"},
    "shuffle_rock": {"kick": "X....xX....x", "snare": "...X..o..X.o", "ride": "x.xx.xx.xx.x"},
    "ballad": {"kick": "X.......x.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
    "ballad_rim": {
        "kick": "X.........x.....",
        "rim": "....X.......X...",
        "shaker": "xoxoxoxoxoxoxoxo",
    },
    "ballad_68": {"kick": "X....x......", "snare": "......X.....", "hat": "xxxxxxxxxxxx"},
    "punk": {"kick": "X.....x.X.....x.", "snare": "....X.......X...", "open": "X.x.X.x.X.x.X.x."},
    "dbeat": {"kick": "X..x..x.X..x..x.", "snare": "....X.......X...", "crash": "X...x...x...x..."},
    "skank": {"kick": "X...X...X...X...", "snare": "..X...X...X...X.", "hat": "x.x.x.x.x.x.x.x."},
    "blast": {"kick": "X.X.X.X.X.X.X.X.", "snare": ".X.X.X.X.X.X.X.X", "ride": "x...x...x...x..."},
    "blast_unison": {
        "kick": "X.X.X.X.X.X.X.X.",
        "snare": "X.X.X.X.X.X.X.X.",
        "crash": "x...x...x...x...",
    },
    "bomb_blast": {
        "kick": "XxXxXxXxXxXxXxXx",
        "snare": "X.X.X.X.X.X.X.X.",
        "ride": "x.x.x.x.x.x.x.x.",
    },
    "double_kick": {
        "kick": "XxxxXxxxXxxxXxxx",
        "snare": "....X.......X...",
        "ride": "x...x...x...x...",
    },
    "double_half": {
        "kick": "XxxxXxxxXxxxXxxx",
        "snare": "........X.......",
        "crash": "X...x...x...x...",
    },
    "gallop": {"kick": "X.xxX.xxX.xxX.xx", "snare": "....X.......X...", "ride": "x...x...x...x..."},
    "breakdown_metal": {
        "kick": "X..X..X.X..X....|X..XX..X..X.X...",
        "snare": "........X.......",
        "crash": "X...X...X...X...",
    },
    "thrash": {"kick": "X.x.X.x.X.x.X.x.", "snare": "..X...X...X...X.", "hat": "X...X...X...X..."},
    # swing and three
    "jazz": {"ride": "X..x.xX..x.x", "hat": "...X.....X..", "kick": "o..o..o..o.."},
    "jazz_comp": {
        "ride": "X..x.xX..x.x",
        "hat": "...X.....X..",
        "snare": ".....o.....x|..o.....x...",
        "kick": "o.........x.",
    },
    "brushes": {"snare": "xooXooxooXoo", "kick": "X.....x.....", "hat": "...x.....x.."},
    "swing_big": {"kick": "X..X..X..X..", "hat": "x..x.xx..x.x", "snare": "...X.....X.."},
    "electro_swing": {
        "kick": "X..X..X..X..",
        "clap": "...X.....X..",
        "hat": "..x..x..x..x",
        "open": "..X.....X...",
    },
    "waltz": {"kick": "X...........", "snare": "....x...x...", "hat": "x.x.x.x.x.x."},
    "waltz_jazz": {"ride": "X..x.xx..", "hat": "...x.....", "kick": "X........"},
    "waltz_pop": {
        "kick": "X.......x...",
        "snare": "....X...X...|....X...X.x.",
        "shaker": "x.xxx.xxx.xx",
    },
    "jig": {"kick": "X.....X.....", "snare": "...X.....X..", "shaker": "X.oX.oX.oX.o"},
    "doo_wop": {"kick": "X.....X..x..", "snare": "...X.....X..", "ride": "xxxxxxxxxxxx"},
    # percussion without a kit
    "stomp_clap": {"stomp": "X...X.......X...|X...X...X.......", "clap": "....X.......X..."},
    "taiko": {"taiko": "X..x..x.X..xx.x.|X..x..x.X.xxxxxx", "tom_high": "....x.......x.x."},
    "epic": {
        "taiko": "X.......x..x....|X.......x.x.x.xx",
        "timpani": "X...............",
        "snare": "..oo..oo..oo..oo",
    },
    "ticking": {"rim": "x...x...x...x...", "hat": "..o...o...o...o."},
    "shaker_only": {"shaker": "X.oxX.oxX.oxX.ox"},
    "conga_only": {"conga": "x.oxo.xxx.oxo.xx", "shaker": "xoxoxoxoxoxoxoxo"},
    "tambourine_only": {"tambourine": "..X...X...X...X.", "stomp": "X.......X......."},
    **SLOW_GROOVES,
    **HALF_TIME_GROOVES,
    **COMPOUND_GROOVES,
}

#: One bar that leads into the next phrase; what is silent keeps the groove.
FILLS: tuple[Groove, ...] = (
    {"snare": "........x.x.xxxx"},
    {"snare": "............XxXx", "kick": "X..............."},
    {"snare": "........X.X.X...", "tom_low": "..............xx"},
    {"tom_high": "........xxxx....", "tom_low": "............xxxx"},
    {"snare": "....x.xxx.xxxxxx"},
    {"snare": "x.xxx.xxx.xxXXXX"},
    {"snare": "........x..x..x.", "kick": "..........x..x.x"},
    {"tom_high": "x.x.....x.x.....", "tom_low": "....x.x.....x.x.", "snare": "..............XX"},
    {"snare": "......xxx.xx", "tom_low": ".........xxx"},
    {"clap": "..........x.x.x."},
    {"kick": "X...X...X......."},
    {},
)

#: Rolls of a build-up, from its first to its last quarter.
ROLL = ("X...X...X...X...", "X...X...X...X...", "X.X.X.X.X.X.X.X.", "XxXxXxXxXxXxXxXx")

#: Fills and rolls of music whose beats divide into three.
COMPOUND_FILLS: tuple[Groove, ...] = (
    {"snare": "......xxxxxx"},
    {"snare": ".........XxX"},
    {"snare": "......X.xX.x", "tom_low": "..........x."},
    {"tom_high": "......xxx...", "tom_low": ".........xxx"},
    {"snare": "...x.xxxxXxx", "kick": "X..........."},
    {"snare": "............xxxxxxxxxxxx"},
    {"snare": "..................XxxXxx", "tom_low": "............x..x..x.x..."},
    {"clap": "......x..x.x"},
    {"kick": "X..X..X....."},
    {},
)
COMPOUND_ROLL = (
    "X..X..X..X..",
    "X..X..X..X..",
    "XxxXxxXxxXxx",
    "XxxxxxXxxxxxXxxxxxXxxxxx",
)
