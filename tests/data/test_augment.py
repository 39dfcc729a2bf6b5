import numpy as np
import pytest
from omegaconf import OmegaConf

from beatgrid.data.augment import FLOOR_DB, Augment, resample_frames
from tests.commands.test_configs import compose_config


def impulse(n_frames=60, n_mels=32, at=30):
    x = np.full((n_frames, n_mels), -60.0, dtype=np.float32)
    x[at] = -5.0
    return x


@pytest.mark.parametrize("seed", range(20))
def test_every_effect_leaves_an_onset_where_it_is(seed):
    out = Augment(probability=1.0)(impulse(), np.random.default_rng(seed))
    assert out.shape == (60, 32)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= FLOOR_DB
    rise = np.maximum(np.diff(out, axis=0), 0).sum(axis=1)
    assert np.argmax(rise) + 1 == 30


def test_nothing_happens_without_a_chance():
    x = impulse()
    out = Augment(probability=0.0)(x, np.random.default_rng(0))
    np.testing.assert_array_equal(out, x)
    assert out is not x


def test_input_is_not_changed():
    x = impulse()
    before = x.copy()
    Augment(probability=1.0)(x, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before)


def test_resampling_is_linear_between_frames():
    ramp = np.arange(40, dtype=np.float32)[:, None] * np.ones(3, dtype=np.float32)
    np.testing.assert_allclose(resample_frames(ramp, 1.5, 20)[:, 0], np.arange(20) * 1.5, rtol=1e-6)
    np.testing.assert_array_equal(resample_frames(ramp, 1.0, 40), ramp)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 1.5}, "probability=1.5"),
        ({"stretch": (1.2, 0.9)}, r"stretch=\[1.2,0.9\]: must be a range, low end first"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Augment(**arguments)


def test_the_configuration_lists_the_variations_as_they_are():
    augment = compose_config("train", ["data=augmented"]).data.augment
    listed = OmegaConf.to_container(augment, resolve=True)
    assert Augment(**{k: tuple(v) if isinstance(v, list) else v for k, v in listed.items()}) == (
        Augment()
    )
