"""Period and phase at the maximum of the evidence, to floating-point precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beatgrid.grid import FloatArray
from beatgrid.search.evidence import Evidence
from beatgrid.search.line import Line, StandardErrors

# The lattice of shifts searched before Newton's method, in seconds: of the whole grid, and of
# its ends against each other. Steps of 6 ms lie inside one maximum of a curve smoothed by 10 ms.
LATTICE_S = np.array([(a, b) for a in range(-18, 19, 6) for b in range(-18, 19, 6)]) / 1000
# About so many beats suffice to tell which maximum is the highest.
LATTICE_BEATS = 128
MAX_NEWTON_STEP_S = 0.005
MAX_NEWTON_STEPS = 20
CONVERGED_S = 1e-9


def maximise(evidence: Evidence, line: Line) -> Line:
    """Find the nearby line with the highest sum of evidence.

    A lattice of shifts within +-18 ms, of the whole grid and of its ends against each other,
    chooses the maximum; Newton's method converges to it. The beats summed over stay the same,
    so that the objective is smooth.

    Args:
        evidence: Curve to sum.
        line: Where to start.

    Returns:
        The optimum, with standard errors from the curvature and the scatter of slopes.
    """
    reach = max(line.last, -line.first, 1)
    lever = line.k / reach
    start_s = line.times_s
    some = slice(None, None, max(1, len(lever) // LATTICE_BEATS))
    trial_s = start_s[some] + LATTICE_S[:, :1] + LATTICE_S[:, 1:] * lever[some]
    move = LATTICE_S[int(np.argmax(evidence(trial_s).sum(axis=1)))]
    move, optimum = _newton(evidence, start_s, lever, move)

    inverse = np.linalg.pinv(optimum.hessian)
    covariance = inverse @ optimum.scatter @ inverse
    shift_std_s, tilt_std_s = np.sqrt(np.diag(covariance))
    return Line(
        time_s=line.time_s + float(move[0]),
        period_s=line.period_s + float(move[1]) / reach,
        first=line.first,
        last=line.last,
        errors=StandardErrors(
            time_s=float(shift_std_s),
            period_s=float(tilt_std_s) / reach,
            covariance=float(covariance[0, 1]) / reach,
        ),
    )


@dataclass(frozen=True, eq=False)
class _Derivatives:
    """A sum of evidence and its derivatives by the shifts of the grid and of its ends.

    ``scatter`` is the sum over beats of the outer products of their own slopes.
    """

    score: float
    gradient: FloatArray
    hessian: FloatArray
    scatter: FloatArray


def _newton(
    evidence: Evidence, start_s: FloatArray, lever: FloatArray, move: FloatArray
) -> tuple[FloatArray, _Derivatives]:
    """Maximise by Newton's method with step halving; return (shifts (2,), derivatives there)."""
    here = _derivatives(evidence, start_s, lever, move)
    for _ in range(MAX_NEWTON_STEPS):
        step = newton_step(here.gradient, here.hessian)
        there = here
        while np.abs(step).max() > CONVERGED_S:
            there = _derivatives(evidence, start_s, lever, move + step)
            if there.score >= here.score:
                break
            step = step / 2
        else:
            break
        move, here = move + step, there
    return move, here


def _derivatives(
    evidence: Evidence, start_s: FloatArray, lever: FloatArray, move: FloatArray
) -> _Derivatives:
    value, slope, curvature = evidence.derivatives(start_s + move[0] + move[1] * lever)
    design = np.stack((np.ones_like(lever), lever))
    own = design * slope
    return _Derivatives(
        float(value.sum()), own.sum(axis=1), (design * curvature) @ design.T, own @ own.T
    )


def newton_step(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Compute Newton's ascent step (2,), bounded.

    A Hessian that is not negative definite is shifted until it is.
    """
    if float(np.abs(gradient).max()) < 1e-12:
        return np.zeros(2)  # no evidence in reach; or a maximum to the last bit
    largest, size = float(np.linalg.eigvalsh(hessian)[-1]), float(np.abs(hessian).max())
    if largest >= -1e-6 * size:  # singular for a grid of a single beat
        hessian = hessian - (largest + 1e-3 * size + 1e-9) * np.eye(2)
    step = np.asarray(-np.linalg.solve(hessian, gradient), dtype=np.float64)
    return step * min(1.0, MAX_NEWTON_STEP_S / max(float(np.abs(step).max()), 1e-30))
