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


# By package: the extra that installs it, where that is not ``train``.
_EXTRAS = {
    **{"matplotlib": "pictures", "onnx": "onnx", "onnxscript": "onnx", "ray": "cluster"},
    **{"mutagen": "tags", "mirdata": "mirdata"},
}


class MissingPackageError(BeatgridError):
    """A package that only some uses need and that is not installed.

    Args:
        what: What needs it.
        name: How it is imported; a module within a package is what an installed one lacks.
        extra: The extra that brings it, where it is not the one that first names the package.
    """

    def __init__(self, what: str, name: str | None, extra: str | None = None) -> None:
        package, _, module = str(name).partition(".")
        extra = extra or _EXTRAS.get(package, "train")
        if module:
            needed = f"a later {package}, one with {name}: pip install --upgrade"
        else:
            needed = f"{package}, which is not installed: pip install"
        super().__init__(f"{what}: needs {needed} 'beatgrid[{extra}]'")


class CheckpointError(BeatgridError):
    """A file that is no checkpoint of this project, or one of another format."""
