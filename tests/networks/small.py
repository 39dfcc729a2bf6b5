"""Arguments of a small network of each kind, and what a module of them needs beside."""

FRONT_END = {
    "channels": [4],
    "kernel_size": [3, 3],
    "frequency_strides": [2],
    "frequency_pools": [1],
    "projection_size": 6,
    "dropout": 0.0,
    "n_outputs": 2,
    "tempo_size": 0,
    "input_mean_db": -40.0,
    "input_scale_db": 20.0,
}
SMALL = {
    "crnn": FRONT_END | {"hidden_size": 5, "num_layers": 2},
    "tcn": FRONT_END | {"tcn_layers": 3, "tcn_kernel_size": 5},
    "tcn_lstm": FRONT_END
    | {"tcn_layers": 3, "tcn_kernel_size": 5, "hidden_size": 5, "num_layers": 1},
}
"""One per entry of the table of networks: a test that all are here names a new one."""

TRAINING = {
    "loss": "bce",
    "pos_weight": 1.0,
    "downbeat_weight": 0.5,
    "focal_gamma": 0.0,
    "optimizer": "adam",
    "lr": 1e-3,
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "tempo_weight": 0.1,
}


def module_arguments(name: str, **changes) -> dict:
    """Arguments of a BeatModule (but for its features) with a small network."""
    return {"network": name, **SMALL[name], **TRAINING, **changes}
