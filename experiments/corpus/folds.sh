#!/bin/sh
# Networks that did not hear a third of the real music each, for calibrate.py folds=[...]; they
# begin with one that heard rendered music alone. sh experiments/corpus/folds.sh AUDIO_DIR LABEL_DIR
set -eu
data="data.audio_dir=$1 data.label_dir=$2 data.num_workers=0 logger=csv trainer.max_epochs=1"
python=${PYTHON:-python}

train() { # EXPERIMENT SEED BATCHES RUN OVERRIDE...
    experiment=$1 seed=$2 batches=$3 run=$4
    shift 4
    # shellcheck disable=SC2086
    $python train.py experiment="$experiment" $data seed="$seed" \
        trainer.limit_train_batches="$batches" output_dir=outputs/train/"$run" "$@"
}

weights() { # RUN
    echo "init_from=outputs/train/$1/checkpoints/last.ckpt"
}

train shipped_slow 3 1000 fold_slow data.weight=0 model.lr=3e-3 model.dropout=0.05 \
    data.crop_s=16 data.batch_size=8
train shipped_speeds 5 1000 fold_base data.weight=0 "$(weights fold_slow)"
for k in 0 1 2; do
    train shipped_speeds 5 700 fold_short$k "data.fold=[$k,3]" "$(weights fold_base)"
    train shipped_speeds 6 1200 fold$k "data.fold=[$k,3]" "$(weights fold_short$k)"
done
