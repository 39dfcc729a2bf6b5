"""The error shown to a user: one line that names the culprit, the value and the remedy."""


class BeatgridError(ValueError):
    """A mistake in the user's input; the entry scripts print it without a traceback."""


class AudioError(BeatgridError):
    """Audio that cannot be decoded or holds nothing to analyse."""


class LabelError(BeatgridError):
    """A label file that does not describe a beatgrid."""


class CheckpointError(BeatgridError):
    """A file that is no checkpoint of this project, or one of another format."""
