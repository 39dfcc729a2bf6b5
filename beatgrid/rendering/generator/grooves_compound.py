"""Drum patterns of compound metre: beats that divide into three.

``patterns`` explains the notation. Per bar of four beats (12/8) 12 steps are eighths and 24
sixteenths; per bar of two (6/8) 6 are eighths and 12 sixteenths; per bar of three beats (3/4, a
waltz, which counts its quarters and is here to be told apart) 12 are sixteenths.
"""

from __future__ import annotations

COMPOUND_GROOVES: dict[str, dict[str, str]] = {
    # four dotted quarters to the bar
    "slow_12_8": {
        "kick": "X.....X.....|X.....X..x.x",
        "snare": "...X.....X..",
        "hat": "xxxxxxxxxxxx",
    },
    "slow_12_8_busy": {
        "kick": "X.x...X.x...|X.x..xX.x..x",
        "snare": "...X..o..X.o",
        "ride": "xooxooxooxoo",
    },
    "slow_12_8_16": {
        "kick": "X.........x.X...........",
        "snare": "......X...........X.....",
        "hat": "x.xxx.x.xxx.x.xxx.x.xxxx",
    },
    "slow_blues": {
        "kick": "X....xX....x|X.....X..x..",
        "snare": "...X.....X..",
        "ride": "x.xx.xx.xx.x",
    },
    "gospel_12_8": {
        "kick": "X.....X..x.x",
        "snare": "...X..o..X.o",
        "tambourine": "x.xx.xx.xx.x",
        "hat": "xxxxxxxxxxxx",
    },
    "rock_12_8": {
        "kick": "X..x..X.xX..|X.x...X..x.x",
        "snare": "...X.....X..",
        "open": "x..x..x..x..",
    },
    "shuffle_16": {  # half-time shuffle: triplets of sixteenths, backbeat on 2 and 4
        "kick": "X.........x.X...........|X....x....x.X.........x.",
        "snare": "..o.o.X.o.o...o.o.X.o.o.",
        "hat": "x.xx.xx.xx.xx.xx.xx.xx.x",
    },
    "shuffle_16_plain": {
        "kick": "X....x......X....x......|X.........x.X....x......",
        "snare": "......X...........X.....",
        "hat": "x.xx.xx.xx.xx.xx.xx.xx.x",
    },
    "triplet_gallop": {
        "kick": "X.xX.xX.xX.x|XxxXxxXxxXxx",
        "snare": "...X.....X..",
        "crash": "X..x..x..x..",
    },
    "triplet_double": {
        "kick": "XxxXxxXxxXxx",
        "snare": "...X.....X..",
        "ride": "x..x..x..x..",
    },
    "schaffel": {
        "kick": "X..X..X..X..",
        "clap": "...X.....X..",
        "hat": "..x..x..x..x",
        "shaker": "x.xx.xx.xx.x",
    },
    "bembe": {
        "cowbell": "X.x.xx.x.x.x",
        "kick": "X.....X.....",
        "conga": "..xx..x.xx.x",
        "shaker": "XooXooXooXoo",
    },
    "swing_ballad": {
        "snare": "oooooooooooo",
        "ride": "x..x.xx..x.x",
        "hat": "...x.....x..",
        "kick": "x.....x.....",
    },
    "stomp_clap_12": {"stomp": "X..X..X.....|X..X..X.xX..", "clap": "...X.....X.."},
    # two dotted quarters to the bar
    "ballad_6_8": {"kick": "X....x", "snare": "...X..", "hat": "xxxxxx"},
    "ballad_6_8_16": {
        "kick": "X.........x.|X.......x...",
        "snare": "......X.....",
        "hat": "x.xxx.x.xxx.",
    },
    "ballad_6_8_ride": {"kick": "X.....|X.x..x", "rim": "...X..", "ride": "x.xx.x"},
    "folk_6_8": {"stomp": "X..x..", "tambourine": "..x..x", "shaker": "XooXoo"},
    "jig_6_8": {"kick": "X..X..", "snare": "..x..x", "shaker": "X.xX.x"},
    # three quarters to the bar
    "waltz_slow": {"kick": "X...........", "rim": "....x...x...", "hat": "x.x.x.x.x.x."},
    "waltz_rock": {
        "kick": "X.......x...|X.....x.x...",
        "snare": "....X...x...",
        "ride": "x...x...x...",
    },
    "waltz_16": {
        "kick": "X...........|X.....x.....",
        "snare": "........X...",
        "hat": "xoxoxoxoxoxo",
    },
}
