import sys

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from beatgrid.commands.cli import quote_path

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
    from omegaconf import OmegaConf

    monkeypatch.chdir(tmp_path)
    if "/" not in name:
        (tmp_path / name).touch()
    (tmp_path / "c.yaml").write_text("audio: ???\n")
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        cfg = compose("c", overrides=[quote_path(f"audio={name}", ["audio"])])
    assert OmegaConf.to_container(cfg, resolve=True)["audio"] == name


@pytest.mark.parametrize(
    "argument", ["audio=[a.mp3,b.mp3]", "audio='quoted (x).mp3'", "audio=null", "grid=wide", "-m"]
)
def test_what_hydra_understands_is_left_alone(argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quote_path(argument, ["audio"]) == argument


def test_lists_of_plain_names_stay_lists():
    parser = OverridesParser.create()
    override = parser.parse_override(quote_path("audio=[a.mp3,b.mp3]", ["audio"]))
    assert override.value() == ["a.mp3", "b.mp3"]


def test_importing_the_command_line_does_not_load_lightning():
    """Prediction starts without the training stack."""
    import subprocess

    code = "import beatgrid.commands.predict, sys; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
