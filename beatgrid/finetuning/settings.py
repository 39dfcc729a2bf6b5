"""What a fine-tuning is asked for beside data, model and trainer."""

from __future__ import annotations

from dataclasses import dataclass

from beatgrid.checks import Name, NotNegative, Positive, Processes, check_fields


@dataclass(frozen=True)
class FineTuneSettings:
    """The section ``finetune`` of a training's configuration; ``conf/experiment`` has its defaults.

    Attributes:
        rehearsal_dir: Folder of the rendered music; made if missing, shared by runs, safe to
            delete.
        rehearsal_hours: How much of it is trained on beside the user's tracks.
        render_workers: Processes that render it.
        pull: How strongly ranker and confidence are held near to those before, in tracks.
    """

    rehearsal_dir: Name
    rehearsal_hours: NotNegative
    render_workers: Processes
    pull: Positive

    def __post_init__(self) -> None:
        check_fields(self)
