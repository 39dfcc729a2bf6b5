"""Search for the constant-tempo grid of an activation; numpy and scipy only.

``GridSearch()(Activation(beat=probabilities, frame_rate=100.0))`` is all it takes. Any other
callable of the same signature (``Search``) is a search as well.
"""

from beatgrid.search.beats import Beats
from beatgrid.search.estimate import (
    Alternative,
    GridEstimate,
    NoGridError,
    Search,
    Segment,
    prob_at_beats,
)
from beatgrid.search.grid_search import GridSearch
from beatgrid.search.hint import TempoHint
from beatgrid.search.ranker import Ranker

__all__ = [
    "Alternative",
    "Beats",
    "GridEstimate",
    "GridSearch",
    "NoGridError",
    "Ranker",
    "Search",
    "Segment",
    "TempoHint",
    "prob_at_beats",
]
