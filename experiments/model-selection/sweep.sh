#!/bin/sh
# Trains every arm: sh experiments/model-selection/sweep.sh AUDIO_DIR LABEL_DIR [QUESTION...]
# One line per question, a Hydra sweep each; JOBS (2) runs at a time, one thread each.
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
        hydra/launcher=joblib hydra.launcher.n_jobs="${JOBS:-2}" hydra.sweep.dir="outputs/selection/$question" \
        data.audio_dir="$audio" data.label_dir="$labels" "$@"
}

sweep base seed=0,1
sweep lstm model=crnn_small seed=0,1
sweep width model.projection_size=48,96
sweep context_long data.crop_s=32 data.batch_size=4
sweep real_weight data.weight=0,6
sweep rendered data.rendered=null trainer.max_epochs=2 +trainer.max_steps=350 # an epoch has 200
sweep own_only data.rendered.mma=null data.rendered.hybrid=null
sweep target_width data.target.width_s=0.010,0.025
sweep box data.target.shape=box data.target.width_s=0.03
sweep pos_weight model.pos_weight=4
sweep focal model.focal_gamma=2
sweep augment data.augment.probability=0
sweep both model=tcn_lstm
sweep kernel model.tcn_kernel_size=3
# Without MMA and hybrids: made again after the others, see README.
sweep depth_base data.rendered.mma=null data.rendered.hybrid=null
sweep depth model.tcn_layers=11 data.rendered.mma=null data.rendered.hybrid=null
sweep lr model.lr=1e-3,6e-3
sweep context_short data.crop_s=4 data.batch_size=32
sweep front 'model.channels=[8,16,16],[32,32,64]'

# Other features, `own` alone rendered with each (see README), the context in seconds kept;
# own_short is what they are compared with.
own() { # FOLDER: 4.5 hours
    echo data.rendered.mma=null data.rendered.hybrid=null \
        data.rendered.own.max_hours=4.5 data.rendered.own.folder="data/$1/own"
}

sweep own_short $(own rendered)
sweep hop_256 $(own rendered_hop_256) features.hop_length=256 model.tcn_layers=10
sweep hop_1024 $(own rendered_hop_1024) features.hop_length=1024 model.tcn_layers=8
sweep mel_64 $(own rendered_mel_64) features.n_mels=64
sweep f_max_8000 $(own rendered_f_max_8000) features.f_max=8000
