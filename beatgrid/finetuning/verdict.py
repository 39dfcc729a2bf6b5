"""What a fine-tuning brought: on the user's held-out tracks, elsewhere, and what to use now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from beatgrid.evaluation import TrackScore, summarise
from beatgrid.evaluation.paired import (
    SIGNIFICANCE,
    Pairing,
    bootstrap_difference,
    compare_pairs,
    mcnemar_exact,
)
from beatgrid.finetuning.decision import Decision
from beatgrid.output.markdown import markdown_table

KEYS = {
    "level_ok": "right level",
    "grid_ok_10": "Grid-OK@10 ms",
    "grid_ok_21": "Grid-OK@21.5 ms",
    "offbeat": "off-beat",
    "downbeat_accuracy": "bars",
}
# With fewer tracks one more or less is ten points: the counts are said, and no better or worse.
MIN_TRACKS_TO_TELL = 10
MAX_NAMED = 20


@dataclass(frozen=True)
class Comparison:
    """One set of tracks before and after.

    Attributes:
        names: Of the tracks.
        before: Scores of the model before.
        after: Scores of the fine-tuned one, in the same order.
    """

    names: tuple[str, ...]
    before: tuple[TrackScore, ...]
    after: tuple[TrackScore, ...]

    @property
    def pairing(self) -> Pairing:
        """After against before, by Grid-OK@21.5."""
        after, before = ([s.grid_ok_21 for s in side] for side in (self.after, self.before))
        return compare_pairs(after, before)

    @property
    def is_enough(self) -> bool:
        """There are enough tracks to call a difference one."""
        return len(self.names) >= MIN_TRACKS_TO_TELL

    def part(self, chosen: Sequence[bool]) -> Comparison:
        """Return some of the tracks."""

        def kept(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(v for v, is_in in zip(values, chosen, strict=True) if is_in)

        return Comparison(kept(self.names), kept(self.before), kept(self.after))

    def describe(self, place: str) -> str:
        """Say in a clause what became of the set, ``place`` being where: "on yours"."""
        right = [sum(s.grid_ok_21 for s in side) for side in (self.before, self.after)]
        if not self.is_enough:
            return (
                f"{place} {right[0]} -> {right[1]} of {len(self.names)} held-out tracks right, "
                "too few to tell"
            )
        pairing = self.pairing
        assert pairing.interval is not None
        points = 100 * pairing.difference
        low, high = (100 * end for end in pairing.interval)
        shares = [100 * count / len(self.names) for count in right]
        figures = (
            f"{shares[0]:.0f} -> {shares[1]:.0f} % right grids of {len(self.names)}, "
            f"{low:+.0f} .. {high:+.0f} points"
        )
        if pairing.is_better:
            return f"better {place} by {points:.0f} points ({figures})"
        if pairing.is_worse:
            return f"worse {place} by {-points:.0f} points ({figures})"
        if not pairing.n_first_only and not pairing.n_second_only:
            return f"unchanged {place} ({figures})"
        return f"no clear difference {place} ({figures})"

    def figures(self) -> dict[str, Any]:
        """Return the summaries before and after, with the intervals of their differences."""
        before, after = summarise(self.before), summarise(self.after)
        found: dict[str, Any] = {"n_tracks": len(self.names)}
        for key in KEYS:
            difference = None
            if before[key] is not None and after[key] is not None:
                difference = after[key] - before[key]  # type: ignore[operator]
            found[key] = {
                "before": before[key],
                "after": after[key],
                "difference": difference,
                "interval": bootstrap_difference(self.after, self.before, key),
            }
        pairing = self.pairing
        found |= {"won": pairing.n_first_only, "lost": pairing.n_second_only}
        return {**found, "p_value": pairing.p_value}

    def moved(self, won: bool) -> list[str]:
        """Return the names of the tracks that are right only after, or only before."""
        pairs = zip(self.names, self.before, self.after, strict=True)
        return [n for n, b, a in pairs if b.grid_ok_21 != a.grid_ok_21 and a.grid_ok_21 == won]


@dataclass(frozen=True)
class Verdict:
    """All that is said at the end of a fine-tuning.

    Attributes:
        own: The user's held-out tracks.
        elsewhere: The fixed rendered pieces.
        unrehearsed: Those of genres that were not rehearsed.
        decision: What the tracks to choose by said.
        before: Name of the model before, as ``ckpt=`` takes it.
        checkpoint: File of the model to use.
        after: File of what was learnt, taken or not.
        notes: Further sentences: how the tracks were divided, what took how long.
    """

    own: Comparison
    elsewhere: Comparison
    unrehearsed: Comparison
    decision: Decision
    before: str
    checkpoint: str
    after: str
    notes: tuple[str, ...] = ()

    @property
    def takes_tuned(self) -> bool:
        """Use the fine-tuned model: decided so, confirmed by all held-out tracks of the user's."""
        return self.decision.is_taken and not self._objection

    @property
    def _objection(self) -> str:
        for side, where in ((self.own, "your held-out tracks"), (self.elsewhere, "other music")):
            if side.pairing.is_worse:
                return f"it is worse on {where}"
        # Few tracks to choose by are right by luck: those to judge by count as well.
        won = self.decision.won + self.own.pairing.n_first_only
        lost = self.decision.lost + self.own.pairing.n_second_only
        if won <= lost or mcnemar_exact(won, lost) >= SIGNIFICANCE:
            return (
                f"of all your held-out tracks {won} are won and {lost} lost, which may be chance: "
                "label more"
            )
        return ""

    def sentences(self) -> list[str]:
        """Return the verdict, a line each."""
        what = f"{self.own.describe('on yours')}; {self.elsewhere.describe('elsewhere')}"
        if self.takes_tuned:
            use = f"take it: ckpt={self.checkpoint}, or ckpt=latest ({self.decision.reason})"
        else:
            reason = self._objection if self.decision.is_taken else self.decision.reason
            use = (
                f"no better: keep ckpt={self.before}, which ckpt=latest now is as well ({reason}); "
                f"what was learnt is in {self.after}"
            )
        return [what, use]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "use": "tuned" if self.takes_tuned else "before",
            "verdict": self.sentences(),
            "decision": asdict(self.decision),
            "own": self.own.figures(),
            "elsewhere": self.elsewhere.figures(),
            "unrehearsed": self.unrehearsed.figures(),
            "notes": list(self.notes),
        }

    def to_markdown(self) -> str:
        """Return it as a page."""
        blocks = ["# Fine-tuning", *(s[0].upper() + s[1:] + "." for s in self.sentences())]
        for title, side in (
            (f"Your held-out tracks ({len(self.own.names)})", self.own),
            (f"Elsewhere: rendered pieces, fixed ({len(self.elsewhere.names)})", self.elsewhere),
            (f"Genres not rehearsed among them ({len(self.unrehearsed.names)})", self.unrehearsed),
        ):
            if not side.names:
                continue
            blocks += [f"## {title}", _table(side.figures())]
            for word, won in (("Won", True), ("Lost", False)):
                if names := side.moved(won):
                    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
                    blocks.append(f"{word}: {', '.join(names[:MAX_NAMED])}{more}.")
        return (
            "\n\n".join([*blocks, "## How", "\n".join(f"- {note}" for note in self.notes)]) + "\n"
        )


def _table(figures: Mapping[str, Any]) -> str:
    rows = []
    for key, name in KEYS.items():
        entry = figures[key]
        interval = entry["interval"]
        shown = [
            "-" if value is None else f"{100 * value:.1f}"
            for value in (entry["before"], entry["after"])
        ]
        spread = "-" if interval is None else " .. ".join(f"{100 * end:+.1f}" for end in interval)
        rows.append([name, *shown, spread])
    return "\n".join(markdown_table(["%", "before", "after", "difference, 95 %"], rows))
