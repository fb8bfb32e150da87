"""The story over a real ledger: every penny of the source stands in Kingdee or in quarantine with a reason, and in hub and Zoho alike."""

from __future__ import annotations

from decimal import Decimal

from hub_cli.demo.engine import StoryFailed
from hub_cli.demo.story import Story
from sync import cycle, modes, planning


def tell_ledger(story: Story) -> None:
    """Load the ledger, write it to Zoho, and show that nothing was lost on the way.

    Raises: StoryFailed when a penny is missing somewhere.
    """
    story.begin_ledger()
    with story.tell.chapter("ledger_load", "First load, plan, approval, write"):
        with story.tell.waiting("reading Kingdee and Zoho"):
            cycle.until_quiet(story.hub)
        plan = planning.make_plan(story.hub)
        story._show_plan(plan)  # noqa: SLF001  the same table of the same story
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
    ledger = story.world.truth["ledger"]
    with story.hub.transaction() as db:
        db.execute("SELECT coalesce(sum(total), 0) AS total, count(*) AS number FROM orders WHERE NOT retired")
        hub_orders = db.fetchone() or {}
        db.execute("SELECT coalesce(sum(total), 0) AS total, count(*) AS number FROM receivables WHERE NOT retired")
        hub_bills = db.fetchone() or {}
    set_aside, reasons = _set_aside(story)
    approved = [doc for doc in story.kingdee.records("receivables") if (doc.get("FDocumentStatus") or doc.get("FDOCUMENTSTATUS")) == "C"]
    in_kingdee = sum((Decimal(str(doc["FALLAMOUNTFOR"])) for doc in approved), Decimal(0))
    zoho = story.zoho.records("sales_orders")
    in_zoho = sum((Decimal(str(doc["Total_Amount"] or 0)) for doc in zoho), Decimal(0))
    source = Decimal(str(ledger["total"]))
    rows = [("the ledger", ledger.get("invoices", ""), source), ("approved in Kingdee (receivables, net of returns)", len(approved), in_kingdee)]
    rows += [(f"set aside by the hub: {reason}", number, amount) for reason, (number, amount) in sorted(reasons.items())]
    rows += [
        ("hub: receivables", hub_bills["number"], hub_bills["total"]),
        ("hub: orders", hub_orders["number"], hub_orders["total"]),
        ("Zoho: orders", len(zoho), in_zoho),
    ]
    story.tell.table(["where", "#documents", "#amount GBP"], rows)
    if source != in_kingdee + set_aside:
        raise StoryFailed(f"the ledger has {source}, Kingdee {in_kingdee} and quarantine {set_aside}")
    if in_kingdee != hub_bills["total"] or hub_orders["total"] != in_zoho:
        raise StoryFailed(f"Kingdee {in_kingdee}, hub {hub_bills['total']}; orders: hub {hub_orders['total']}, Zoho {in_zoho}")
    story.tell.say("source = in Kingdee + quarantined by reason; Kingdee = hub = Zoho, to the penny.", "green")


def _set_aside(story: Story) -> tuple[Decimal, dict[str, tuple[int, Decimal]]]:
    """What the hub set aside, by reason: the receivables tell the money."""
    with story.hub.transaction() as db:
        db.execute(
            "SELECT q.why, o.payload->>'FALLAMOUNTFOR' AS amount FROM quarantine q JOIN stream s ON s.id = q.stream_id "
            "JOIN observed o ON (o.stream_id, o.key) = (q.stream_id, q.key) WHERE q.state = 'open' AND s.name = 'receivables'"
        )
        rows = list(db)
    reasons: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        reason = row["why"].partition(": ")[2].split(";")[0]
        number, amount = reasons.get(reason, (0, Decimal(0)))
        reasons[reason] = (number + 1, amount + Decimal(row["amount"] or 0))
    return sum((amount for _, amount in reasons.values()), Decimal(0)), reasons
