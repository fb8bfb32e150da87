"""The story: two systems that disagree, made to agree, and kept so through edits, shipments, payments and trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hub_cli.demo.documents import copied, corrected, figure, receipt_for, shipment_of, status_of
from hub_cli.demo.doors import Door
from hub_cli.demo.engine import Engine, StoryFailed
from hub_cli.demo.partners import ten_partners
from hub_cli.demo.telling import Teller
from sync import cases, cycle, inspecting, modes, planning, quarantining, valuing
from sync.hub import Hub

BOSS = "demo: head of sales operations"
CLERK = "demo: clerk"
IN_TWO_BATCHES = Decimal("0.5")


class Story:
    """The story over one world. Each chapter leaves both systems and the hub in agreement, but for what waits for a person."""

    def __init__(
        self,
        hub: Hub,
        kingdee: Door,
        zoho: Door,
        truth: Mapping[str, Any],
        counts: Mapping[str, int],
        engine: Engine,
        teller: Teller,
    ) -> None:
        self.hub, self.kingdee, self.zoho, self.engine, self.tell = hub, kingdee, zoho, engine, teller
        self.truth, self.counts = truth, counts
        self.order: dict[str, Any] = {}
        """The order that the story follows: its ids and numbers."""

    # 1, 2 ---------------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """What there is."""
        with self.tell.chapter("begin", "Two systems that disagree"):
            counts = self.counts
            self.tell.table(
                ["Kingdee", "#records", "Zoho CRM", "#records"],
                _side_by_side(
                    [(name, n) for name, n in counts.items() if name.startswith("kingdee.")],
                    [(name, n) for name, n in counts.items() if name.startswith("zoho.")],
                ),
            )
            twins = len(self.truth["doubtful"])
            self.tell.say(
                f"Part of the partners are in both, under different spellings and codes; {twins} pairs are doubtful even to a person."
            )

    def begin_ledger(self) -> None:
        """What there is, of a real ledger."""
        with self.tell.chapter("begin", "A real wholesaler's ledger in Kingdee, an empty Zoho"):
            self.tell.table(["stream", "#records"], list(self.counts.items()))

    def first_load(self) -> None:
        """Link, plan, approve, write."""
        with self.tell.chapter("first_load", f"First load {self.engine.name}, in mode plan: nothing is written"):
            with self.tell.waiting("reading Kingdee and Zoho"):
                self.engine.increment("kingdee", "zoho")
            self._show_links()
            self._show_cases()
            plan = planning.make_plan(self.hub, kind="first_load")
            self.show_plan(plan)
        with self.tell.chapter("first_write", "The plan is approved; the mode goes to write"):
            planning.approve(self.hub, plan.id, BOSS)
            for state in self.hub.streams.values():
                if state.flow.mode == "plan" and (state.entity, state.system) != ("order", "kingdee"):
                    modes.set_mode(self.hub, "write", BOSS, entity=state.entity, system=state.system)
            quiet = planning.make_plan(self.hub, kind="first_load", entities=[name for name in self.hub.policies if name != "order"])
            planning.approve(self.hub, quiet.id, BOSS)
            with self.tell.waiting("writing partners, products, price lists, documents"):
                _need(planning.apply(self.hub, quiet.id))
            orders = planning.make_plan(self.hub, kind="first_load", systems=["zoho"], entities=["order"])
            planning.approve(self.hub, orders.id, BOSS)
            with self.tell.waiting("writing orders and what hangs on them"):
                _need(planning.apply(self.hub, orders.id))
                self.sync()
            self._show_states()

    def _show_links(self) -> None:
        with self.hub.transaction() as db:
            db.execute(
                "SELECT s.system, s.name, l.how, count(*) AS number FROM link l JOIN stream s ON s.id = l.stream_id "
                "WHERE s.name IN ('customers', 'accounts', 'products') AND s.system <> 'hub' GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC"
            )
            rows = [(row["system"], row["name"], _HOW.get(row["how"], row["how"]), row["number"]) for row in db]
        self.tell.table(["system", "stream", "how it was linked", "#records"], rows)

    def _show_cases(self) -> None:
        found = cases.list_cases(self.hub, limit=200)
        self.tell.say(f"{len(found)} doubtful pairs became cases for a person; what hangs on them is held.")
        rows = [(case["left"].get("name"), case["right"].get("name"), "; ".join(case["evidence"])) for case in found[:6]]
        self.tell.table(["one", "the other", "why it is asked"], rows)

    def show_plan(self, plan: planning.Plan) -> None:
        """What a plan would do, by stream."""
        rows = []
        for stream, part in plan.summary.items():
            fields = ", ".join(f"{name} {number}" for name, number in list(part["fields"].items())[:6])
            rows.append((stream, part["create"], part["update"], fields))
        self.tell.table(["where", "#creates", "#updates", "fields that change"], rows, title=f"   Plan {plan.id}")

    def _show_states(self) -> None:
        rows = [
            (f"{one.system}.{one.stream}", *(one.states.get(state, 0) for state in inspecting.STATES))
            for one in inspecting.status(self.hub).streams
            if one.states
        ]
        self.tell.table(["where", *(f"#{state}" for state in inspecting.STATES)], rows)

    # 3 ------------------------------------------------------------------------------------------------------------------

    def quote_becomes_order(self) -> None:
        """A won deal's accepted quote in Zoho becomes an audited order in Kingdee; its number comes back."""
        with self.tell.chapter("quote_to_order", "A won deal's accepted quote becomes an order in Kingdee"):
            modes.set_mode(self.hub, "write", BOSS, entity="order", system="kingdee")
            plan = planning.make_plan(self.hub, kind="go_live", systems=["kingdee"], entities=["order"])
            planning.approve(self.hub, plan.id, BOSS)
            _need(planning.apply(self.hub, plan.id))
            self.sync()
            self.order = self._order_of(str(self.truth["story"][0]["quote"]))
            quote = self.zoho.record("quotes", self.order["quote"])
            self.tell.table(
                ["Zoho quote", "Kingdee order", "status in Kingdee", "came back to the quote"],
                [
                    (
                        quote["Subject"],
                        self.order["number"],
                        status_of(self.order["doc"]),
                        f"{quote['ERP_Order_No']} {quote['ERP_Order_Status']}",
                    )
                ],
            )
            _must(quote["ERP_Order_No"] == self.order["number"], "the order's number did not come back to the quote")

    def _order_of(self, quote_key: str) -> dict[str, Any]:
        quote = inspecting.find_record(self.hub, "quote", quote_key)
        view = inspecting.record(self.hub, "quote", quote)
        order_id = view.doc.get("order")
        _must(bool(order_id), f"quote {quote_key} has not become an order")
        order = inspecting.record(self.hub, "order", UUID(str(order_id)))
        keys = {(link["system"], link["stream"]): link for link in order.links}
        _must(("kingdee", "sales_orders") in keys, f"order of quote {quote_key} is not in Kingdee: {order.pairs}")
        there = keys["kingdee", "sales_orders"]
        zoho = keys.get(("zoho", "sales_orders"))
        return {
            "id": str(order_id),
            "quote": quote_key,
            "number": there["number"] or order.number,
            "kingdee": there["key"],
            "zoho": zoho["key"] if zoho else "",
            "doc": self.kingdee.record("sales_orders", there["key"]),
        }

    # 4 ------------------------------------------------------------------------------------------------------------------

    def ship_and_pay(self) -> None:
        """Two shipments, two receipts: Zoho shows each."""
        with self.tell.chapter("ship_and_pay", "The warehouse ships in two batches; finance books a partial and the final receipt"):
            rows = [("before", *self._zoho_progress())]
            doc = self.kingdee.record("sales_orders", self.order["kingdee"])
            first = {line["FEntryID"]: _half(line["FQty"]) for line in doc["FSaleOrderEntry"]}
            rest = {line["FEntryID"]: line["FQty"] - first[line["FEntryID"]] for line in doc["FSaleOrderEntry"]}
            for name, quantities in (("first batch", first), ("second batch", rest)):
                self.kingdee.put("shipments", shipment_of(doc, quantities))
                self.sync()
                rows.append((name, *self._zoho_progress()))
            total = Decimal(doc["FBillAllAmount"]).quantize(Decimal("0.01"))
            part = (total * Decimal("0.3")).quantize(Decimal("0.01"))
            for name, amount in (("30 % received", part), ("rest received", total - part)):
                self.kingdee.put("receipts", receipt_for(doc, amount))
                self.sync()
                rows.append((name, *self._zoho_progress()))
            self.tell.table(
                ["Zoho shows after", "#shipped", "shipping", "#paid", "payment"],
                rows,
                title=f"   Order {self.order['number']}, {total} CNY",
            )
            _must(rows[-1][2:] == ("full", str(total), "paid"), f"Zoho does not show the order as shipped and paid: {rows[-1]}")

    def _zoho_progress(self) -> tuple[str, str, str, str]:
        doc = self.zoho.record("sales_orders", self.order["zoho"])
        return figure(doc["Shipped_Quantity"]), str(doc["Shipping_State"]), figure(doc["Paid_Amount"], 2), str(doc["Payment_State"])

    # 5 ------------------------------------------------------------------------------------------------------------------

    def both_edit(self) -> None:
        """Each field's owner wins, the other side is repaired, the conflict is on record."""
        with self.tell.chapter("both_edit", "Both systems edit the same partner between two syncs"):
            party = next(one for one in self.truth["parties"].values() if one["kingdee"] and one["zoho"] and not one.get("doubtful"))
            customer, account = str(party["kingdee"]["100"]), str(party["zoho"][0])
            self.kingdee.put("customers", {"FCUSTID": int(customer), "FADDRESS": "苏州市工业园区星湖街328号", "FTEL": "0512-00000000"})
            self.zoho.put("accounts", {"id": account, "Website": "https://hub-demo.example.cn", "Billing_Street": "(CRM 里随手改的地址)"})
            self.sync()
            there, here = self.kingdee.record("customers", customer), self.zoho.record("accounts", account)
            self.tell.table(
                ["field", "owner", "Kingdee now", "Zoho now"],
                [
                    ("address", "Kingdee", there["FADDRESS"], here["Billing_Street"]),
                    ("phone", "Zoho", there["FTEL"], here["Phone"]),
                    ("website", "Zoho", there["FWEBSITE"], here["Website"]),
                ],
            )
            _must(there["FADDRESS"] == here["Billing_Street"] == "苏州市工业园区星湖街328号", "the address's owner did not win")
            _must(there["FWEBSITE"] == here["Website"] and there["FTEL"] == here["Phone"] != "0512-00000000", "Zoho's fields did not win")
            entity_id = inspecting.find_record(self.hub, "party", account)
            rows = [
                (one["field"], one["system"], one["theirs"], one["ours"], one["rule"], one["state"])
                for one in inspecting.conflicts(self.hub, entity_id=entity_id)
            ]
            self.tell.table(["conflict", "who edited", "wrote", "owner's value", "rule", "state"], rows)
            _must(len(rows) >= 2, "the non-owners' edits are not on record as conflicts")
            why = inspecting.why(self.hub, "party", entity_id)
            chosen = [one for one in why if one.field in ("address", "phone", "website", "name")]
            self.tell.table(
                ["hub why: field", "value", "winner", "rule", "losers"],
                [
                    (one.field, one.value, one.winner_system, one.rule, "; ".join(f"{system}: {value}" for system, value in one.losers))
                    for one in chosen
                ],
            )

    # 6 ------------------------------------------------------------------------------------------------------------------

    def trouble(self) -> None:
        """A lost answer, a 500, a lost session: one order, nothing lost."""
        with self.tell.chapter("trouble", "Kingdee commits and cuts the line, then answers 500, then loses the session"):
            deal, quote = self._another_won_deal()
            self.kingdee.trouble("drop_after", path=".Save")
            self.kingdee.trouble("drop_after", path="BatchSave")
            self.kingdee.trouble("status", value=500, path="ExecuteBillQuery")
            self.kingdee.trouble("expire_session", path="Submit")
            self.sync()
            self.kingdee.calm()
            self.sync()
            order = self._order_of(quote)
            made = [
                doc
                for doc in self.kingdee.records("sales_orders", field="FCustId", values=[order["doc"]["FCustId"]["FNumber"]])
                if doc.get("F_HUB_QUOTE") and doc["F_HUB_QUOTE"] == order["doc"]["F_HUB_QUOTE"]
            ]
            tried = inspecting.deliveries(self.hub, entity_id=UUID(order["id"]), limit=20)
            rows = [(one["step"], one["outcome"], one["why"]) for one in reversed(tried) if one["system"] == "kingdee"]
            self.tell.table(["step", "what the hub knew", "why"], rows, title=f"   Order {order['number']} of deal {deal}")
            _must(len(made) == 1, f"{len(made)} orders in Kingdee for one quote")
            _must(status_of(order["doc"]) == "C", f"the order stopped at {status_of(order['doc'])}")
            self.tell.say("One order in Kingdee, audited; looked up by the hub's key before anything was repeated.", "green")

    def _another_won_deal(self) -> tuple[str, str]:
        story = self.truth["story"][1]
        deal, quote = self.zoho.record("deals", str(story["deal"])), self.zoho.record("quotes", str(story["quote"]))
        fresh = copied(deal, Deal_Name=f"{deal['Deal_Name']} 二期", Stage="Closed Won", ERP_Order_No=None)
        saved = self.zoho.put("deals", fresh)
        lines = [{name: value for name, value in line.items() if name != "id"} for line in quote["Quoted_Items"]]
        offer = copied(
            quote,
            Subject=f"{quote['Subject']} 二期",
            Deal_Name={"id": saved["id"]},
            Quote_Stage="Confirmed",
            Quoted_Items=lines,
            ERP_Order_No=None,
            ERP_Order_Status=None,
        )
        return str(saved["Deal_Name"]), str(self.zoho.put("quotes", offer)["id"])

    # 7 ------------------------------------------------------------------------------------------------------------------

    def mend(self) -> None:
        """Quarantine and the value-map inbox."""
        with self.tell.chapter("mend", "One bad record, one code without a value"):
            aside = quarantining.list_quarantine(self.hub, cause="field", limit=100)
            self.tell.table(
                ["quarantined", "why", "next step"],
                [(f"{one['system']}.{one['stream']} {one['key']}", one["why"], one["next_step"]) for one in aside],
            )
            for planted in self.truth["bad_records"]:
                entry = next((one for one in aside if one["key"] == str(planted["key"])), None)
                _must(entry is not None, f"the bad record {planted['number']} is not in quarantine")
                if entry is not None:
                    mended = corrected(quarantining.show(self.hub, entry["id"])["payload"], planted)
                    _need(quarantining.mend(self.hub, entry["id"], mended, CLERK))
                    self.kingdee.put(planted["stream"], planted["mend"])  # finance corrects it in Kingdee too
            self.tell.say("Mended by the clerk, replayed at once.")
            missing = valuing.missing(self.hub)
            self.tell.table(
                ["value map", "system", "code", "#records that wait"],
                [(one["name"], one["system"], one["value"], one["records"]) for one in missing],
            )
            released = 0
            for row in self.truth["late_value"]:
                system = {"erp_kingdee": "kingdee", "crm_zoho": "zoho"}[row["system_kind"]]
                released += valuing.set_value(
                    self.hub, row["map"], system, row.get("company", ""), row["vendor_value"], row["canonical_value"], CLERK
                )
            self.sync()
            self.tell.say(f"The clerk filled the code in; {released} records went by themselves.")
            left = quarantining.list_quarantine(self.hub, limit=100)
            _must(not left, f"{len(left)} records are still in quarantine")

    # 8 ------------------------------------------------------------------------------------------------------------------

    def repair(self) -> None:
        """Backfill a month, one more increment, reconcile everything."""
        with self.tell.chapter(
            "repair", f"A backfill of one past month, an increment and a reconciliation of everything, {self.engine.name}"
        ):
            year, month = map(int, str(self.truth["backfill_month"]).split("-"))
            start = date(year, month, 1)
            end = (start + timedelta(days=32)).replace(day=1)
            with self.tell.waiting(f"backfill of {start:%Y-%m}"):
                self.engine.backfill("kingdee", start, end, ["sales_orders", "shipments", "receivables", "receipts"])
            with self.tell.waiting("increment"):
                self.engine.increment("kingdee")
            with self.tell.waiting("reconciling Kingdee and Zoho"):
                self.engine.reconcile(["kingdee", "zoho"])
            self.sync()

    def ten_partners(self) -> None:
        """Ten partners with their orders and payments, as each system holds them."""
        self.tell.table(
            ["partner", "as held by", "#orders", "#total", "#paid"],
            ten_partners(self.hub, self.kingdee, self.zoho),
            title="   Ten partners with their orders and payments, as hub, Kingdee and Zoho hold them (CNY)",
        )

    def sync(self) -> None:
        """`hub sync --until-quiet`."""
        _need(cycle.until_quiet(self.hub))


_HOW = {
    "new": "new in the hub",
    "created": "created by the hub",
    "hub_key": "the hub's own key",
    "sure:uscc": "统一社会信用代码",
    "sure:erp_code": "cross-referenced number",
    "sure:kingdee_master": "copy in another organisation",
    "sure:product_code": "product code",
}


def _need(result: Any) -> None:
    if result.status == "failed":
        raise StoryFailed(f"{result.kind} failed: {'; '.join(result.problems)}")


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001  an assertion
    if not holds:
        raise StoryFailed(otherwise, "this is a defect of the hub; please report it with the output of --json")


def _side_by_side(left: Sequence[tuple[str, int]], right: Sequence[tuple[str, int]]) -> list[tuple[Any, ...]]:
    blank = ("", "")
    return [
        (*(left[place] if place < len(left) else blank), *(right[place] if place < len(right) else blank))
        for place in range(max(len(left), len(right)))
    ]


def _half(quantity: Any) -> Decimal:
    return (Decimal(str(quantity)) * IN_TWO_BATCHES).to_integral_value()
