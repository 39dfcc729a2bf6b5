"""What is installed, what is missing, and that every system comes with what it needs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from beatgrid.comparison.contenders import find_contenders
from beatgrid.comparison.environments import (
    REQUIREMENTS,
    STEPS,
    Environment,
    environment_of,
    environments,
    installed_size_mb,
)
from beatgrid.comparison.runner_process import environment_variables
from beatgrid.comparison.systems import BEATGRID, SYSTEMS, chosen_systems
from beatgrid.errors import BeatgridError
from tests.comparison.peers import installed


def test_every_system_has_a_runner_and_pinned_requirements():
    for system in SYSTEMS.values():
        assert system.script.is_file(), system.name
        if system.name == BEATGRID:
            continue
        lines = (REQUIREMENTS / f"{system.environment}.txt").read_text().splitlines()
        assert lines
        for line in lines:
            assert re.fullmatch(r"[\w.-]+==[\w.]+", line), f"{system.name}: {line}"


def test_every_requirement_and_step_is_of_an_environment():
    names = set(environments())
    assert {path.stem for path in REQUIREMENTS.glob("*.txt")} == names
    assert {path.stem for path in STEPS.glob("[!_]*.py")} <= names


def test_runners_import_nothing_of_this_package():
    for system in SYSTEMS.values():
        if system.name != BEATGRID:
            assert "beatgrid." not in system.script.read_text().split('"""', 2)[2], system.name


def test_what_is_not_installed_is_named_with_its_remedy(tmp_path):
    installed(tmp_path, "essentia")
    systems = chosen_systems(["aubio", "essentia-degara", "essentia-percival"])
    contenders, missing = find_contenders(systems, tmp_path)
    assert [c.name for c in contenders] == [BEATGRID, "essentia-degara", "essentia-percival"]
    assert list(missing) == ["aubio"]
    assert "beatgrid compare setup=aubio installs it" in missing["aubio"]
    assert contenders[1].size_mb == 12.5
    assert contenders[1].method != contenders[2].method


def test_other_requirements_are_installed_anew(tmp_path):
    installed(tmp_path, "aubio")
    mark = tmp_path / "aubio" / "beatgrid-peer.json"
    mark.write_text(mark.read_text().replace('"requirements": "', '"requirements": "0'))
    (reason,) = find_contenders(chosen_systems(["aubio"]), tmp_path)[1].values()
    assert (
        reason == "installed for other requirements; beatgrid compare setup=aubio installs it anew"
    )


def test_weights_are_the_users(tmp_path):
    installed(tmp_path, "beat_this")
    systems = chosen_systems(["beat_this"])
    _, missing = find_contenders(systems, tmp_path)
    assert missing == {"beat_this": "comes without weights; name yours: weights.beat_this=FILE"}
    with pytest.raises(BeatgridError, match="no such file"):
        find_contenders(systems, tmp_path, weights={"beat_this": "nowhere.ckpt"})
    methods = set()
    for text in ("one", "two"):
        (tmp_path / "final0.ckpt").write_text(text)
        weights = {"beat_this": str(tmp_path / "final0.ckpt")}
        _, peer = find_contenders(systems, tmp_path, weights=weights)[0]
        assert peer.command[-1] == str(tmp_path / "final0.ckpt")
        methods.add(peer.method)
    assert len(methods) == 2


def test_beatgrid_runs_by_the_interpreter_that_compares(tmp_path):
    (own,), _ = find_contenders(chosen_systems([]), tmp_path)
    assert own.command[0] == sys.executable
    (flux,), _ = find_contenders(chosen_systems([]), tmp_path, activation="flux")
    assert flux.method != own.method


def test_an_unknown_system_is_refused():
    with pytest.raises(BeatgridError, match="systems=traktor: must be one of beatgrid, madmom"):
        chosen_systems(["traktor"])


def test_set_up_of_an_unknown_environment_is_refused(tmp_path):
    with pytest.raises(BeatgridError, match="setup=traktor: must be one of madmom"):
        Environment("traktor", tmp_path / "traktor").set_up()


def test_a_runner_gets_one_thread_and_none_of_our_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    variables = environment_variables()
    assert "PYTHONPATH" not in variables
    assert variables["OMP_NUM_THREADS"] == variables["TF_NUM_INTRAOP_THREADS"] == "1"
    assert variables["CUDA_VISIBLE_DEVICES"] == ""


def test_the_size_of_an_installation_includes_what_it_requires():
    numpy, scipy = installed_size_mb("numpy"), installed_size_mb("scipy")
    assert numpy is not None
    assert scipy is not None
    assert scipy > numpy > 5
    assert installed_size_mb("no-such-package-anywhere") is None


@pytest.mark.slow
def test_set_up_installs_into_a_fresh_environment(tmp_path, monkeypatch):
    """Without packages, so without a network: the environment, its step, its mark."""
    from beatgrid.comparison import environments as module

    for folder in ("requirements", "setup"):
        (tmp_path / folder).mkdir()
    (tmp_path / "requirements" / "aubio.txt").write_text("# nothing\n")
    (tmp_path / "setup" / "aubio.py").write_text(
        "import sys, pathlib\npathlib.Path(sys.prefix, 'step').write_text(sys.prefix)\n"
    )
    monkeypatch.setattr(module, "REQUIREMENTS", tmp_path / "requirements")
    monkeypatch.setattr(module, "STEPS", tmp_path / "setup")
    environment = environment_of(SYSTEMS["aubio"], tmp_path / "peers")
    assert environment.missing() is not None
    assert environment.set_up() < 1
    assert environment.missing() is None
    assert Path((environment.folder / "step").read_text()).samefile(environment.folder)
    (tmp_path / "setup" / "aubio.py").write_text("raise SystemExit('error: no compiler')")
    with pytest.raises(BeatgridError, match="setup=aubio: error: no compiler"):
        environment.set_up()
    assert environment.missing() is not None
