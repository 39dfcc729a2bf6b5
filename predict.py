"""Find beatgrids: ``python predict.py audio=<file | folder | glob | [list]> [ckpt=...]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import torch
from omegaconf import DictConfig, OmegaConf

from beatgrid.cli import entry, exit_if_failed, load_predictor, output_folder, progress
from beatgrid.errors import BeatgridError
from beatgrid.predictor import Prediction, find_audio
from beatgrid.report import print_results
from beatgrid.result import grid_result, result_paths, write_result


@entry("predict", paths=("audio", "ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Predict each file, write its JSON and PNG, and print a table at the end."""
    torch.set_num_threads(cfg.num_threads)
    predictor = load_predictor(cfg)
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    audio_paths = find_audio(plain["audio"])
    out_paths = result_paths(audio_paths, str(output_folder(cfg.out)))
    settings = {key: plain[key] for key in ("activation", "grid")}
    results = []
    failed = 0
    for audio_path, out_path in progress(
        list(zip(audio_paths, out_paths, strict=True)), "finding grids"
    ):
        try:
            prediction = predictor(audio_path)
        except BeatgridError as error:
            failed += 1
            print(f"error: {error}", file=sys.stderr)
            continue
        result = grid_result(
            prediction.estimate,
            prediction.activation,
            prediction.info,
            predictor.model_id,
            settings,
        )
        write_result(out_path, result)
        if cfg.picture:
            draw(prediction, out_path.with_suffix(".png"))
        results.append(result)
    if results:
        print_results(results)
        print(f"{len(results)} {'file' if len(results) == 1 else 'files'} in {cfg.out}")
    exit_if_failed(failed, len(audio_paths))


def draw(prediction: Prediction, path: Path) -> None:
    """Draw the grid over the track's activation."""
    # Here, because matplotlib takes a second to import.
    from beatgrid.figures import grid_figure, save_figure

    title = prediction.info.path.name
    figure = grid_figure(
        prediction.log_mel, prediction.activation, prediction.estimate, title=title
    )
    save_figure(figure, path)


if __name__ == "__main__":
    main()
