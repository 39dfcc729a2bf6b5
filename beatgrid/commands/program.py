"""The program ``beatgrid``: its commands by name, each with the help that ``conf/`` gives it."""

from __future__ import annotations

import importlib
import keyword
import sys

import beatgrid
from beatgrid.commands.arguments import did_you_mean, quoted, wants
from beatgrid.commands.manual import command_help, show, summary
from beatgrid.errors import MissingPackageError

# A command is beatgrid/commands/NAME.py with a main() made by ``cli.entry``, and conf/NAME.yaml,
# where NAME has underscores for hyphens; the module of a keyword of Python's ends in one.
COMMANDS = (
    *("predict", "merge", "review", "export", "train", "evaluate", "calibrate", "audit"),
    *("compare", "import", "render", "export-model"),
)


def main() -> None:
    """Run the command that ``sys.argv`` names; help and version come without importing it."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help", "help"):
        show(program_help())
    elif name == "--version":
        print(f"beatgrid {beatgrid.__version__}")
    elif name not in COMMANDS:
        print(f"error: {_not_a_command(name)}", file=sys.stderr)
        sys.exit(1)
    elif wants(arguments, "-h", "--help"):
        show(command_help(_config(name), f"beatgrid {name}", arguments))
    else:
        try:
            command = importlib.import_module(module_of(name))
        except ModuleNotFoundError as error:
            print(f"error: {MissingPackageError(f'beatgrid {name}', error.name)}", file=sys.stderr)
            sys.exit(1)
        command.main(arguments, program=f"beatgrid {name}")


def program_help() -> str:
    """Return what ``beatgrid --help`` prints."""
    lines = [f"  {name:14}{summary(_config(name))}" for name in COMMANDS]
    return "\n".join(
        [
            "usage: beatgrid COMMAND [KEY=VALUE ...]",
            "",
            "Find the constant-tempo beatgrid of music: BPM, first downbeat, every beat.",
            "",
            "commands:",
            *lines,
            "",
            "beatgrid COMMAND --help lists the keys of a command with their defaults,",
            "beatgrid --version tells the version.",
        ]
    )


def module_of(name: str) -> str:
    """Return the module of a command."""
    config = _config(name)
    return f"beatgrid.commands.{config}{'_' if keyword.iskeyword(config) else ''}"


def _config(name: str) -> str:
    return name.replace("-", "_")


def _not_a_command(name: str) -> str:
    if "." in name or "/" in name:
        return f"{name}: no such command; type beatgrid predict audio={quoted(name)}"
    return f"{name}: no such command; {did_you_mean(name, COMMANDS)}"
