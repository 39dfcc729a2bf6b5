"""Trained weights fitted to a user's own labels, without loss of what they knew.

``rehearsal`` renders what must not be forgotten, ``validation`` chooses the epoch by grids on both
sides, ``refit`` moves the search's ranker, ``decision`` says whether the result is taken, and
``verdict`` what it brings on tracks that nothing was chosen by. The training itself is
``beatgrid.training``'s, the fit ``beatgrid.calibration``'s, the measures ``beatgrid.evaluation``'s.
"""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    settings=("FineTuneSettings",),
    rehearsal=("Rehearsal",),
)
