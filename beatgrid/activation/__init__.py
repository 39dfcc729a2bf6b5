"""Features to beat probabilities: a network over a whole track, or spectral flux."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    network=("network_logits", "track_activation"),
    flux=("flux_activation", "onset_strength"),
)
