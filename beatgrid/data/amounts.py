"""How much an epoch holds of the labelled folder and of other sources, whatever there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from beatgrid.data.track import Track


def in_amounts(
    tracks: Sequence[Track],
    n_own: int,
    own_share: float | None,
    epoch_hours: float | None,
    crop_s: float | None,
) -> list[Track]:
    """Return tracks weighed so that an epoch's crops come in given amounts.

    Args:
        tracks: Those of the labelled folder, then the others'; each with weight and features.
        n_own: How many the labelled folder has.
        own_share: Share of the crops that are the labelled folder's; None leaves it. Where one
            side has no track the other has all.
        epoch_hours: Length of the crops of an epoch; None: the sum stays as it is.
        crop_s: Length of a crop; None for whole tracks, which come once each: nothing is changed.
    """
    if crop_s is None:
        return list(tracks)
    # As ``sampler.CropSampler`` counts: a track of weight 1 gives as many crops as fit.
    crops = [t.weight * max(1.0, t.audio_duration_s / crop_s) for t in tracks]
    own, other = sum(crops[:n_own]), sum(crops[n_own:])
    total = own + other
    wanted = total if epoch_hours is None else epoch_hours * 3600 / crop_s
    if own_share is None or not own or not other:
        factors = (wanted / total, wanted / total)
    else:
        factors = (own_share * wanted / own, (1 - own_share) * wanted / other)
    return [replace(t, weight=t.weight * factors[i >= n_own]) for i, t in enumerate(tracks)]
