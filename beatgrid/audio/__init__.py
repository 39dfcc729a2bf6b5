"""Audio files to samples to features: decoders, log-mel, and its cache on disk."""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    reader=("Audio", "AudioInfo", "AudioReader", "load_audio", "open_audio"),
    extract=("file_features",),
    features=("FeatureSpec", "log_mel"),
    cache=("FeatureCache", "StoredFeatures"),
)
