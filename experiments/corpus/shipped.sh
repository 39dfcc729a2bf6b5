#!/bin/sh
# All music that the shipped weights were trained on, fitted to and measured on; see README.md.
# sh experiments/corpus/shipped.sh [OVERRIDE...], num_workers=4 for instance
set -eu

render() {
    ${PYTHON:-python} experiments/corpus/render.py "$@"
}

# Fast genres are rare among all: a few hours more of them, of other seeds.
fast="genres=[speedcore,jcore,hardcore,extreme_metal,artcore,punk,metal,jpop,jazz]"
fast_club="genres=[speedcore,jcore,hardcore,artcore,chiptune]"

# To train on.
render out_dir=data/rendered hours.own=28 hours.hydrogen=12 hours.mma=12 hours.hybrid=8 \
    hours.lmms=0.5 "$@"
render out_dir=data/rendered first_seed=100000 "$fast" hours.own=10 hours.hydrogen=4 "$@"

# For the third part: slow, compound and half-time genres, and fast ones by themselves.
render out_dir=data/rendered hours.slow=8 hours.slow_hydrogen=2 "$@"
render out_dir=data/rendered_fast first_seed=100000 "$fast" hours.own=4 hours.hydrogen=1.5 "$@"

# To fit the search on: music that the network has not seen.
render out_dir=data/rendered_fit first_seed=500000 hours.own=5 hours.hydrogen=2.5 hours.mma=2 \
    hours.hybrid=2 hours.slow=2 hours.slow_hydrogen=0.7 "$@"
render out_dir=data/rendered_fit_fast first_seed=600000 "$fast" hours.own=2 hours.hydrogen=1 "$@"
render out_dir=data/rendered_fit_fast first_seed=600000 "$fast_club" hours.hybrid=1.5 "$@"

# To measure: other seeds, styles, kits and projects.
render out_dir=data/rendered_test held_out=true hours.own=2 hours.hydrogen=1 hours.mma=1.5 \
    hours.hybrid=1 hours.slow=1.2 hours.slow_hydrogen=0.5 hours.lmms=0.25 "$@"
render out_dir=data/rendered_test_fast held_out=true first_seed=100000 "$fast" hours.own=1 \
    hours.hydrogen=0.5 "$@"
