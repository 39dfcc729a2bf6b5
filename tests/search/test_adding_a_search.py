"""A grid search of one's own: one class, one YAML, and this test."""

import json

import numpy as np

from beatgrid.grid import Grid
from beatgrid.search import GridEstimate


class MetronomeSearch:
    """A toy: takes the tempo as known and puts the strongest frame on a beat."""

    def __init__(self, bpm):
        self.bpm = bpm

    def __call__(self, activation, ranker=None):
        if not activation.beat.any():
            return GridEstimate.none("no frame stands out")
        time_s = float(activation.times_s[np.argmax(activation.beat)])
        return GridEstimate(grid=Grid(self.bpm, time_s), confidence=0.5)


def test_a_search_of_ones_own_predicts_by_its_name(click_folder, run_script, tmp_path):
    conf = tmp_path / "conf"
    (conf / "grid").mkdir(parents=True)
    (conf / "grid" / "metronome.yaml").write_text(
        f"_target_: {__name__}.MetronomeSearch\nbpm: 96.0\n"
    )
    audio = next((click_folder.path / "audio").iterdir())
    ran = run_script(
        "predict.py", f"audio={audio}", "activation=flux", "grid=metronome", "picture=false",
        f"hydra.searchpath=[file://{conf}]", "out=found",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    (path,) = (tmp_path / "found").glob("*.json")
    result = json.loads(path.read_text())
    assert result["bpm"] == 96.0
    assert result["confidence"] == 0.5
    assert result["bpm_std"] is result["offbeat_confidence"] is result["max_drift_ms"] is None
    assert np.diff([beat["time"] for beat in result["beats"]]).round(5).tolist() == [0.625] * (
        len(result["beats"]) - 1
    )
