"""The environments that the peers run in: each a virtual environment with pinned packages.

An environment is set up once, from ``requirements/NAME.txt`` and, where there is one,
``setup/NAME.py``, which its own interpreter runs afterwards. It counts as set up when a file says
so that is written last and names the requirements.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from beatgrid.comparison.systems import BEATGRID, SYSTEMS, System
from beatgrid.errors import BeatgridError
from beatgrid.files import content_hash, printable, write_json

_PACKAGE = Path(__file__).resolve().parent
REQUIREMENTS = _PACKAGE / "requirements"
STEPS = _PACKAGE / "setup"
_MARK = "beatgrid-peer.json"
_SETUP_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Environment:
    """Where the systems of one name are installed.

    Attributes:
        name: Of the environment.
        folder: Of the virtual environment; for beatgrid, of no use.
    """

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter; for beatgrid, the one that runs now."""
        if self.name == BEATGRID:
            return Path(sys.executable)
        return self.folder / "bin" / "python"

    @property
    def requirements(self) -> Path:
        """The packages it holds, pinned."""
        return REQUIREMENTS / f"{self.name}.txt"

    def missing(self) -> str | None:
        """Return why its systems cannot run, with the remedy; None where they can."""
        if self.name == BEATGRID:
            return None
        remedy = f"beatgrid compare setup={self.name} installs it"
        mark = self._mark()
        if mark is None:
            return f"not installed in {printable(self.folder)}; {remedy}"
        if mark["requirements"] != content_hash(self.requirements):
            return f"installed for other requirements; {remedy} anew"
        return None

    def size_mb(self) -> float | None:
        """Return what is installed in MB on disk; None where that is not known."""
        mark = self._mark()
        return None if mark is None else mark["size_mb"]

    def set_up(self) -> float:
        """Install the packages; return their size in MB.

        Raises:
            BeatgridError: The installation failed, with the last line that it said.
        """
        if not self.requirements.exists():
            raise BeatgridError(f"setup={self.name}: must be one of {', '.join(environments())}")
        (self.folder / _MARK).unlink(missing_ok=True)
        try:
            venv.create(self.folder, with_pip=False, clear=True, symlinks=True)
        except OSError as error:
            raise BeatgridError(
                f"{self.folder}: cannot be made ({error.strerror or error}); "
                "name another with peers_dir=..."
            ) from error
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--quiet"]
        options = ["--disable-pip-version-check", "--no-deps", "--no-compile"]
        self._run([*pip, "install", *options, "-r", str(self.requirements)])
        step = STEPS / f"{self.name}.py"
        if step.exists():
            self._run([str(self.python), str(step)])
        size_mb = _size_mb(self.folder.rglob("site-packages/**/*"))
        write_json(
            self.folder / _MARK,
            {"requirements": content_hash(self.requirements), "size_mb": round(size_mb, 1)},
        )
        return size_mb

    def _run(self, command: list[str]) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SETUP_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise BeatgridError(
                f"setup={self.name}: took longer than {_SETUP_LIMIT_S:.0f} s; try again"
            ) from error
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
            errors = [line for line in lines if line.lower().startswith("error")] or lines
            raise BeatgridError(f"setup={self.name}: {errors[-1].strip()}")

    def _mark(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / _MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


def environments() -> list[str]:
    """Return the names of the environments that can be set up."""
    return list(dict.fromkeys(s.environment for s in SYSTEMS.values() if s.name != BEATGRID))


def environment_of(system: System, peers_dir: Path) -> Environment:
    """Return the environment of a system."""
    return Environment(system.environment, peers_dir / system.environment)


def _size_mb(paths: Iterable[Path]) -> float:
    return sum(path.lstat().st_blocks * 512 for path in paths if path.is_file()) / 1e6


def installed_size_mb(distribution: str) -> float | None:
    """Return the MB on disk of a package that is installed here, with all that it requires.

    Returns:
        None where no such distribution is installed.
    """
    pending, seen, total = [distribution], set(), 0.0
    while pending:
        name = re.sub(r"[-_.]+", "-", pending.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name == distribution:
                return None
            continue  # for another system
        files = [Path(str(file.locate())) for file in found.files or ()]
        if name == "beatgrid":  # an editable installation lists no module
            files = list(_PACKAGE.parent.rglob("*"))
        total += _size_mb(path for path in files if path.exists() and path.suffix != ".pyc")
        # Extras are not what predicting needs.
        wanted = [r for r in found.requires or () if "extra ==" not in r]
        pending += [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in wanted]
    return total
