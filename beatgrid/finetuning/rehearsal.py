"""Rendered music against forgetting: to rehearse, to choose by and to judge by.

```
DIR/FEATURES/learn/rehearsal       trained on beside the user's tracks, as many hours as asked for
DIR/FEATURES/choose/rehearsal      other seeds: chooses the epoch and whether the result is taken
DIR/FEATURES/elsewhere/rehearsal   fixed: every genre once, those that nobody rehearses too
```

``FEATURES`` stands for the feature spec. Pieces follow from their seeds, so that a folder is made
once and shared by all runs; they are ``beatgrid.rendering.sources.rehearsal``'s.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from beatgrid.audio.features import FeatureSpec
from beatgrid.data.rendered import RenderedSource
from beatgrid.data.track import Track
from beatgrid.errors import BeatgridError
from beatgrid.files import check_writable
from beatgrid.rendering.batch import render_missing
from beatgrid.rendering.generator import ALL_GENRES
from beatgrid.rendering.sources.rehearsal import DURATION_S
from beatgrid.rendering.store import Job, jobs_for, prepare_folder

SOURCE = "rehearsal"
# Below the held-out seeds, far above those that are learnt from.
FIRST_SEED_TO_CHOOSE = 500_000
N_TO_CHOOSE = 54


@dataclass(frozen=True)
class Rehearsal:
    """Folders of rendered music for one feature spec.

    Attributes:
        root: ``rehearsal_dir`` of the configuration.
        features: Of the network.
        hours: How much is rehearsed; 0 for none. The other folders are always there.
    """

    root: Path
    features: FeatureSpec
    hours: float

    @property
    def learn(self) -> Path:
        """Where the pieces to train on are."""
        return self._folder("learn") / SOURCE

    @property
    def choose(self) -> Path:
        """Where the pieces to choose by are."""
        return self._folder("choose") / SOURCE

    @property
    def elsewhere(self) -> Path:
        """Where the fixed pieces to judge by are."""
        return self._folder("elsewhere") / SOURCE

    def render(self, num_workers: int) -> bool:
        """Render what is missing, with a line of progress for each folder.

        Args:
            num_workers: Processes; 0: in this one.

        Returns:
            Whether anything was missing.

        Raises:
            BeatgridError: The folder cannot be written to, or a piece cannot be rendered.
        """
        learn = [] if self.hours == 0 else self._jobs("learn", self.hours)
        choose = self._jobs("choose", _hours(N_TO_CHOOSE), first_seed=FIRST_SEED_TO_CHOOSE)
        elsewhere = self._jobs("elsewhere", _hours(len(ALL_GENRES)), held_out=True)
        was_missing = False
        for jobs in (learn, choose, elsewhere):
            if all(job.is_done for job in jobs):
                continue
            was_missing = True
            check_writable(self.root, "finetune.rehearsal_dir")
            prepare_folder(jobs[0])
            if failed := render_missing(jobs, num_workers):
                raise BeatgridError(
                    f"finetune.rehearsal_dir={self.root}: {failed} pieces could not be rendered, "
                    "see above; start again, what is there stays"
                )
        return was_missing

    def tracks_elsewhere(self) -> list[Track]:
        """Return the fixed pieces to judge by."""
        return list(RenderedSource(self.elsewhere).tracks(self.features))

    def _jobs(
        self, part: str, hours: float, held_out: bool = False, first_seed: int = 0
    ) -> list[Job]:
        return jobs_for(
            self._folder(part),
            SOURCE,
            hours,
            self.features,
            held_out=held_out,
            first_seed=first_seed,
        )

    def _folder(self, part: str) -> Path:
        spec = json.dumps(self.features.to_dict(), sort_keys=True).encode()
        return self.root / hashlib.blake2b(spec, digest_size=6).hexdigest() / part


def _hours(n_pieces: int) -> float:
    """Return an amount that is reached within the last of so many pieces, not at its edge."""
    return (n_pieces - 0.5) * DURATION_S / 3600
