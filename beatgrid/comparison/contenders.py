"""The systems that can run here and now: command, environment, and what identifies the way."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import beatgrid
from beatgrid.comparison.environments import Environment, environment_of, installed_size_mb
from beatgrid.comparison.runner_process import environment_variables
from beatgrid.comparison.systems import BEATGRID, System
from beatgrid.errors import BeatgridError
from beatgrid.files import content_hash, printable
from beatgrid.predictor import find_model

# Folders of this package that decide on what is found.
_FINDING = ("audio", "activation", "search")


@dataclass(frozen=True)
class Contender:
    """A system that can run.

    Attributes:
        system: What is known of it.
        command: Interpreter, script, arguments.
        variables: Environment of the process.
        method: Identifies script, requirements, arguments and weights.
        size_mb: Of what it needs on disk; None where that is not known.
    """

    system: System
    command: tuple[str, ...]
    variables: Mapping[str, str]
    method: str
    size_mb: float | None = None

    @property
    def name(self) -> str:
        """The system's name."""
        return self.system.name


def find_contenders(
    systems: Sequence[System],
    peers_dir: Path,
    *,
    ckpt: str = "shipped",
    activation: str = "network",
    weights: Mapping[str, str] | None = None,
) -> tuple[list[Contender], dict[str, str]]:
    """Return which systems can run, and why the others cannot.

    Args:
        systems: From ``chosen_systems``.
        peers_dir: Of the peers' environments.
        ckpt: beatgrid's weights, as ``beatgrid.load`` takes them.
        activation: beatgrid's source of activations.
        weights: Files of peers that come without, by system.

    Returns:
        (contenders, reason by the name of each system that is left out).
    """
    contenders: list[Contender] = []
    missing: dict[str, str] = {}
    for system in systems:
        if system.name == BEATGRID:
            contenders.append(_beatgrid(system, ckpt, activation))
            continue
        environment = environment_of(system, peers_dir)
        file = (weights or {}).get(system.name)
        reason = environment.missing()
        if reason is None and system.weights:
            reason = _weights_missing(system, file)
        if reason is not None:
            missing[system.name] = reason
            continue
        contenders.append(_peer(system, environment, file))
    return contenders, missing


def _beatgrid(system: System, ckpt: str, activation: str) -> Contender:
    options = {"ckpt": ckpt, "activation": activation}
    model = "" if activation == "flux" else content_hash(find_model(ckpt))
    package = Path(beatgrid.__file__).resolve().parent
    # A checkout may change what it finds without another version.
    sources = [p for folder in _FINDING for p in sorted((package / folder).rglob("*.py"))]
    return Contender(
        system,
        (sys.executable, str(system.script), json.dumps(options)),
        environment_variables([package.parent]),
        _digest(
            system.script.read_text(),
            beatgrid.__version__,
            activation,
            model,
            *map(content_hash, sources),
        ),
        installed_size_mb("beatgrid"),
    )


def _peer(system: System, environment: Environment, weights: str | None) -> Contender:
    arguments = [*system.arguments, *([] if weights is None else [str(Path(weights).resolve())])]
    return Contender(
        system,
        (str(environment.python.absolute()), str(system.script), *arguments),
        environment_variables(),
        _digest(
            system.script.read_text(),
            environment.requirements.read_text(),
            *system.arguments,
            "" if weights is None else content_hash(weights),
        ),
        environment.size_mb(),
    )


def _weights_missing(system: System, file: str | None) -> str | None:
    if file is None:
        return f"comes without weights; name yours: weights.{system.name}=FILE"
    if not Path(file).is_file():
        raise BeatgridError(f"weights.{system.name}={printable(file)}: no such file")
    return None


def _digest(*texts: str) -> str:
    text = json.dumps(texts)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
