#!/bin/sh
# Every system on every set: sh experiments/results/run.sh AUDIO_DIR LABEL_DIR [CKPT_BEFORE]
# AUDIO_DIR, LABEL_DIR: the real music whose `split: val` is measured. Writes SET-SYSTEM.csv
# beside this script; then experiments/results/tables.py makes results.md of them.
# CKPT_BEFORE: the weights to compare with. SYSTEMS="shipped" measures one of them only.
set -eu
audio=$1
labels=$2
before=${3:-}
here=experiments/results
test=data/rendered_test
rendered="data.audio_dir=null \
+data.rendered.own={folder:$test/own} +data.rendered.hydrogen={folder:$test/hydrogen} \
+data.rendered.mma={folder:$test/mma} +data.rendered.hybrid={folder:$test/hybrid} \
+data.rendered.lmms={folder:$test/lmms}"
slow="data.audio_dir=null +data.rendered.slow={folder:$test/slow} \
+data.rendered.slow_hydrogen={folder:$test/slow_hydrogen}"
fast="data.audio_dir=null +data.rendered.own={folder:${test}_fast/own} \
+data.rendered.hydrogen={folder:${test}_fast/hydrogen}"

one() { # SET SYSTEM OVERRIDE...
    name=$1-$2
    shift 2
    OMP_NUM_THREADS=1 ${PYTHON:-python} evaluate.py "out=outputs/results/$name" "$@" \
        > "outputs/results/$name.txt"
    cp "outputs/results/$name/tracks.csv" "$here/$name.csv"
    case $name in *-shipped) cp "outputs/results/$name/alternatives.csv" "$here/$name-alternatives.csv" ;; esac
    echo "$name"
}

mkdir -p outputs/results
for system in ${SYSTEMS:-shipped flux before}; do
    case $system in
        shipped) how="ckpt=shipped" ;;
        flux) how="activation=flux" ;;
        before) how="ckpt=$before" ;;
    esac
    one val $system $how data.audio_dir="$audio" data.label_dir="$labels" data.split=val \
        group_by=genre
    # shellcheck disable=SC2086
    one rendered $system $how $rendered group_by=genre
    # shellcheck disable=SC2086
    one slow $system $how $slow group_by=genre
    # shellcheck disable=SC2086
    one fast $system $how $fast group_by=genre
    one modules $system $how data.audio_dir=data/modules/audio data.label_dir=data/modules/labels \
        data.split=test group_by=source
done
