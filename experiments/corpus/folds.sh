#!/bin/sh
# Networks that did not hear a third of the real music each, for calibrate.py folds=[...]; they
# begin with one that heard rendered music alone. sh experiments/corpus/folds.sh AUDIO_DIR LABEL_DIR
set -eu
data="data.audio_dir=$1 data.label_dir=$2 data.num_workers=0 logger=csv seed=3"
python=${PYTHON:-python}

# shellcheck disable=SC2086
$python train.py experiment=shipped_slow $data data.weight=0 model.lr=3e-3 model.dropout=0.05 \
    data.crop_s=16 data.batch_size=8 trainer.max_epochs=1 trainer.limit_train_batches=1000 \
    output_dir=outputs/train/fold_base
for k in 0 1 2; do
    # shellcheck disable=SC2086
    $python train.py experiment=shipped_slow $data "data.fold=[$k,3]" trainer.max_epochs=1 \
        trainer.limit_train_batches=250 output_dir=outputs/train/fold$k \
        init_from=outputs/train/fold_base/checkpoints/last.ckpt
done
