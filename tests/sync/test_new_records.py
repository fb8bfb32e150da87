"""The short way for new records says what the long way says."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from sync import collector
from sync.decide import Source, begin_set, merge_set
from sync.policy import EntityPolicy

LINES = st.dictionaries(
    st.text(min_size=1, max_size=4), st.dictionaries(st.sampled_from(["quantity", "note", "shipped_quantity"]), st.integers()), max_size=4
)


def policy(owner: str) -> EntityPolicy:
    owners = {"lines": (owner,), "lines.quantity": (owner,), "lines.note": ("zoho", "kingdee"), "lines.shipped_quantity": ("hub",)}
    return EntityPolicy("order", owners, derived=frozenset({"lines.shipped_quantity"}))


@given(lines=LINES, owner=st.sampled_from(["kingdee", "zoho", "hub"]), says=st.booleans())
def test_law_lines_of_a_new_record_are_those_of_a_merge_with_nothing(lines: dict[str, dict[str, int]], owner: str, *, says: bool) -> None:
    for system in ("kingdee", "hub"):
        source = Source(system, 3, "1", {}, {"lines": lines} if says else {})
        short, long = count(), count()

        begun = begin_set(policy(owner), "lines", source, lambda short=short: str(next(short)))  # type: ignore[misc]
        merged = merge_set(policy(owner), "lines", [source], {}, lambda long=long: str(next(long)))  # type: ignore[misc]

        assert begun == merged


def test_the_collector_works_again_after_the_last_of_overlapping_holders() -> None:
    import gc

    with collector.held_back(), collector.held_back():
        held = gc.isenabled()
    assert (held, gc.isenabled()) == (False, True)
