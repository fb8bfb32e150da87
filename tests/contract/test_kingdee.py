"""The contract over Kingdee, and the traps that only Kingdee has."""
# ruff: noqa: D102  tests in classes: their names are sentences

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Outcome, Window
from connectors.errors import CallFailed, Refused, SchemaChanged, Uncertain
from connectors.transport import TooLarge
from sandbox.core.server import serving
from sandbox.erp_kingdee import Kingdee, Settings
from tests.contract import contract
from tests.contract.bench import Bench, hub_key
from tests.contract.subject import Case, Control, Native
from tests.contract.subjects.kingdee import order, order_fields, subject

CUSTOMERS, ORDERS = subject.cases
LINES = "FSaleOrderEntry"

TestKingdee = contract("kingdee")


class TestTraps:
    """What kingdee.md warns of."""

    subject = subject

    @pytest.fixture
    def tenant(self, request: pytest.FixtureRequest) -> Iterator[Bench]:
        """A tenant with its own switches: `@pytest.mark.parametrize("tenant", [Settings(...)], indirect=True)`."""
        with serving(Kingdee(7, None, request.param)) as server:
            control = Control(server.control_url)
            subject.base(control)
            made = Bench(subject, control, server.vendor.credentials(server.url))
            yield made
            made.close()

    @pytest.mark.promise(1)
    def test_an_audit_is_read_although_it_moves_no_change_time(self, bench: Bench) -> None:
        key = "900001"
        bench.load(ORDERS, [1], "2026-01-05T08:00:00")
        bench.write(ORDERS, [Change("s", "submit", "", key)])
        bench.put(ORDERS, [2])
        _, cursor = bench.read(ORDERS)
        before = bench.one(ORDERS, key)
        bench.write(ORDERS, [Change("a", "audit", "", key)])
        after = {record.key: record for record in bench.read(ORDERS, cursor)[0]}[key]

        assert after.payload["FModifyDate"] == before.payload["FModifyDate"]
        assert after.payload["FDocumentStatus"] == "C"
        assert after.modified > before.modified

    @pytest.mark.promise(1)
    def test_an_audit_of_an_old_order_is_read_when_much_else_changed(self, bench: Bench) -> None:
        bench.load(ORDERS, range(1, 4), "2026-01-05T08:00:00")
        bench.write(ORDERS, [Change("x", "submit", "", "900002")])
        bench.put(ORDERS, [90])
        _, cursor = bench.read(ORDERS)
        bench.write(ORDERS, [Change("x", "audit", "", "900002")])
        bench.put(ORDERS, range(10, 30))
        records = {record.key: record for record in bench.read(ORDERS, cursor)[0]}

        assert records["900002"].payload["FDocumentStatus"] == "C"
        assert len(records) >= 21

    def test_records_that_nobody_ever_changed_are_read_by_their_creation(self, bench: Bench) -> None:
        bench.put(CUSTOMERS, [1])
        _, cursor = bench.read(CUSTOMERS)
        stamp = str(cursor["since"])[:19]
        bench.control.load({"customers": [{**CUSTOMERS.stamped(2, stamp), "FModifyDate": None}]})

        assert "900002" in {record.key for record in bench.read(CUSTOMERS, cursor)[0]}

    def test_a_document_with_more_lines_than_a_page_has_rows_is_whole(self, bench: Bench) -> None:
        many = order(2)
        many[LINES] = many[LINES] * 15
        bench.put(ORDERS, [1])
        (made,) = bench.control.put("sales_orders", many)
        bench.put(ORDERS, [3])
        records, cursor = bench.read(ORDERS)
        again = bench.read(ORDERS, cursor)[0]

        assert [len(record.payload[LINES]) for record in records] == [3, 45, 3]
        assert {record.key: len(record.payload[LINES]) for record in again}[str(made["FID"])] == 45

    def test_pages_that_are_too_large_are_asked_for_in_parts(self, bench: Bench) -> None:
        bench.put(ORDERS, range(1, 60))
        few = bench.start(page_size=100, max_bytes=40_000)
        records = [record for page in few.read("sales_orders", None) for record in page.records]

        assert len({record.key for record in records}) == len(records) == 59
        assert {len(record.payload[LINES]) for record in records} == {3}
        with pytest.raises(TooLarge, match="page size"):
            list(bench.start(max_bytes=2_000).read("sales_orders", None))

    @pytest.mark.parametrize("tenant", [Settings(max_limit=20)], indirect=True)
    def test_a_page_that_the_server_cuts_short_without_saying_is_not_taken_for_the_last(self, tenant: Bench) -> None:
        tenant.put(ORDERS, range(1, 31))
        session = tenant.start(page_size=2000)
        records = [record for page in session.read("sales_orders", None) for record in page.records]
        listed = [key for page in session.keys("sales_orders", Window(by="all")) for _, key in page]

        assert len(records) == len(listed) == 30
        assert {len(record.payload[LINES]) for record in records} == {3}

    @pytest.mark.parametrize("tenant", [Settings(visible_orgs=frozenset({"200"}))], indirect=True)
    def test_organisations_that_the_user_may_not_see_are_named(self, tenant: Bench) -> None:
        findings = tenant.start(organisations=["100", "999"]).check()
        (finding,) = [finding for finding in findings if finding.name == "organisations"]

        assert not finding.ok
        assert "999" in finding.detail
        assert finding.next_step

    def test_a_missing_custom_field_is_named_with_the_next_step(self, bench: Bench) -> None:
        findings = bench.start(custom_fields={"F_HUB_KEY": "F_NOPE_KEY"}).check()
        wrong = {finding.name: finding for finding in findings if not finding.ok}

        assert {name.partition(":")[0] for name in wrong} == {
            "customers", "contacts", "products", "price_lists", "sales_orders", "other_receivables",
        }  # fmt: skip
        fields = wrong["customers: fields of BD_Customer"]
        assert "F_NOPE_KEY" in fields.detail
        assert "BOS" in fields.next_step

    @pytest.mark.promise(1)
    def test_an_unknown_key_fails_the_read_and_is_named(self, bench: Bench) -> None:
        session = bench.start(custom_fields={"F_HUB_KEY": "F_NOPE_KEY"})

        with pytest.raises(SchemaChanged, match="F_NOPE_KEY"):
            list(session.read("customers", None))

    def test_a_custom_field_left_out_is_neither_read_nor_written(self, bench: Bench) -> None:
        bench.session = bench.start(custom_fields={"F_HUB_LEVEL": ""})
        (receipt,) = bench.create(CUSTOMERS, [1])

        assert "F_HUB_LEVEL" not in bench.one(CUSTOMERS, receipt.key).payload

    def test_only_the_chosen_organisations_are_read(self, bench: Bench) -> None:
        bench.put(CUSTOMERS, [1])
        other = {**CUSTOMERS.native(2), "FCreateOrgId": {"FNumber": "200"}, "FUseOrgId": {"FNumber": "200"}}
        bench.control.put("customers", other)
        chosen = bench.start(organisations=["200"])

        assert {record.org for page in chosen.read("customers", None) for record in page.records} == {"200"}
        assert {org for page in chosen.keys("customers", Window(by="all")) for org, _ in page} == {"200"}

    @pytest.mark.promise(5)
    def test_a_number_that_another_record_has_is_rejected(self, bench: Bench) -> None:
        bench.put(ORDERS, [1])
        (receipt,) = bench.write(ORDERS, [bench.change(ORDERS, 2, fields={**order_fields(2), "FBillNo": "XS000001"})])

        assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "kingdee/taken")
        assert "XS000001" in receipt.why

    @pytest.mark.promise(5)
    def test_our_own_create_repeated_is_uncertain_and_names_the_record(self, bench: Bench) -> None:
        fields = {**order_fields(1), "FBillNo": "HUB-2026-000001"}
        (first,) = bench.write(ORDERS, [bench.change(ORDERS, 1, fields=fields)])
        (second,) = bench.write(ORDERS, [bench.change(ORDERS, 1, fields=fields)])

        assert (second.outcome, second.key) == (Outcome.UNCERTAIN, first.key)
        assert len(bench.keys_there(ORDERS)) == 1

    def test_an_audited_document_is_not_fought_over(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        for step in ("submit", "audit"):
            bench.write(ORDERS, [Change("s", step, "", key)])
        (receipt,) = bench.write(ORDERS, [bench.change(ORDERS, 1, key=key, fields={"FNote": "改"})])
        (deleted,) = bench.write(ORDERS, [Change("d", "delete", "", key)])

        assert (receipt.outcome, deleted.outcome) == (Outcome.BLOCKED, Outcome.BLOCKED)
        assert "审核" in receipt.why

    def test_a_record_that_a_user_holds_is_blocked(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        bench.control.fault("lock", times=1, path="Save")
        (receipt,) = bench.write(ORDERS, [bench.change(ORDERS, 1, key=key, fields={"FNote": "改"})])

        assert receipt.outcome is Outcome.BLOCKED
        assert bench.one(ORDERS, key).payload["FNote"] == order_fields(1)["FNote"]

    @pytest.mark.promise(5)
    def test_an_unhandled_exception_in_plain_text_leaves_a_write_uncertain_and_a_read_repeated(self, bench: Bench) -> None:
        bench.put(CUSTOMERS, [1])
        bench.control.fault("response_error", times=1, path="ExecuteBillQuery")
        assert len(bench.read(CUSTOMERS)[0]) == 2

        bench.control.fault("response_error", times=1, path="Save")
        (receipt,) = bench.write(ORDERS, [bench.change(ORDERS, 1)])
        assert receipt.outcome is Outcome.UNCERTAIN

    @pytest.mark.parametrize(
        ("step", "back", "of"), [("deactivate", "activate", CUSTOMERS), ("void", "unvoid", ORDERS)], ids=["forbid", "cancel"]
    )
    def test_operations_are_done_once_and_undone(self, bench: Bench, step: str, back: str, of: Case) -> None:
        key = bench.create(of, [1])[0].key
        outcomes = [bench.write(of, [Change("x", name, "", key)])[0].outcome for name in (step, step, back, back)]

        assert outcomes == [Outcome.WRITTEN, Outcome.UNCHANGED] * 2

    def test_an_order_is_closed_and_reopened(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        for step in ("submit", "audit"):
            bench.write(ORDERS, [Change("s", step, "", key)])
        outcomes = [bench.write(ORDERS, [Change("x", name, "", key)])[0].outcome for name in ("close", "close", "reopen")]

        assert outcomes == [Outcome.WRITTEN, Outcome.UNCHANGED, Outcome.WRITTEN]

    def test_one_save_for_one_record_and_one_call_for_a_batch(self, bench: Bench) -> None:
        bench.create(ORDERS, [1])
        bench.create(ORDERS, [2, 3, 4])

        assert [len(entry["keys"]) for entry in bench.control.log() if entry.get("keys")] == [1, 3]

    def test_lines_that_are_not_named_are_not_deleted_and_a_new_one_is_added(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        new = {**order_fields(1)[LINES][0], "F_HUB_LINE": "L1-3"}
        (receipt,) = bench.write(ORDERS, [bench.change(ORDERS, 1, key=key, fields={LINES: [new]})])

        assert receipt.outcome is Outcome.WRITTEN
        assert [line["F_HUB_LINE"] for line in bench.one(ORDERS, key).payload[LINES]] == ["L1-1", "L1-2", "L1-3"]

    def test_a_reference_that_does_not_exist_is_rejected_not_dropped(self, bench: Bench) -> None:
        (receipt,) = bench.write(CUSTOMERS, [bench.change(CUSTOMERS, 1, fields={**_customer(), "FSELLER.FNumber": "9999"})])

        assert receipt.outcome is Outcome.REJECTED
        assert bench.session.find("customers", [hub_key(1)]) == {}

    def test_money_of_an_order_is_the_systems_own_to_the_fen(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        order_read = bench.one(ORDERS, key).payload
        lines = order_read[LINES]

        assert order_read["FBillAllAmount"] == sum(line["FAllAmount"] for line in lines) == Decimal("113.03")
        assert all(line["FAmount"] + line["FEntryTaxAmount"] == line["FAllAmount"] for line in lines)

    @pytest.mark.promise(2)
    def test_a_change_time_far_ahead_does_not_move_the_position_past_everything(self, bench: Bench) -> None:
        bench.load(CUSTOMERS, [1], "2099-01-01T00:00:00")
        bench.put(CUSTOMERS, [2])
        _, listed = bench.read(CUSTOMERS)
        _, cursor = bench.read(CUSTOMERS, listed)
        (new,) = bench.put(CUSTOMERS, [3])

        assert str(new["FCUSTID"]) in {record.key for record in bench.read(CUSTOMERS, cursor)[0]}
        assert str(cursor["since"]) < "2099"

    def test_copies_of_one_customer_are_told_apart_and_the_original_is_found(self, bench: Bench) -> None:
        bench.create(CUSTOMERS, [1])
        original = bench.session.find("customers", [hub_key(1)])[hub_key(1)]
        copy: Native = {"FCUSTID": 1, "FNumber": original.payload["FNumber"], "FName": "copy", "FCreateOrgId": {"FNumber": "100"}}
        copy |= {
            "FUseOrgId": {"FNumber": "200"},
            "FMasterId": original.payload["FMasterId"],
            "F_HUB_KEY": hub_key(1),
            "FTRADINGCURRID": {"FNumber": "PRE001"},
        }
        bench.control.load({"customers": [copy]})
        found = bench.session.find("customers", [hub_key(1)])[hub_key(1)]

        assert found.key == original.key
        assert {record.org for record in bench.read(CUSTOMERS)[0]} == {"100", "200"}

    def test_a_stream_without_a_business_date_says_so(self, bench: Bench) -> None:
        with pytest.raises(Refused, match="dated"):
            list(bench.session.read("customers", None, Window(by="dated")))

    def test_a_window_by_business_date_holds_that_days_documents(self, bench: Bench) -> None:
        bench.put(ORDERS, range(1, 20))
        start = _day("2026-01-05")
        inside = [
            r
            for page in bench.session.read("sales_orders", None, Window(start, start + timedelta(days=1), by="dated"))
            for r in page.records
        ]
        outside = [
            r for page in bench.session.read("sales_orders", None, Window(start + timedelta(days=1), by="dated")) for r in page.records
        ]

        assert (len(inside), len(outside)) == (19, 0)

    def test_steps_must_name_a_record_and_be_of_one_kind(self, bench: Bench) -> None:
        with pytest.raises(ValueError, match="names no record"):
            bench.session.write("sales_orders", [Change("1", "audit", "", None)])
        with pytest.raises(ValueError, match="same step"):
            bench.session.write("sales_orders", [Change("1", "audit", "", "1"), Change("2", "submit", "", "1")])
        assert list(bench.session.write("sales_orders", [])) == []

    def test_a_group_that_fails_after_another_was_written_is_told_apart(self, bench: Bench) -> None:
        key = bench.create(ORDERS, [1])[0].key
        bench.control.fault("drop_after", times=1, path="Save")
        changes = [bench.change(ORDERS, 2), replace(bench.change(ORDERS, 1, key=key, fields={"FNote": "改"}), id="u")]
        receipts = bench.write(ORDERS, changes)

        assert [receipt.outcome for receipt in receipts] == [Outcome.UNCERTAIN, Outcome.WRITTEN]

    def test_the_server_away_before_sending_is_certain(self, bench: Bench) -> None:
        session = bench.start(server_url="http://127.0.0.1:1/k3cloud/")

        with pytest.raises(CallFailed) as caught:
            session.write("sales_orders", [bench.change(ORDERS, 1)])
        assert not isinstance(caught.value, Uncertain)


def _customer() -> dict[str, Any]:
    assert CUSTOMERS.fields is not None
    return CUSTOMERS.fields(1)


def _day(text: str) -> Any:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
