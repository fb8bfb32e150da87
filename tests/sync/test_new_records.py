"""The short way for new records says what the long way says."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from canonical.ids import is_hub_key, new_hub_keys
from connectors.base import Record
from ledger.bulk import from_json
from sync import collector, observing
from sync.decide import Source
from sync.decide_sets import begin_rows, merge_set
from sync.policy import EntityPolicy
from sync.references import References
from tests.sync.stage import Stage

LINES = st.dictionaries(
    st.text(min_size=1, max_size=4), st.dictionaries(st.sampled_from(["quantity", "note", "shipped_quantity"]), st.integers()), max_size=4
)


def policy(owner: str) -> EntityPolicy:
    owners = {"lines": (owner,), "lines.quantity": (owner,), "lines.note": ("zoho", "kingdee"), "lines.shipped_quantity": ("hub",)}
    return EntityPolicy("order", owners, derived=frozenset({"lines.shipped_quantity"}))


@given(lines=LINES)
def test_law_lines_of_a_new_record_are_those_of_a_merge_with_nothing(lines: dict[str, dict[str, int]]) -> None:
    owned, short, long = policy("kingdee"), count(), count()

    merged = merge_set(owned, "lines", [Source("kingdee", 3, "1", {}, {"lines": lines})], {}, lambda: str(next(long)))
    begun = begin_rows({key: {**values} for key, values in lines.items()}, owned.derived_of("lines"), "3", lambda: str(next(short)))

    assert begun == merged


def test_the_collector_works_again_after_the_last_of_overlapping_holders() -> None:
    import gc

    with collector.held_back(), collector.held_back():
        held = gc.isenabled()
    assert (held, gc.isenabled()) == (False, True)


def test_hub_keys_that_a_page_draws_together_are_well_formed_and_all_different() -> None:
    keys = new_hub_keys(5000)

    assert all(map(is_hub_key, keys))
    assert len(set(keys)) == len(keys)


def test_documents_that_began_alone_are_what_merging_makes_of_them(stage: Stage) -> None:
    stage.read()
    state = stage.hub.streams["kingdee", "sales_orders"]

    with stage.hub.transaction() as db:
        db.execute("SELECT key, org, payload, modified FROM observed WHERE stream_id = %s", [state.id])
        records = [Record(row["key"], from_json(row["payload"]), row["org"], row["modified"]) for row in db]
        done = observing.observe(stage.hub, db, state, records, References(stage.hub, "kingdee"), again=True)

    assert done.read > 0
    assert (done.new, done.changed, done.merged) == (0, 0, 0)


def test_a_page_among_known_records_finds_them_and_one_beyond_them_is_new(stage: Stage) -> None:
    stage.read()
    state = stage.hub.streams["kingdee", "sales_orders"]
    keys = [row["key"] for row in stage.rows("SELECT key FROM observed WHERE stream_id = %s", state.id)]

    with stage.hub.transaction() as db:
        among = observing.of_keys(db, "observed", "key", state, [min(keys) + "0", max(keys)])
        beyond = observing.of_keys(db, "observed", "key", state, ["~客户", "~~"])
        nothing = observing.of_keys(db, "observed", "key", state, [])

    assert among == [(max(keys),)]
    assert beyond == nothing == []
