#!/bin/sh
# The rendered music that the sweep trains on and is judged by, at every resolution it compares.
# sh experiments/model-selection/render.sh [OVERRIDE...], num_workers=4 for instance
set -eu

render() {
    ${PYTHON:-python} experiments/corpus/render.py "$@"
}

render out_dir=data/rendered hours.own=9 hours.mma=5 hours.hybrid=2 "$@"
render out_dir=data/rendered_test held_out=true hours.own=2 hours.hydrogen=1 hours.mma=1.5 \
    hours.hybrid=1 hours.lmms=0.25 "$@"
# Judges the run that other resolutions are compared with: they have pieces of `own` alone, too.
render out_dir=data/rendered_test_own_short held_out=true hours.own=2 "$@"
for resolution in hop_256:hop_length=256 hop_1024:hop_length=1024 mel_64:n_mels=64 \
    f_max_8000:f_max=8000; do
    name=${resolution%%:*}
    features=features.${resolution#*:}
    render "out_dir=data/rendered_$name" "$features" hours.own=4.5 "$@"
    render "out_dir=data/rendered_test_$name" "$features" held_out=true hours.own=2 "$@"
done

# The arms of long.sh: the recipe's music, and again with the lower 96 of its 128 bands.
fast="genres=[speedcore,jcore,hardcore,extreme_metal,artcore,punk,metal,jpop,jazz]"
for name in rendered:n_mels=128 rendered_mel_96:n_mels=96; do
    folder=data/${name%%:*}
    features="features.${name#*:}"
    [ "$folder" = data/rendered ] || features="$features features.f_max=7926"
    render "out_dir=$folder" $features hours.own=20 hours.hydrogen=6 hours.hybrid=5 hours.mma=4.2 \
        hours.slow=10 hours.slow_hydrogen=2 "$@"
    render "out_dir=${folder}_fast" $features first_seed=100000 "$fast" hours.own=4 \
        hours.hydrogen=1.5 "$@"
done
