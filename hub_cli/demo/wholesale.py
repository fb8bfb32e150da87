"""The story over a real ledger: every penny of the source stands in Kingdee or in quarantine with a reason, and in hub and Zoho alike."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hub_cli.demo.doors import Doc
from hub_cli.demo.engine import StoryFailed
from hub_cli.demo.story import Story
from ledger.bulk import from_json
from sync import cycle, modes, planning

PENNY = Decimal("0.01")


def tell_ledger(story: Story) -> None:
    """Load the ledger, write it to Zoho, and show that nothing was lost on the way.

    Raises: StoryFailed when a penny is missing somewhere.
    """
    story.begin_ledger()
    with story.tell.chapter("ledger_load", "First load, plan, approval, write"):
        with story.tell.waiting("reading Kingdee and Zoho"):
            cycle.until_quiet(story.hub)
        plan = planning.make_plan(story.hub)
        story.show_plan(plan)
        for state in story.hub.streams.values():
            if state.flow.mode == "plan":
                modes.set_mode(story.hub, "write", "demo", entity=state.entity, system=state.system)
        planning.approve(story.hub, plan.id, "demo")
        with story.tell.waiting("writing to Zoho"):
            planning.apply(story.hub, plan.id)
            cycle.until_quiet(story.hub)
    with story.tell.chapter("ledger_sums", "To the penny (GBP)"):
        _sums(story)


def _sums(story: Story) -> None:
    source = Decimal(story.truth["ledger"]["source"]["amount"])
    orders, returns = story.kingdee.records("sales_orders"), story.kingdee.records("returns")
    sold = _total(Decimal(str(doc["FBillAllAmount"])) for doc in orders if _approved(doc))
    back = _total(Decimal(str(line["FAllAmount"])) for doc in returns if _approved(doc) for line in doc["FEntity"])
    reasons = _set_aside(story)
    aside = _total(amount for _, amount in reasons.values())
    rows = [
        ("the ledger", story.truth["ledger"]["source"]["documents"], source),
        ("Kingdee: approved orders", sum(map(_approved, orders)), sold),
        ("Kingdee: approved returns", sum(map(_approved, returns)), -back),
    ]
    rows += [(f"set aside by the hub: {reason}", number, amount) for reason, (number, amount) in sorted(reasons.items())]
    story.tell.table(["source = in Kingdee + set aside", "#documents", "#GBP"], rows)
    same = [("orders", sold, _hub_total(story, "orders"), _zoho_total(story, "sales_orders")), ("receivables", *_receivables(story))]
    story.tell.table(["Kingdee = hub = Zoho", "#Kingdee", "#hub", "#Zoho"], same)
    if source != sold - back + aside:
        raise StoryFailed(f"the ledger has {source}, Kingdee {sold - back}, quarantine {aside}")
    for name, erp, hub, crm in same:
        if not erp == hub == crm:
            raise StoryFailed(f"{name}: Kingdee {erp}, hub {hub}, Zoho {crm}")
    story.tell.say("Not a penny is missing, and none is there twice.", "green")


def _approved(doc: Doc) -> bool:
    return (doc.get("FDocumentStatus") or doc.get("FDOCUMENTSTATUS")) == "C"


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0)).quantize(PENNY)


def _hub_total(story: Story, table: str) -> Decimal:
    with story.hub.transaction() as db:
        db.execute(f"SELECT coalesce(sum(total), 0) AS total FROM {table} WHERE NOT retired")  # one of two names, above
        row = db.fetchone() or {"total": 0}
    return Decimal(row["total"]).quantize(PENNY)


def _zoho_total(story: Story, stream: str) -> Decimal:
    return _total(Decimal(str(doc["Total_Amount"] or 0)) for doc in story.zoho.records(stream))


def _receivables(story: Story) -> tuple[Decimal, Decimal, Decimal]:
    erp = _total(Decimal(str(doc["FALLAMOUNTFOR"])) for doc in story.kingdee.records("receivables") if _approved(doc))
    return erp, _hub_total(story, "receivables"), _zoho_total(story, "invoices")


def _set_aside(story: Story) -> dict[str, tuple[int, Decimal]]:
    """Orders and returns in quarantine, by reason."""
    with story.hub.transaction() as db:
        db.execute(
            "SELECT s.name, q.why, o.payload FROM quarantine q JOIN stream s ON s.id = q.stream_id "
            "JOIN observed o ON (o.stream_id, o.key) = (q.stream_id, q.key) "
            "WHERE q.state = 'open' AND s.name IN ('sales_orders', 'returns')"
        )
        rows = list(db)
    reasons: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        reason = f"{row['name']}, {row['why'].partition(': ')[2]}"
        number, amount = reasons.get(reason, (0, Decimal(0)))
        reasons[reason] = (number + 1, amount + _amount(row["name"], from_json(row["payload"])))
    return reasons


def _amount(stream: str, payload: Doc) -> Decimal:
    if stream == "sales_orders":
        return Decimal(str(payload["FBillAllAmount"])).quantize(PENNY)
    return -_total(Decimal(str(line["FAllAmount"])) for line in payload["FEntity"])
