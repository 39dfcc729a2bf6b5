#!/bin/sh
# Trains every arm: sh experiments/model-selection/sweep.sh AUDIO_DIR LABEL_DIR [QUESTION...]
# One line per question, a Hydra sweep each; two runs at a time, one thread each.
set -eu
audio=$1
labels=$2
shift 2
wanted=" $* "

sweep() { # QUESTION OVERRIDE...
    question=$1
    shift
    case "$wanted" in "  " | *" $question "*) ;; *) return 0 ;; esac
    [ ! -e "outputs/selection/$question/multirun.yaml" ] || return 0
    OMP_NUM_THREADS=1 ${PYTHON:-python} train.py -m experiment=selection \
        hydra/launcher=joblib hydra.launcher.n_jobs=2 hydra.sweep.dir="outputs/selection/$question" \
        data.audio_dir="$audio" data.label_dir="$labels" "$@"
}

sweep base seed=0,1,2
sweep recurrent model.tcn_layers=9 model.num_layers=0,1
sweep width model.hidden_size=32,96
sweep context_short data.crop_s=4 data.batch_size=32 &
sweep context_long data.crop_s=32 data.batch_size=4
wait
sweep lr model.lr=1e-3,6e-3
sweep target_width data.target.width_s=0.010,0.025
sweep real_weight data.weight=0,6
sweep front 'model.channels=[8,16,16],[32,32,64]'
sweep depth model.num_layers=1,3
sweep box data.target.shape=box data.target.width_s=0.03,0.015
sweep pos_weight model.pos_weight=4,10
sweep focal model.focal_gamma=1,2
sweep augment data.augment.probability=0,0.3
sweep real_only data.rendered=null &
sweep own_only data.rendered.mma=null data.rendered.hybrid=null
wait
