"""Features to beat probabilities: sources by name (a network, spectral flux)."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    evidence=("Calibration", "track_activation"),
    network=("NetworkSource", "network_logits"),
    flux=("flux_activation", "onset_strength"),
    onnx=("OnnxSource",),
    source=("ActivationSource", "FluxSource", "open_source"),
)
