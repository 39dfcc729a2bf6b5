#!/bin/sh
# Arms of a longer comparison: sh experiments/model-selection/long.sh AUDIO_DIR LABEL_DIR [OVERRIDE...]
# 150 h of crops each, from nothing, on the music of the shipped recipe but a third of its real
# tracks (data.fold), which judge the arms: losses.py. trainer=cpu trains on a CPU, in hours.
set -eu
audio=$1
labels=$2
shift 2
out=outputs/selection_long

arm() { # NAME RENDERED OVERRIDE...
    name=$1
    rendered=$2
    shift 2
    [ ! -e "$out/$name/checkpoints/last.ckpt" ] || return 0
    ${PYTHON:-python} train.py experiment=shipped_speeds trainer=gpu trainer.precision=bf16-mixed \
        data.audio_dir="$audio" data.label_dir="$labels" 'data.fold=[0,3]' \
        data.rendered.own.folder="data/$rendered/own" data.rendered.own.max_hours=20 \
        data.rendered.hydrogen.folder="data/$rendered/hydrogen" \
        data.rendered.hybrid.folder="data/$rendered/hybrid" \
        data.rendered.mma.folder="data/$rendered/mma" \
        data.rendered.slow.folder="data/$rendered/slow" data.rendered.slow.max_hours=10 \
        data.rendered.slow_hydrogen.folder="data/$rendered/slow_hydrogen" \
        data.rendered.fast.folder="data/${rendered}_fast/own" \
        data.rendered.fast_hydrogen.folder="data/${rendered}_fast/hydrogen" \
        data.batch_size=12 model.lr=3e-3 trainer.max_epochs=3 logger=csv \
        callbacks.pictures=null callbacks.progress=null output_dir="$out/$name" "$@"
}

low="features.n_mels=96 features.f_max=7926" # the lower 96 of the 128 bands
arm base rendered "$@"
arm mel_96 rendered_mel_96 $low "$@"
arm mel_96_again rendered_mel_96 $low seed=1 "$@"
arm both rendered_mel_96 $low model=tcn_lstm model.projection_size=96 model.hidden_size=64 "$@"
arm width_128 rendered_mel_96 $low model.projection_size=128 "$@"
arm mix rendered_mel_96 $low data.augment.mix=0.5 "$@"
arm dropout rendered_mel_96 $low model.dropout=0.1 "$@"
