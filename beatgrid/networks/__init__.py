"""Features to logits: networks by name, their losses, and their checkpoints."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    crnn=("CRNN", "count_parameters"),
    losses=("masked_bce",),
    checkpoint=("LoadedModel", "load_model", "save_model"),
)
