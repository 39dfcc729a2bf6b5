"""Labels held against their music: what is likely wrong, how surely, and what can be mended.

Each label is measured against the network's activation and against onsets, which no network has
touched: ``measure``, then ``judge``. What many labels share is found last: ``with_clocks``.
"""

from beatgrid.lazy import offer

__all__, __getattr__ = offer(
    __name__,
    evidence=("Evidence", "measure"),
    verdict=("KINDS", "Verdict", "judge"),
    clock=("Cluster", "find_clusters"),
    track=("AuditedLabel", "auditor"),
    run=("audit_tracks", "with_clocks", "write_corrections"),
)
