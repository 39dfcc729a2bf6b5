"""Features to logits: networks and losses by name, and checkpoints."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    network=("Network", "count_parameters"),
    table=("NETWORKS", "build_network"),
    losses=("LOSSES", "build_loss"),
    checkpoint=("LoadedModel", "load_model", "save_model"),
    onnx_file=("OnnxModel", "load_onnx"),
)
