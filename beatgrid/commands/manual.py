"""The help of the commands, made from the comments in ``conf/``; imports no Hydra, no torch."""

from __future__ import annotations

import itertools
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence

from beatgrid.commands.configs import (
    CONF,
    ConfigFile,
    Setting,
    group_settings,
    options,
    read_config,
    signature_settings,
)
from beatgrid.commands.signatures import read_formats

WIDTH = 80
_KEY_WIDTH = 28
REQUIRED = "???"
# By command: the package with the table of its formats.
_FORMATS = {"export": "export", "import": "importers"}

_FLAGS = (
    ("-h, --help", "this text; with GROUP=OPTION, the keys of that option"),
    ("--version", "the version of beatgrid"),
    ("-m, --multirun", "run every combination of KEY=A,B,... in turn"),
    ("--cfg job", "print the configuration as composed, and do nothing"),
    ("--hydra-help", "more flags, of the library that composes it"),
)


def command_help(config_name: str, program: str, arguments: Sequence[str] = ()) -> str:
    """Return the help of a command.

    Args:
        config_name: Its file in ``conf/``.
        program: How the user calls it: ``beatgrid predict`` or ``python predict.py``.
        arguments: The command line; its ``GROUP=OPTION`` choose whose keys are shown.
    """
    config = read_config(CONF / f"{config_name}.yaml")
    description, examples = _about(config, config_name, program)
    required = [s.key for s in config.settings if s.value == REQUIRED]
    blocks = [
        " ".join([f"usage: {program}", *(f"{key}=..." for key in required), "[KEY=VALUE ...]"]),
        textwrap.fill(description, WIDTH),
        *(["\n".join(["examples:", *(f"  {line}" for line in examples)])] if examples else []),
        "\n".join(
            ["keys and their defaults:", *_lines([*config.settings, *signature_settings(config)])]
        ),
    ]
    if config_name in _FORMATS:
        formats = read_formats(_FORMATS[config_name])
        entries = (_entry(f"  {name}", title) for name, title in formats.items())
        blocks.append("\n".join(["formats:", *itertools.chain.from_iterable(entries)]))
    chosen = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    for group, default in config.groups.items():
        blocks.append("\n".join(_group(group, default, chosen.get(group))))
    flags = (line for flag, about in _FLAGS for line in _entry(f"  {flag}", about))
    blocks.append("\n".join(["flags:", *flags]))
    return "\n\n".join(blocks)


def show(text: str) -> None:
    """Print a help text; a reader such as ``head`` may close its end early."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python would try again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def summary(config_name: str) -> str:
    """Return what a command does, in one line."""
    return _first_sentence(read_config(CONF / f"{config_name}.yaml").about)


def example(config_name: str, program: str) -> str:
    """Return the first example of a command."""
    config = read_config(CONF / f"{config_name}.yaml")
    return next(iter(_about(config, config_name, program)[1]), f"{program} --help")


def _about(config: ConfigFile, config_name: str, program: str) -> tuple[str, list[str]]:
    """Split a command's comment into its description and its examples, which are indented."""
    lines = config.about.splitlines()
    description = " ".join(line for line in lines if line and not line.startswith(" "))
    examples = [line.strip() for line in lines if line.startswith(" ")]
    command = f"beatgrid {config_name.replace('_', '-')}"
    return description, [line.replace(command, program, 1) for line in examples]


def _group(group: str, default: str | None, chosen: str | None) -> Iterator[str]:
    """Yield the lines of a group: its options, and the keys of one of them."""
    known = options(group)
    option = chosen if chosen in known else default
    yield f"{group}={'null' if option is None else option}, one of:"
    for name in known:
        about = _first_sentence(read_config(CONF / group / f"{name}.yaml").about)
        yield from _entry(f"    {name}", about)
    if option is not None:
        yield from _lines(group_settings(group, option))


def _lines(settings: Sequence[Setting]) -> Iterator[str]:
    for setting in settings:
        if setting.value.startswith("${") and not setting.comment:
            continue  # follows another key
        value = "" if setting.value == REQUIRED else setting.value.replace(", ", ",")
        key = setting.key if setting.value == "" else f"{setting.key}={value}"
        key = key if len(key) <= WIDTH - 2 else f"{key[: WIDTH - 5]}..."
        comment = f"required: {setting.comment}" if setting.value == REQUIRED else setting.comment
        yield from _entry(f"  {key}", comment)


def _entry(left: str, comment: str) -> Iterator[str]:
    """Yield a key and what it does, in two columns."""
    column = textwrap.wrap(comment, WIDTH - _KEY_WIDTH) or [""]
    if len(left) >= _KEY_WIDTH - 1 and comment:
        yield left
    else:
        yield f"{left:{_KEY_WIDTH}}{column.pop(0)}".rstrip()
    yield from (" " * _KEY_WIDTH + line for line in column)


def _first_sentence(text: str) -> str:
    paragraph = text.split("\n\n")[0].replace("\n", " ")
    return paragraph.split(". ")[0].rstrip(".")
