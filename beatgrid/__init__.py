"""beatgrid: train and run networks that find the constant-tempo beatgrid of a track."""

__version__ = "0.1.0"
