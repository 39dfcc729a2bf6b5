"""Damage to bytes as hypothesis strategies: what disks, networks and hostile people do to files."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

# Values at which sizes, counts and rates overflow, become negative or stand for "unknown".
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)
# Most fields that a parser believes stand in here.
_HEADER_BYTES = 600


@dataclass(frozen=True)
class Mutation:
    """One change.

    Attributes:
        kind: "flip" a bit, "cut" bytes out, "truncate", "insert" noise, "duplicate" or "zero" a
            stretch, or put an "extreme" number into a field.
        at: Where: a byte of the header, or from 0 to 1 a share of the file.
        n_bytes: How many it concerns; for a field 1, 2, 4 or 8.
        value: The bit, the byte of noise or the index of the number.
        order: Byte order of a field.
    """

    kind: str
    at: int | float
    n_bytes: int = 1
    value: int = 0
    order: str = "big"

    def __call__(self, data: bytes) -> bytes:
        """Return the changed bytes."""
        at = self.at if isinstance(self.at, int) else int(self.at * len(data))
        at = min(at, max(len(data) - 1, 0))
        before, stretch, after = data[:at], data[at : at + self.n_bytes], data[at + self.n_bytes :]
        match self.kind:
            case "flip":
                flipped = bytes(byte ^ 1 << self.value % 8 for byte in stretch[:1])
                return before + flipped + data[at + 1 :]
            case "cut":
                return before + after
            case "truncate":
                return before
            case "insert":
                noise = bytes((self.value * 167 + i * 89) % 251 for i in range(self.n_bytes))
                return before + noise + stretch + after
            case "duplicate":
                return before + stretch + stretch + after
            case "zero":
                return before + bytes(len(stretch)) + after
            case "extreme":
                number = _EXTREMES[self.value % len(_EXTREMES)] % 256**self.n_bytes
                field = number.to_bytes(self.n_bytes, "big" if self.order == "big" else "little")
                return before + field + after
        raise ValueError(self.kind)


_places = st.one_of(st.integers(0, _HEADER_BYTES), st.floats(0, 1, exclude_max=True))
_mutation = st.one_of(
    st.builds(Mutation, st.just("flip"), _places, st.just(1), st.integers(0, 7)),
    st.builds(Mutation, st.sampled_from(["cut", "duplicate", "zero"]), _places, st.integers(1, 64)),
    st.builds(Mutation, st.sampled_from(["cut", "zero"]), _places, st.integers(64, 8192)),
    st.builds(Mutation, st.just("insert"), _places, st.integers(1, 4096), st.integers(0, 250)),
    st.builds(Mutation, st.just("truncate"), _places),
    st.builds(
        Mutation,
        st.just("extreme"),
        st.one_of(st.integers(0, _HEADER_BYTES), st.floats(0, 1, exclude_max=True)),
        st.sampled_from([1, 2, 4, 8]),
        st.integers(0, len(_EXTREMES) - 1),
        st.sampled_from(["big", "little"]),
    ),
)

mutations = st.lists(_mutation, min_size=1, max_size=4)
"""Between one change to a file and four."""


def damaged(data: bytes, changes: list[Mutation]) -> bytes:
    """Return the bytes after all changes, one after the other."""
    for change in changes:
        data = change(data)
    return data
