"""The search and the metrics work where torch is not installed."""

import subprocess
import sys

import pytest

TORCH_FREE = [
    "beatgrid.grid",
    "beatgrid.search",
    "beatgrid.calibration.fit",
    "beatgrid.calibration.synthetic",
    "beatgrid.search.notebook",
    "beatgrid.activation.flux",
    "beatgrid.evaluation",
    "beatgrid.output.result",
    "beatgrid.data.targets",
]
FORBIDDEN = ("torch", "lightning", "hydra", "omegaconf", "sklearn", "matplotlib")


def imported_by(module: str) -> set[str]:
    """Which of the forbidden packages a fresh interpreter loads for a module."""
    code = f"import sys, {module}; print(*(m for m in {FORBIDDEN} if m in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("module", TORCH_FREE)
def test_module_needs_numpy_and_scipy_only(module):
    assert imported_by(module) == set()


def test_the_check_can_fail():
    assert "torch" in imported_by("beatgrid.audio.features")
