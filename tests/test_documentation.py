"""What the documentation tells people to type is understood; its Python runs."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from beatgrid.commands import cli
from beatgrid.commands.configs import CONF
from beatgrid.commands.keys import check_keys
from beatgrid.commands.program import COMMANDS, module_of
from beatgrid.commands.signatures import register

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(?:sh|console)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`((?:beatgrid|python) [^`]*)`(?!`)", re.DOTALL)
VARIABLE = re.compile(r"\$[A-Z_]+")
SCRIPTS = {f"{name}.py": name for name in COMMANDS}
HELP = {"--help", "-h", "--version"}


@pytest.fixture(scope="module", autouse=True)
def configurations() -> Iterator[None]:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def commands_of(text: str) -> list[list[str]]:
    """The command lines of a page that are beatgrid's, in blocks and in sentences, as words."""
    found = [" ".join(span.split()) for span in SPAN.findall(text)]
    for _, block in BLOCK.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        # What a batch system's variables hold are numbers.
        found += [VARIABLE.sub("1", line.removeprefix("$ ").lstrip()) for line in lines]
    split = (shlex.split(line, comments=True) for line in found if is_ours(line))
    return [words for words in split if words]


def is_ours(line: str) -> bool:
    words = line.split()
    script = words[1] if words[:1] == ["python"] and len(words) > 1 else ""
    return words[:1] == ["beatgrid"] or script in SCRIPTS


def is_understood(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a command line composes, with keys and values that its command takes."""
    name = words[1] if words[0] == "beatgrid" else SCRIPTS[words[1]]
    if HELP & set(words):
        return name in {*COMMANDS, *HELP}
    if name not in COMMANDS:
        return False
    composed = []

    def compose_only(task: object, config: str, arguments: Sequence[str], sweeps: bool) -> None:
        overrides = [word for word in arguments if not word.startswith("-")]
        for i, override in enumerate(OverridesParser.create().parse_overrides(overrides)):
            if override.is_sweep_override():
                first = next(override.sweep_string_iterator())
                overrides[i] = f"{override.get_key_element()}={first}"
        about_hydra = any(word.startswith(("hydra", "hparams_search")) for word in overrides)
        cfg = compose(config, overrides, return_hydra_config=about_hydra)
        check_keys(OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"]), config)
        composed.append(cfg)

    monkeypatch.setattr(cli, "_compose_and_run", compose_only)
    module = importlib.import_module(module_of(name))
    try:
        module.main(list(words[2:]), program=" ".join(words[:2]))
    except SystemExit:
        return False
    return bool(composed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_is_understood(page, monkeypatch):
    commands = commands_of(page.read_text(encoding="utf-8"))
    assert [words for words in commands if not is_understood(words, monkeypatch)] == []


def test_there_are_commands():
    assert sum(len(commands_of(page.read_text(encoding="utf-8"))) for page in PAGES) > 60


def test_the_check_can_fail(monkeypatch):
    page = (
        "type `beatgrid predict audoi=song.mp3`, then\n```sh\n"
        "$ beatgrid forecast audio=a.mp3\n"
        "beatgrid predict audio=a.mp3 grid.bpm_min=fast  # no number\n"
        "ls\n"
        "python train.py -m \\\n  model=tcn,crnn_small\n```\n"
    )
    commands = commands_of(page)
    understood = [is_understood(words, monkeypatch) for words in commands]
    assert understood == [False, False, False, True]


def test_python_blocks_of_the_site_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "howto" / "search.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict = {}
    exec(block, names)
    assert names["found"].bpm == 120.0
    assert names["times_s"][0] == pytest.approx(0.2, abs=0.005)
