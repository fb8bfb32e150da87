"""Expectations on writing: receipts complete and right, nothing twice, nothing that was not asked for."""
# ruff: noqa: D102, PT018  tests in all but the name of their file: their names are sentences, what they assert belongs together

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Outcome
from tests.contract.bench import Bench, assert_exact, hub_key
from tests.contract.subject import Case, Subject


class Writing:
    """Creates, updates, steps, look-ups."""

    subject: Subject

    @pytest.mark.promise(5)
    def test_a_created_record_is_what_was_sent_and_is_found_by_its_hub_key(self, bench: Bench, writable: Case) -> None:
        (receipt,) = bench.create(writable, [1])
        record = bench.one(writable, receipt.key)
        sent, kept = bench.normal(writable, writable.fields(1)), bench.normal(writable, record.payload)  # type: ignore[misc]
        found = bench.session.find(writable.stream, [hub_key(1), hub_key(2)])

        assert_exact(record.payload)
        assert _differences(sent, kept) == {}
        assert {key: item.key for key, item in found.items()} == {hub_key(1): receipt.key}

    @pytest.mark.promise(5)
    def test_a_hub_key_is_found_only_whole(self, bench: Bench, writable: Case) -> None:
        bench.create(writable, [1])

        for text in ("", hub_key(1)[:-1], hub_key(1) + "0", "%", "' or 1=1--", "') or ('1'='1", hub_key(1).replace("H", "_")):
            assert bench.session.find(writable.stream, [text]) == {}, text

    @pytest.mark.promise(5)
    def test_many_hub_keys_are_found_at_once(self, bench: Bench, writable: Case) -> None:
        receipts = bench.create(writable, range(1, 8))
        found = bench.session.find(writable.stream, [hub_key(n) for n in range(450)])

        assert {record.key for record in found.values()} == {receipt.key for receipt in receipts}

    @pytest.mark.promise(10)
    def test_writing_back_what_was_read_changes_nothing(self, bench: Bench, writable: Case) -> None:
        (receipt,) = bench.create(writable, [1])
        before = bench.one(writable, receipt.key)
        stream = bench.stream(writable.stream)
        able = {field.name for field in stream.fields if field.writable and field.type != "list"}
        sent = {key: value for key, value in before.payload.items() if key in able and key in writable.fields(1)}  # type: ignore[misc]
        (again,) = bench.write(writable, [bench.change(writable, 1, key=receipt.key, fields=sent)])
        after = bench.one(writable, receipt.key)

        assert again.outcome in (Outcome.WRITTEN, Outcome.UNCHANGED)
        volatile = {stream.modified}
        assert _differences(bench.normal(writable, before.payload), bench.normal(writable, after.payload), leaving=volatile) == {}

    def test_an_update_touches_only_what_it_names(self, bench: Bench, writable: Case) -> None:
        (receipt,) = bench.create(writable, [1])
        before = bench.normal(writable, bench.one(writable, receipt.key).payload)
        (updated,) = bench.write(writable, [bench.change(writable, 1, key=receipt.key, fields={writable.text_field: "只改这一处"})])
        after = bench.normal(writable, bench.one(writable, receipt.key).payload)

        assert (updated.outcome, updated.key) == (Outcome.WRITTEN, receipt.key)
        assert set(_differences(before, after, leaving={bench.stream(writable.stream).modified})) == {writable.text_field}
        assert after[writable.text_field] == "只改这一处"

    @pytest.mark.parametrize("value", [None, "", " 前后有空格 ", "零", "0", "㐂😀ＡＢ", 'a"b\\c\nd', "<b>&amp;</b>"], ids=repr)
    def test_absent_null_empty_and_zero_stay_four_values_for_texts(self, bench: Bench, writable: Case, value: Any) -> None:
        key = bench.create(writable, [1])[0].key
        bench.write(writable, [bench.change(writable, 1, key=key, fields={writable.text_field: "先前"})])
        (receipt,) = bench.write(writable, [bench.change(writable, 1, key=key, fields={writable.text_field: value})])
        stream, normalise = bench.stream(writable.stream), self.subject.connector.normalise

        assert receipt.outcome is Outcome.WRITTEN
        kept = bench.one(writable, key).payload.get(writable.text_field)
        assert normalise(stream, writable.text_field, kept) == normalise(stream, writable.text_field, value)

    @pytest.mark.promise(10)
    @pytest.mark.parametrize("value", ["0", "0.01", "-0.5", "123456789.12", "8.00"])
    def test_numbers_are_kept_exactly_and_zero_is_not_empty(self, bench: Bench, writable: Case, value: str) -> None:
        if not writable.number_field:
            pytest.skip("the stream has no writable number in its head")
        key = bench.create(writable, [1])[0].key
        (receipt,) = bench.write(writable, [bench.change(writable, 1, key=key, fields={writable.number_field: Decimal(value)})])
        stream, normalise = bench.stream(writable.stream), self.subject.connector.normalise
        kept = bench.one(writable, key).payload[writable.number_field]

        assert receipt.outcome is Outcome.WRITTEN
        assert isinstance(kept, Decimal | int)
        assert normalise(stream, writable.number_field, kept) == normalise(stream, writable.number_field, Decimal(value))

    def test_lines_are_changed_by_their_key_and_others_stay(self, bench: Bench, writable: Case) -> None:
        stream = bench.stream(writable.stream)
        if not stream.lines:
            pytest.skip("the stream has no lines")
        lines = stream.lines[0]
        key = bench.create(writable, [1])[0].key
        first, second = bench.one(writable, key).payload[lines.field]
        quantity = next(field for field in first if field.endswith(("FQty", "Quantity", "list_price")))
        row = {lines.key: second[lines.key], quantity: Decimal(7)}
        bench.write(writable, [bench.change(writable, 1, key=key, fields={lines.field: [row]})])
        after = bench.one(writable, key).payload[lines.field]

        assert [line[lines.key] for line in after] == [first[lines.key], second[lines.key]]
        assert [line[quantity] for line in after] == [first[quantity], 7]

    def test_one_bad_record_of_a_batch_does_not_stop_the_others(self, bench: Bench, writable: Case) -> None:
        assert writable.bad is not None and writable.fields is not None
        changes = [bench.change(writable, n) for n in range(1, 6)]
        changes[2] = replace(changes[2], fields=writable.bad(dict(changes[2].fields)))
        receipts = bench.write(writable, changes)

        assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * 2 + [Outcome.REJECTED] + [Outcome.WRITTEN] * 2
        assert receipts[2].why
        self._receipts_are_right(bench, writable, changes, receipts)

    @pytest.mark.promise(5)
    def test_a_partly_successful_batch_is_matched_by_key(self, bench: Bench, writable: Case) -> None:
        changes = [bench.change(writable, n) for n in range(1, 9)]
        bench.control.fault("partial_batch", 0.5, times=1, path=self.subject.write_path)
        bench.control.fault("shuffle_batch", times=1, path=self.subject.write_path)
        receipts = bench.write(writable, changes)

        assert {receipt.outcome for receipt in receipts} > {Outcome.WRITTEN}
        self._receipts_are_right(bench, writable, changes, receipts)

    def _receipts_are_right(self, bench: Bench, case: Case, changes: list[Change], receipts: list[Any]) -> None:
        found = bench.session.find(case.stream, [change.hub_key for change in changes])
        for change, receipt in zip(changes, receipts, strict=True):
            record = found.get(change.hub_key)
            if receipt.outcome is Outcome.WRITTEN:
                assert record is not None and record.key == receipt.key, change.id
            elif receipt.outcome in (Outcome.REJECTED, Outcome.BLOCKED, Outcome.RETRY):
                assert record is None, f"{change.id} was done although its receipt says {receipt.outcome}"

    def test_updating_a_record_that_is_not_there_is_no_create(self, bench: Bench, writable: Case) -> None:
        before = bench.keys_there(writable)
        (receipt,) = bench.write(writable, [bench.change(writable, 1, key="987654321012", fields={writable.text_field: "x"})])

        assert receipt.outcome in (Outcome.REJECTED, Outcome.BLOCKED)
        assert bench.keys_there(writable) == before

    def test_a_field_that_the_stream_does_not_have_is_rejected(self, bench: Bench, writable: Case) -> None:
        (receipt,) = bench.write(writable, [bench.change(writable, 1, fields={**writable.fields(1), "No_Such_Field": 1})])  # type: ignore[misc]

        assert receipt.outcome is Outcome.REJECTED
        assert "No_Such_Field" in receipt.why

    def test_each_step_is_done_once_and_says_so_when_it_is_done_already(self, bench: Bench, writable: Case) -> None:
        ladder = bench.stream(writable.stream).ladder
        if ladder is None:
            pytest.skip("the stream has no states to climb")
        key = bench.create(writable, [1])[0].key
        state = str(bench.one(writable, key).payload[ladder.field])
        goal = ladder.order[-1]
        while (step := ladder.next_step(state, goal)) is not None:
            change = Change("s", step, hub_key(1), key, org=writable.org)
            first, second = bench.write(writable, [change]) + bench.write(writable, [change])
            assert (first.outcome, second.outcome) == (Outcome.WRITTEN, Outcome.UNCHANGED), step
            state = str(bench.one(writable, key).payload[ladder.field])
            assert state == ladder.after[step]
        assert state == goal

    def test_steps_of_a_batch_are_receipted_one_by_one(self, bench: Bench, writable: Case) -> None:
        ladder = bench.stream(writable.stream).ladder
        if ladder is None:
            pytest.skip("the stream has no states to climb")
        keys = [receipt.key for receipt in bench.create(writable, [1, 2, 3])]
        step = ladder.steps[ladder.order[0]]
        bench.write(writable, [Change("x", step, "", keys[1])])
        receipts = bench.write(writable, [*(Change(str(key), step, "", key) for key in keys), Change("gone", step, "", "987654321012")])

        assert [receipt.outcome for receipt in receipts[:3]] == [Outcome.WRITTEN, Outcome.UNCHANGED, Outcome.WRITTEN]
        assert receipts[3].outcome in (Outcome.REJECTED, Outcome.UNCERTAIN)

    @pytest.mark.promise(8)
    def test_a_delete_is_receipted_and_done_once(self, bench: Bench, writable: Case) -> None:
        key = bench.create(writable, [1])[0].key
        change = Change("d", "delete", hub_key(1), key)

        assert bench.write(writable, [change])[0].outcome is Outcome.WRITTEN
        assert key not in bench.keys_there(writable)
        assert bench.write(writable, [change])[0].outcome is Outcome.UNCHANGED


def _differences(one: dict[str, Any], other: dict[str, Any], leaving: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    """Paths of `one` whose values differ in `other`; lines are compared one by one, in order."""
    found: dict[str, Any] = {}
    for key, value in one.items():
        if key in leaving:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = other.get(key) or []
            if len(rows) != len(value):
                found[key] = (len(value), len(rows))
            for number, (row, kept) in enumerate(zip(value, rows, strict=False)):
                found |= {f"{key}.{number}.{name}": pair for name, pair in _differences(row, kept).items()}
        elif value != other.get(key):
            found[key] = (value, other.get(key))
    return found
