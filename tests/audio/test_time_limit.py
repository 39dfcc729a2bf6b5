import pytest

from beatgrid.audio.time_limit import time_limit_s


def test_a_larger_file_may_take_longer(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(10_000_000))
    assert time_limit_s(path, 60.0) == pytest.approx(180.0)
    assert time_limit_s(tmp_path / "gone.wav", 60.0) == 60.0
