"""Every key of every command with values that cannot be: one line, before any work."""

import inspect
import math
import os
import subprocess
import sys

import pytest
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

from beatgrid.checks import shown
from beatgrid.commands.cli import failure_lines
from beatgrid.commands.configs import CONF
from beatgrid.commands.keys import check_keys
from beatgrid.commands.signatures import SIGNATURES, defaults, read_signature
from beatgrid.errors import BeatgridError
from tests.commands.test_configs import ENTRIES, compose_config
from tests.conftest import ROOT

ABSURD = ["abc", -1, None, 10**30, 1e30, math.nan, math.inf, -math.inf, True, [], {}, [None], "", 0]
# Options of each command that change which keys there are.
VARIANTS = {
    "predict": [[], ["grid=notebook"]],
    "export": [[]],
    "import": [[]],
    "evaluate": [[]],
    "calibrate": [[]],
    "export_model": [[]],
    "render": [[]],
    "modules": [[]],
    "train": [
        [],
        ["model=tcn_lstm", "data=augmented", "logger=csv", "+data.rendered.a={folder: x}"],
        ["model=tcn", "model.pos_weight=1.0"],
        ["experiment=finetune"],
    ],
}


def own_keys(node, prefix=""):
    """Full keys of all values that a configuration holds itself, those of nested nodes too."""
    for key in map(str, node):
        if OmegaConf.is_interpolation(node, key) or key in ("_target_", "_convert_"):
            continue
        yield prefix + key
        if not OmegaConf.is_missing(node, key) and OmegaConf.is_dict(node[key]):
            yield from own_keys(node[key], f"{prefix}{key}.")


def cases():
    """Command, variant and key: each key of a command once."""
    for command, variants in VARIANTS.items():
        seen = set()
        for variant in variants:
            for key in own_keys(compose_config(command, [*ENTRIES[command], *variant])):
                if key not in seen:
                    seen.add(key)
                    yield command, tuple(variant), key


CASES = list(cases())


def mistakes(config, command, key, value):
    """The lines a command ends with for one value, set in ``config``; none if it takes it."""
    OmegaConf.update(config, key, value, merge=False)
    try:
        check_keys(config, command)
        group = key.partition(".")[0]
        if command != "train" and group != "grid":
            return []
        if group in ("data", "model", "grid", "logger", "callbacks", "trainer"):
            instantiate(config[group])
        elif group == "features":
            instantiate(config.model)
    except Exception as error:
        return failure_lines(error)
    return []


@pytest.fixture(scope="module")
def composed():
    """Configurations by command and variant, composed once."""
    found = {}

    def get(command, variant):
        if (command, variant) not in found:
            overrides = [*ENTRIES[command], *variant]
            found[command, variant] = compose_config(command, overrides)
        return found[command, variant]

    return get


@pytest.mark.parametrize(("command", "variant", "key"), CASES)
def test_a_value_that_cannot_be_is_one_line_with_key_value_and_form(
    command, variant, key, composed, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    refused = 0
    config = composed(command, variant).copy()
    for value in ABSURD:
        lines = mistakes(config, command, key, value)
        assert len(lines) <= 1
        for line in lines:
            refused += 1
            # Lightning's own words name their class at least.
            assert (key.partition(".")[0] if "trainer" in key else key.rpartition(".")[2]) in line
            assert "\n" not in line
    assert refused, "nothing is refused here: beatgrid.commands.keys says not what it must be"


def test_there_are_keys():
    assert {command for command, _, _ in CASES} == set(ENTRIES)
    assert len(CASES) > 200


@pytest.mark.parametrize(
    ("command", "key", "value", "form"),
    [
        ("predict", "grid.bpm_min", "abc", "a number from 1 to 10000"),
        ("predict", "grid.beats_per_bar", 4, "a list, each a whole number from 1 to 64"),
        ("predict", "grid.search_window", 30, "a list of 2, each a number or null"),
        ("predict", "picture", "maybe", "true or false or one of auto"),
        ("predict", "num_workers", -1, "a whole number from 0 to 1024 or one of auto"),
        ("predict", "num_threads", 0, "a whole number from 1 to 1024"),
        ("predict", "audio", [], "a name or a list, each a name"),
        ("train", "data.batch_size", 0, "a whole number from 1 to 10000"),
        ("train", "seed", None, "a whole number from 0 to 4294967295"),
        ("train", "model.lr", math.nan, "a number from 0 to 1000"),
        ("train", "data.target.width_s", 0, "a number above 0"),
    ],
)
def test_the_form_is_said(command, key, value, form, composed):
    lines = mistakes(composed(command, ()).copy(), command, key, value)
    assert lines == [f"{key}={shown(value)}: must be {form}"]


@pytest.mark.parametrize(
    ("command", "added", "said"),
    [
        ("predict", "+x=1", "x: no such key; known are "),
        ("predict", "+hints=90", "hints: no such key; did you mean hint?"),
        (
            "evaluate",
            "+data.audio_dirs=music",
            "data.audio_dirs: no such key; did you mean data.audio_dir?",
        ),
        ("train", "+models.lr=1", "models: no such key; did you mean model?"),
    ],
)
def test_a_key_that_plus_has_made_and_nothing_reads_is_refused(command, added, said):
    config = compose_config(command, [*ENTRIES[command], added])
    with pytest.raises(BeatgridError) as refused:
        check_keys(config, command)
    assert str(refused.value).startswith(said)


def test_a_default_is_in_a_signature_or_in_conf_but_not_in_both():
    twice = [
        f"{path.relative_to(CONF)}: {key}"
        for path in sorted(CONF.rglob("*.yaml"))
        for key in repeated(OmegaConf.load(path))
    ]
    assert twice == []
    # The test can fail.
    doubled = {"search": {"_target_": "beatgrid.search.GridSearch", "bpm_min": 50.0}}
    assert list(repeated(OmegaConf.create(doubled))) == ["search.bpm_min"]


def repeated(node, prefix="", target=None):
    """Keys whose value is the default of the signature that they reach as well."""
    if not OmegaConf.is_dict(node):
        return
    place = prefix.rstrip(".")
    nested = {"target": "target", "data.target": "target", "augment": "augment"}
    target = node.get("_target_", target)
    known = {}
    if place in nested or place in ("features", "data.augment"):
        known = defaults(nested.get(place, place.rpartition(".")[2]))
    elif isinstance(target, str) and target.startswith("beatgrid."):
        signature = inspect.signature(get_object(target)).parameters.values()
        known = {p.name: p.default for p in signature if p.default is not p.empty}
    elif ".rendered." in f".{place}":
        known = {"weight": 1.0}
    for key in node:
        if OmegaConf.is_interpolation(node, key) or OmegaConf.is_missing(node, key):
            continue
        value = OmegaConf.to_container(node)[key]
        if key in known and known[key] == value:
            yield f"{prefix}{key}"
        yield from repeated(node[key], f"{prefix}{key}.")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_read_as_python_reads_them(name):
    file, class_name = SIGNATURES[name]
    cls = get_object(f"beatgrid.{file.removesuffix('.py').replace('/', '.')}.{class_name}")
    parameters = inspect.signature(cls).parameters.values()
    assert {p.name: p.default for p in parameters} == {
        option.name: tuple(option.default) if isinstance(option.default, list) else option.default
        for option in read_signature(name)
    }
    assert all(len(option.about) > 10 for option in read_signature(name))


def test_several_mistakes_are_a_line_each():
    assert failure_lines(BeatgridError("a", "b")) == ["a", "b"]
    assert str(BeatgridError("a", "b")) == "a\nb"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("predict", ["audio=x", "grid.bpm_min=abc"]),
        ("predict", ["audio=x", "device=mps"]),
        ("predict", ["audio=x", "num_workers=1e9"]),
        ("predict", ["audio="]),
        ("predict", ["audio=" + "x" * 300]),
        ("predict", ["audio=null"]),
        ("evaluate", ["data.split=all"]),
        ("calibrate", ["grid=notebook"]),
        ("train", ["seed=-1"]),
        ("train", ["data.batch_size=0"]),
        ("train", ["trainer.max_epochs=many"]),
        ("train", ["callbacks.best=3"]),
        ("train", ["logger=null"]),
        ("train", ["model.hidden_size=1e30"]),
        ("render", ["hours.own=-1"]),
    ],
)
def test_no_work_and_no_traceback_from_a_program(command, arguments, tmp_path):
    code = "from beatgrid.commands.program import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, command, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
