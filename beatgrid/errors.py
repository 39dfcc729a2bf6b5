"""The error shown to a user: one line that names the culprit, the value and the remedy."""


class BeatgridError(ValueError):
    """A mistake in the user's input, or several; the commands print a line for each.

    Args:
        *lines: What is wrong, one line for each mistake.
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class AudioError(BeatgridError):
    """Audio that cannot be decoded or holds nothing to analyse."""


class LabelError(BeatgridError):
    """A label file that does not describe a beatgrid."""


class CheckpointError(BeatgridError):
    """A file that is no checkpoint of this project, or one of another format."""
