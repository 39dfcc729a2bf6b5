"""Search for the constant-tempo grid of an activation; numpy and scipy only.

``GridSearch()(Activation(beat=probabilities, frame_rate=100.0))`` is all it takes.
"""

from beatgrid.search.estimate import Alternative, GridEstimate, Segment, prob_at_beats
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.ranker import Coefficients

__all__ = [
    "Alternative",
    "Coefficients",
    "GridEstimate",
    "GridSearch",
    "Segment",
    "prob_at_beats",
]
