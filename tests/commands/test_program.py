"""The program ``beatgrid`` and the help of its commands."""

import subprocess
import sys

import pytest
import yaml

import beatgrid
from beatgrid.commands import program
from beatgrid.commands.configs import CONF, Setting, group_settings, options, read_config
from beatgrid.commands.manual import command_help
from tests.commands.test_configs import compose_config
from tests.conftest import ROOT


@pytest.fixture
def run_program(monkeypatch, capsys):
    """Run ``beatgrid`` in this process: (exit status, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/beatgrid", *arguments])
        status = 0
        try:
            program.main()
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return run


def test_help_names_every_command_with_what_it_does(run_program):
    status, out, err = run_program("--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: beatgrid COMMAND [KEY=VALUE ...]\n")
    for name in program.COMMANDS:
        line = next(line for line in out.splitlines() if line.startswith(f"  {name} "))
        assert len(line.split(maxsplit=1)[1]) > 20
    assert run_program() == (status, out, err)


def test_version(run_program):
    assert run_program("--version") == (0, f"beatgrid {beatgrid.__version__}\n", "")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("pedict", "did you mean predict?"),
        ("frobnicate", f"known are {', '.join(program.COMMANDS)}"),
        ("my song.mp3", 'type beatgrid predict audio="my song.mp3"'),
    ],
)
def test_an_unknown_command_is_one_line(name, remedy, run_program):
    assert run_program(name) == (1, "", f"error: {name}: no such command; {remedy}\n")


def test_the_list_of_commands_fits_a_terminal(run_program):
    _, listed, _ = run_program("--help")
    assert max(map(len, listed.splitlines())) <= 80


@pytest.mark.parametrize("name", program.COMMANDS)
def test_help_of_a_command_fits_a_terminal_and_needs_no_torch(name):
    code = (
        f"import sys; sys.argv = ['beatgrid', {name!r}, '--help']\n"
        "from beatgrid.commands.program import main; main()\n"
        "sys.exit(bool({'torch', 'hydra', 'omegaconf', 'lightning', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"usage: beatgrid {name} ")
    assert f"  beatgrid {name} " in run.stdout


@pytest.mark.parametrize("name", [n for n in program.COMMANDS if (ROOT / f"{n}.py").exists()])
def test_scripts_show_the_same_help_under_their_own_name(name, run_script):
    shown = run_script(f"{name}.py", "--help")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == command_help(name, f"python {name}.py") + "\n"
    assert shown.out.splitlines()[0].startswith(f"usage: python {name}.py ")
    assert f"  python {name}.py " in shown.out
    assert run_script(f"{name}.py", "--version").out == f"beatgrid {beatgrid.__version__}\n"


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_key_has_a_description(name):
    config = read_config(CONF / f"{name.replace('-', '_')}.yaml")
    settings = list(config.settings)
    if "grid" in config.groups and name != "train":
        settings += group_settings("grid", "default")
    assert [s.key for s in settings if not s.comment and not s.value.startswith("${")] == []


def test_help_may_be_cut_short_by_its_reader():
    code = 'from beatgrid.commands.manual import show; show(100000 * "x")'
    command = f"{sys.executable} -c '{code}'"
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "x", "")


def test_help_shows_the_keys_of_the_chosen_option(run_program):
    assert "grid.bpm_step=0.5" not in run_program("predict", "--help")[1]
    assert "grid.bpm_step=0.5" in run_program("predict", "grid=notebook", "--help")[1]


def test_comments_are_read_behind_and_above_their_keys(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "# @package _global_\n# Does a thing. And more.\n#\n#   beatgrid x a=1\n"
        "defaults:\n  - _self_\n  - base\n  - group: option\n  - override hydra/x: y\n"
        "a: 1   # behind\n# above,\n# in two lines\nb: '#no'\n"
        "nested:   # all of them\n  c: [1, 2] # list\n  d: ${a}\n"
        "hydra:\n  run: x # hidden\n"
    )
    config = read_config(path)
    assert config.about == "Does a thing. And more.\n\n  beatgrid x a=1"
    assert config.settings == (
        Setting("a", "1", "behind"),
        Setting("b", "'#no'", "above, in two lines"),
        Setting("nested", "", "all of them"),
        Setting("nested.c", "[1, 2]", "list"),
        Setting("nested.d", "${a}", ""),
    )
    assert config.bases == ("base",)
    assert config.groups == {"group": "option"}


def test_an_option_shows_the_keys_of_its_base_with_its_own_values():
    wide = {s.key: s for s in group_settings("grid", "wide")}
    default = {s.key: s for s in group_settings("grid", "default")}
    assert wide["grid.bpm_max"].value == "400.0"
    assert wide["grid.bpm_max"].comment == default["grid.bpm_max"].comment
    assert wide.keys() == default.keys()


def test_what_help_calls_a_default_is_what_is_composed():
    values = compose_config("predict", ["audio=x"]).grid
    for setting in group_settings("grid", "default"):
        assert yaml.safe_load(setting.value) == values[setting.key.removeprefix("grid.")]
    assert "default" in options("grid")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], 'audio= is missing; type, for instance, beatgrid predict audio="Artist - Song (Mix)'),
        (["song.mp3"], "song.mp3: type beatgrid predict audio=song.mp3"),
        (["audio=a", "audio=b"], "audio= is given twice"),
    ],
)
def test_predict_says_what_to_type(arguments, line, run_program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run_program("predict", *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert line in err
    assert not list(tmp_path.iterdir())


def test_flags_behind_overrides_start_a_sweep(run_script):
    done = run_script("train.py", "debug=fast", "-m", "seed=0,1")
    assert done.status == 1
    hydras, ours = done.err.splitlines()
    assert hydras == "Error executing job with overrides: ['debug=fast', 'seed=0']"
    assert ours.startswith("error: data.audio_dir=data/audio: no such folder")


def test_help_names_keys_where_they_are_set():
    """A loss's are the model's, and a model's bases may lie in a folder below."""
    assert {s.key for s in group_settings("loss", "bce")} >= {"model.loss", "model.pos_weight"}
    assert {s.key for s in group_settings("model", "tcn")} >= {"model.tcn_layers", "model.channels"}


def test_a_comment_goes_on_in_its_column(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text(
        "# About.\n\n"
        "a: 1      # what a is,\n"
        "          # and what not\n"
        "# Of b alone.\n"
        "b:\n"
        "  c: '#'  # c\n"
        "d: 2\n"
    )
    comments = [(setting.key, setting.comment) for setting in read_config(path).settings]
    assert comments == [
        ("a", "what a is, and what not"),
        ("b", "Of b alone."),
        ("b.c", "c"),
        ("d", ""),
    ]
