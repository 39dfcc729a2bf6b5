"""Score grids against labels: ``python evaluate.py data.audio_dir=... data.label_dir=...``."""

from __future__ import annotations

from omegaconf import DictConfig

from beatgrid.audio.cache import FeatureCache
from beatgrid.commands.cli import entry, exit_if_failed, load_predictor, output_folder
from beatgrid.commands.labelled import NO_GROUP, TRACK_PATHS, labelled_tracks, usable
from beatgrid.data.track import Track, score_alternatives, score_track
from beatgrid.errors import BeatgridError
from beatgrid.evaluation import (
    TrackScore,
    bootstrap,
    reliability,
    reliability_of,
    summarise,
    tempo_range,
)
from beatgrid.files import write_json
from beatgrid.output.tables import (
    print_groups,
    print_reliability,
    print_summary,
    print_tracks,
)
from beatgrid.output.tracks_csv import (
    AlternativeRow,
    TrackRow,
    write_alternatives_csv,
    write_tracks_csv,
)


@entry("evaluate", paths=(*TRACK_PATHS, "ckpt", "out"), renamed=NO_GROUP)
def main(cfg: DictConfig) -> None:
    """Find every labelled track's grid, score it, and write tables."""
    predictor = load_predictor(cfg)
    out = output_folder(cfg.out)
    rows: list[TrackRow] = []
    rivals: list[AlternativeRow] = []
    tracks = labelled_tracks(cfg, predictor.features)
    if cfg.group_by not in (None, "bpm") and not any(t.label.get(cfg.group_by) for t in tracks):
        raise BeatgridError(f"group_by={cfg.group_by}: no label has this key; bpm always goes")
    failed: list[str] = []
    for track in usable(tracks, FeatureCache(cfg.data.cache_dir, predictor.features), failed):
        activation, estimate = predictor.find(track.load_features(), track.audio_duration_s)
        score = score_track(track, activation, estimate)
        group = None if cfg.group_by is None else group_of(track, cfg.group_by)
        rows.append(TrackRow(track.name, score, group))
        for alternative, right in score_alternatives(track, estimate):
            found = (alternative.bpm, alternative.probability, right)
            rivals.append(AlternativeRow(track.name, score.bpm_true, *found))

    scores = [row.score for row in rows]
    summary = summarise(scores)
    intervals = {key: bootstrap(scores, key) for key in summary if key != "n_tracks"}
    print_tracks([(row.file, row.score) for row in rows])
    print_summary(summary, intervals)
    if cfg.group_by is not None:
        groups: dict[str, list[TrackScore]] = {}
        for row in rows:
            groups.setdefault(row.group or "", []).append(row.score)
        print_groups({name: summarise(group) for name, group in groups.items()}, cfg.group_by)
    print_reliability(reliability(scores))
    if rivals:
        bins = reliability_of([row.probability for row in rivals], [row.right for row in rivals])
        print_reliability(bins, items="alternatives", what="probability")
    try:
        write_json(out / "evaluation.json", summary)
        write_tracks_csv(out / "tracks.csv", rows)
        write_alternatives_csv(out / "alternatives.csv", rivals)
    except OSError as error:
        raise BeatgridError(
            f"out={out}: cannot be written to ({error.strerror}); the tables above are complete"
        ) from error
    print(f"{predictor.model_id}: {out / 'evaluation.json'}, {out / 'tracks.csv'}")
    exit_if_failed(len(failed), len(tracks))


def group_of(track: Track, key: str) -> str:
    """Return the line of the table that a track counts in: its tempo's, or its label's value."""
    return tempo_range(track.grid.bpm) if key == "bpm" else str(track.label.get(key))
