#!/bin/sh
# beatgrid and its peers on three sets: sh experiments/peers/run.sh AUDIO_DIR LABEL_DIR
# AUDIO_DIR, LABEL_DIR: the real music whose `split: val` is measured. Resumable; SETS="val" runs one of
# them only. Peers: beatgrid compare setup=all peers_dir=outputs/peers, once. Writes SET.md beside
# this script; pages and raw estimates go to outputs/compare/SET.
set -eu
audio=$1
labels=$2
here=experiments/peers
sets=data/peers

compare() { # SET OVERRIDE...
    set_name=$1
    shift
    OMP_NUM_THREADS=1 ${BEATGRID:-beatgrid} compare out="outputs/compare/$set_name" \
        peers_dir="${PEERS_DIR:-outputs/peers}" "$@"
    cp "outputs/compare/$set_name/comparison.md" "$here/$set_name.md"
}

generated() {
    # The first pieces of each source of data/rendered_test (experiments/corpus/shipped.sh), with audio.
    OMP_NUM_THREADS=1 ${PYTHON:-python} experiments/corpus/render.py out_dir=$sets/rendered \
        held_out=true keep_audio=true hours.own=0.4 hours.hydrogen=0.3 hours.mma=0.4 \
        hours.hybrid=0.25 hours.slow=0.3 hours.slow_hydrogen=0.15
    mkdir -p $sets/generated/audio $sets/generated/labels
    for source in own hydrogen mma hybrid slow slow_hydrogen; do
        ln -f $sets/rendered/$source/audio/*.flac $sets/generated/audio
        ln -f $sets/rendered/$source/labels/*.json $sets/generated/labels
    done
    compare generated data.audio_dir=$sets/generated/audio data.label_dir=$sets/generated/labels
}

fretsonfire() { # Debian's packages of songs for the game, unpacked and not installed
    mkdir -p $sets/packages
    (cd $sets/packages && apt-get download fretsonfire-songs-muldjord fretsonfire-songs-sectoid &&
        for package in *.deb; do dpkg -x "$package" .; done)
    OMP_NUM_THREADS=1 ${PYTHON:-python} $here/fretsonfire.py \
        $sets/packages/usr/share/games/fretsonfire/data/songs $sets/fretsonfire
    compare fretsonfire data.audio_dir=$sets/fretsonfire/audio \
        data.label_dir=$sets/fretsonfire/labels
}

for name in ${SETS:-val generated fretsonfire}; do
    case $name in
        val) compare val data.audio_dir="$audio" data.label_dir="$labels" data.split=val ;;
        generated | fretsonfire) $name ;;
    esac
done
