import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from beatgrid.commands.arguments import prepare, quote_path, quoted, spelt_out
from beatgrid.errors import BeatgridError

NAMES = [
    "with space.mp3",
    "Artist - Song (Original Mix).mp3",
    "a,b.mp3",
    "a=b.mp3",
    "it's.mp3",
    "[2010].mp3",
    "[2010]",
    "R&B.mp3",
    "#1.mp3",
    "é.mp3",
    "日本.mp3",
    'say "hello".mp3',
    "100%.mp3",
    "a;b!.mp3",
    "~tilde.mp3",
    "{braces}.mp3",
    "${dollar}.mp3",
    "$(dollar).mp3",
    "back\\slash.mp3",
    "back\\'quote.mp3",
    "ends in \\",
    "a: b.mp3",
    "*.mp3",
    "1.5",
    "true",
    "'single",
]


@pytest.mark.parametrize("name", NAMES)
def test_file_names_pass_hydras_grammar_unchanged(name, tmp_path, monkeypatch):
    from hydra import compose, initialize_config_dir

    monkeypatch.chdir(tmp_path)
    if "/" not in name:
        (tmp_path / name).touch()
    (tmp_path / "c.yaml").write_text("audio: ???\n")
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        cfg = compose("c", overrides=[quote_path(f"audio={name}", ["audio"])])
    assert OmegaConf.to_container(cfg, resolve=True)["audio"] == name


@pytest.mark.parametrize("argument", ["audio='quoted (x).mp3'", "audio=null", "grid=wide", "-m"])
def test_what_hydra_understands_is_left_alone(argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quote_path(argument, ["audio"]) == argument


def meant(argument):
    override = OverridesParser.create().parse_override(quote_path(argument, ["audio"]))
    return OmegaConf.to_container(OmegaConf.create({"audio": override.value()}), resolve=True)[
        "audio"
    ]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("[a.mp3,b.mp3]", ["a.mp3", "b.mp3"]),
        ("[a.wav, b (x).wav]", ["a.wav", "b (x).wav"]),
        ("[a & b.wav,${x}.wav,é = ü.wav]", ["a & b.wav", "${x}.wav", "é = ü.wav"]),
        ("[it's.wav,don't.wav]", ["it's.wav", "don't.wav"]),
        ("['a, b.wav',\"c,d.wav\"]", ["a, b.wav", "c,d.wav"]),
        ("['it\\'s.wav', b]", ["it's.wav", "b"]),
        ("[there, with a comma.wav,b.wav]", ["there, with a comma.wav", "b.wav"]),
        ("[]", []),
        (f"[{'x' * 250}.wav,{'y' * 250}.wav]", ["x" * 250 + ".wav", "y" * 250 + ".wav"]),
        (f"[{','.join(['n.wav'] * 500)}]", ["n.wav"] * 500),
    ],
)
def test_lists_take_names_without_quotes(value, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there, with a comma.wav").touch()
    assert meant(f"audio={value}") == names


def test_home_is_found_where_the_shell_has_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert meant("audio=~/x.wav") == "/home/me/x.wav"
    assert meant("audio=[~/x.wav,~,a~/b]") == ["/home/me/x.wav", "/home/me", "a~/b"]
    (tmp_path / "~").mkdir()
    assert meant("audio=~") == "~"


def test_a_name_of_any_length_is_one_override():
    assert meant(f"audio={'x' * 5000}") == "x" * 5000


@pytest.mark.parametrize("value", ["", "  "])
def test_an_unset_variable_is_refused(value):
    with pytest.raises(BeatgridError, match=r"audio= *: is empty"):
        quote_path(f"audio={value}", ["audio"])


def prepared(*arguments):
    return prepare(arguments, ("audio", "ckpt", "out"), "beatgrid predict")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["song.mp3"], "song.mp3: type beatgrid predict audio=song.mp3"),
        (["my song.mp3"], 'my song.mp3: type beatgrid predict audio="my song.mp3"'),
        (["~/song.mp3"], "~/song.mp3: type beatgrid predict audio=~/song.mp3"),
        (["out=x", "song.mp3"], "song.mp3: type beatgrid predict audio=song.mp3"),
        (["audio=a.mp3", "x"], "x: not of the form KEY=VALUE; beatgrid predict --help lists the"),
        (["audio=a", "audio=b c"], 'a and b c; several files are one list: audio="[a,b c]"'),
        (["out=a", "out=b"], "out= is given twice, a and b; give it once"),
        (["--mutlirun"], "--mutlirun: no such flag; did you mean --multirun?"),
        (["audio=a.wav", "-cn"], "-cn: needs a value"),
        (["--cfg", "audio=a.wav"], "--cfg: needs a value"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_one_line(arguments, line):
    with pytest.raises(BeatgridError) as caught:
        prepared(*arguments)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_cut_at_its_spaces_is_shown_with_quotes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my song.mp3").touch()
    with pytest.raises(BeatgridError, match=r'needs quotes: audio="my song\.mp3"'):
        prepared("audio=my", "song.mp3")


def test_flags_may_stand_anywhere():
    assert prepared("grid=wide", "-m", "num_threads=1,2") == ["-m", "grid=wide", "num_threads=1,2"]
    assert prepared("grid=wide", "--cfg", "job") == ["--cfg", "job", "grid=wide"]
    assert prepared("--info", "grid=wide") == ["--info", "grid=wide"]
    assert prepared("~grid", "+new=1") == ["~grid", "+new=1"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "'single"])
def test_suggested_words_mean_the_name_to_a_shell(name):
    assert subprocess.check_output(["sh", "-c", f"printf %s {quoted(name)}"]).decode() == name


@pytest.mark.parametrize(
    ("arguments", "spelt"),
    [
        (["grids", "format=csv"], ["format=csv", "results=grids"]),
        (["format=csv"], ["format=csv"]),
        (["it's, [a].json"], ["results=it's, [a].json"]),
        (["a, b", "c"], ["results=['a, b','c']"]),
        (["export=[a,b]", "x=export=c"], ["export.formats=[a,b]", "x=export=c"]),
        (["export.timebase=26"], ["export.timebase=26"]),
        (["~out", "--cfg", "job", "-h"], ["~out", "--cfg", "job", "-h"]),
    ],
)
def test_words_and_short_keys_are_spelt_out(arguments, spelt):
    assert spelt_out(arguments, "results", {"export": "export.formats"}) == spelt
    without = [a for a in arguments if "=" not in a]
    assert spelt_out(without, None, {}) == without
