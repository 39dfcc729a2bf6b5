"""Values that a JSON or YAML file may hold where another was meant."""

from __future__ import annotations

import math

from hypothesis import strategies as st

_letters = st.characters(codec=None)  # lone surrogates and control characters too
texts = st.one_of(
    st.text(_letters, max_size=20),
    st.sampled_from(["", "nan", "null", "../../etc/passwd", "a" * 300, "\x1b[31m", "a\nb", "${x}"]),
)
numbers = st.one_of(
    st.sampled_from(
        [0, -1, 1, 2, 10**9, -(10**9), 2**63, 10**400, -0.0, 1e-320, 1e308, math.nan, math.inf]
    ),
    st.integers(-1000, 1000),
    st.floats(),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=6,
)
"""Anything that JSON can say."""
