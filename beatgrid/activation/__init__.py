"""Features to beat probabilities: sources by name (a network, spectral flux)."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    network=("network_logits", "track_activation"),
    flux=("flux_activation", "onset_strength"),
    source=("ActivationSource", "FluxSource", "NetworkSource", "open_source"),
)
