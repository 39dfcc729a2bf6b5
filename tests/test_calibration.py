import numpy as np
import pytest

from beatgrid.calibration import fit_temperature


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_finds_by_how_much_logits_are_too_sure(truth):
    rng = np.random.default_rng(0)
    honest = rng.normal(-2, 2, 200_000)
    events = (rng.random(len(honest)) < 1 / (1 + np.exp(-honest))).astype(float)
    found = fit_temperature([(truth * honest[:90_000], events[:90_000]),
                             (truth * honest[90_000:], events[90_000:])])  # fmt: skip
    assert found == pytest.approx(truth, rel=0.03)


def test_without_frames_nothing_changes():
    assert fit_temperature([]) == 1.0
    assert fit_temperature([(np.zeros(0), np.zeros(0))]) == 1.0
