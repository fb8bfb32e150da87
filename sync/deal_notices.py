"""Deals as people hear of them: each decision and reminder is a notice or an approval in the ledger, raised once and answered here.

Events of registrations wait in `deal_untold`. Who takes one out raises its notice in the same transaction: killed before the commit,
nothing was told and nothing was taken; after it, both are done. Other thresholds (a stuck stage, a due action) are in `deal_told` once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from canonical.ids import new_hub_key, new_id_text
from canonical.values import utc_text
from channel.deals import acting, fencing, review_queries
from channel.deals import fence_queries as fences
from channel.deals.telling import Answered, Consequence, Happened, Message, Moot, Question, consequences, is_old
from ledger.bulk import json_text
from ledger.tables import TABLES
from sync import store
from sync.decide import Canonical
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub

PAGE = 500
Answer = Literal["approved", "rejected"]


def go_live(hub: Hub) -> date | None:
    """From when on deals raise notices; None: always did."""
    return hub.config.go_live_of("deal") if "deal" in hub.config.flows else hub.config.go_live


def tell(hub: Hub) -> dict[str, int]:
    """Raise what waits to be told; figures by kind. Safe to run by several at once and after every action; those take turns."""
    counts: dict[str, int] = {}
    while True:
        with hub.transaction() as db:
            taken = tell_page(hub, db, counts)
        if taken < PAGE:
            return counts


def tell_page(hub: Hub, db: Cursor, counts: dict[str, int]) -> int:
    """The same for one page in the caller's transaction; how many events were taken."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('deals tell', 0))")
    db.execute(
        "WITH taken AS (DELETE FROM deal_untold WHERE event_id IN (SELECT event_id FROM deal_untold ORDER BY event_id LIMIT %s) "
        "RETURNING event_id) SELECT e.id, e.registration_id, e.action, e.after, e.actor, e.cause, e.at, e.facts, r.dealer_id, "
        "coalesce(nullif(r.claim->>'name', ''), r.claim->>'uscc', '') AS customer, r.product_line, r.submitted_at, "
        "CASE WHEN r.status = e.after THEN r.reason ELSE coalesce(e.facts->>'reason', '') END AS reason, upper(r.protected) AS ends "
        "FROM taken JOIN registration_event AS e ON e.id = taken.event_id JOIN registration AS r ON r.id = e.registration_id ORDER BY e.id",
        [PAGE],
    )
    rows = db.fetchall()
    starts = go_live(hub)
    told = [one for one in map(_happened, rows) if not is_old(one, starts)]
    count(counts, {"before_go_live": len(rows) - len(told)})
    _raise(db, [follows for one in told for follows in consequences(one)], counts)
    return len(rows)


def _happened(row: Mapping[str, Any]) -> Happened:
    days = (row["facts"] or {}).get("days")
    return Happened(
        row["id"],
        row["registration_id"],
        row["action"],
        row["after"],
        row["actor"],
        row["cause"],
        row["at"],
        row["dealer_id"],
        row["customer"],
        row["product_line"],
        row["reason"],
        row["ends"],
        days if row["action"] == "remind" else None,
        row["submitted_at"],
    )


def count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add figures to figures; zeros are left out."""
    for name, number in more.items():
        if number:
            counts[name] = counts.get(name, 0) + number


def _raise(db: Cursor, found: Sequence[Consequence], counts: dict[str, int]) -> None:
    for one in found:  # in order: an answer may be to a question of the same page
        if isinstance(one, Answered):
            close(db, one.about, one.decision, one.by, one.reason)
        elif isinstance(one, Question):
            ask(db, one)
            count(counts, {one.kind: 1})
        elif isinstance(one, Moot):
            withdraw(db, one.kind, one.about)
        else:
            post(db, one)
            count(counts, {one.kind: 1})


def post(db: Cursor, message: Message) -> str:
    """Put a message on record; its id. Whoever calls sees to it that it is called once."""
    doc = {
        "kind": message.kind, "audience": message.audience, "about": message.about, "facts": message.facts,
        "raised_at": utc_text(datetime.now(UTC)), "state": "open",
    }  # fmt: skip
    notice = Canonical(new_id_text(), new_hub_key(), "", 1, doc, {})
    store.insert(db, TABLES["notice"], [notice])
    return notice.id


def withdraw(db: Cursor, kind: str, about: str) -> None:
    """Nobody needs these any more."""
    db.execute("SELECT id::text AS id FROM notices WHERE state = 'open' AND kind = %s AND doc->>'about' = %s", [kind, about])
    _change(db, "notice", [row["id"] for row in db], {"state": "withdrawn"})


def ask(db: Cursor, question: Question) -> str:
    """Put a question to our own people on record; its id."""
    doc = {
        "kind": question.kind, "subject": question.subject, "about": question.about, "asked_by": question.asked_by,
        "asked_at": utc_text(datetime.now(UTC)), "decision": "open", "facts": question.facts,
    }  # fmt: skip
    approval = Canonical(new_id_text(), new_hub_key(), "", 1, doc, {})
    store.insert(db, TABLES["approval"], [approval])
    return approval.id


def close(db: Cursor, about: str, decision: str, by: str, reason: str) -> int:
    """The open questions about something are decided; how many. Who decided and why is in the history too."""
    db.execute("SELECT id::text AS id FROM approvals WHERE decision = 'open' AND doc->>'about' = %s", [about])
    ids = [row["id"] for row in db]
    decided = {"decision": decision, "decided_by": by, "decided_at": utc_text(datetime.now(UTC)), "reason": reason}
    for one in _change(db, "approval", ids, decided):
        db.execute(
            "INSERT INTO history (entity, entity_id, version, cause, changed) VALUES ('approval', %s, %s, %s, %s)",
            [one.id, one.version, f"decided by {by}", json_text({"decision": ["open", decision]})],
        )
    return len(ids)


def _change(db: Cursor, entity: str, ids: Sequence[str], fields: Mapping[str, Any]) -> list[Canonical]:
    before = store.load(db, TABLES[entity], ids, lock=True)
    after = [Canonical(one.id, one.hub_key, one.number, one.version + 1, {**one.doc, **fields}, {}, one.retired) for one in before.values()]
    store.update(db, TABLES[entity], before, after)
    return after


def once(db: Cursor, subject: str, what: str) -> bool:
    """True the first time that this is to be told about the subject, and never again."""
    db.execute("INSERT INTO deal_told (subject, what) VALUES (%s, %s) ON CONFLICT DO NOTHING", [subject, what])
    return db.rowcount > 0


# What people do with them ------------------------------------------------------------------------------------------------------


def open_approvals(hub: Hub, *, kinds: Sequence[str] = (), after: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Questions that nobody has answered, oldest first, from the one after `after` on."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id::text AS id, version, doc FROM approvals WHERE decision = 'open' "
            "AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s)) "
            "AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid) ORDER BY id LIMIT %(limit)s",
            {"kinds": list(kinds) or None, "after": after, "limit": limit},
        )
        return [{"id": row["id"], "version": row["version"], **row["doc"]} for row in db]


def notices_for(hub: Hub, audience: str, *, state: str | None = None, after: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Messages for a party (`party:<id>`) or a role, oldest first; a dealer's are his own only."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id::text AS id, doc FROM notices WHERE doc->>'audience' = %(audience)s "
            "AND (%(state)s::text IS NULL OR state = %(state)s) "
            "AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid) ORDER BY id LIMIT %(limit)s",
            {"audience": audience, "state": state, "after": after, "limit": limit},
        )
        return [{"id": row["id"], **row["doc"]} for row in db]


def mark(hub: Hub, notice_id: str, state: Literal["sent", "read"], *, audience: str | None = None) -> None:
    """A message was carried or read. With `audience`, one of anybody else is as absent as a missing one. Raises: NotFound."""
    with hub.transaction() as db:
        found = store.load(db, TABLES["notice"], [notice_id], lock=True)
        if notice_id not in found or (audience is not None and found[notice_id].doc.get("audience") != audience):
            raise NotFound(f"there is no notice {notice_id}")
        if found[notice_id].doc["state"] in ("open", "sent"):
            _change(db, "notice", [notice_id], {"state": state})


def answer(hub: Hub, approval_id: str, decision: Answer, by: str, reason: str = "", *, how: str = "") -> dict[str, Any]:
    """Answer a question about deals: the registration or order goes on or is refused, and whoever waits is told, in one transaction.

    `how` decides an appeal that is granted while somebody holds the customer: `other_firm` or `end_holder`.
    Raises: NotFound, WrongState when it is answered already or no question about deals; ChannelError of the action itself.
    """
    with hub.transaction() as db:
        db.execute("SELECT doc FROM approvals WHERE id = %s FOR UPDATE", [approval_id])
        row = db.fetchone()
        if row is None:
            raise NotFound(f"there is no approval {approval_id}")
        doc = row["doc"]
        if doc["decision"] != "open":
            raise WrongState(f"approval {approval_id} is {doc['decision']} already", next_step="list what is open")
        kind, about = doc["kind"], doc["about"]
        entity, _, number = about.partition(":")
        if entity == "registration":
            _answer_registration(hub, db, kind, UUID(number), decision, by, reason, how)
        elif kind == "order_outside_area":
            _answer_order(hub, db, about, number, decision, by, reason)
        else:
            raise WrongState(f"approval {approval_id} is no question about deals", next_step="answer it where it was asked")
        while tell_page(hub, db, {}) == PAGE:
            pass
        close(db, about, decision, by, reason)
        return {**store.load(db, TABLES["approval"], [approval_id])[approval_id].doc, "id": approval_id}


def _answer_registration(hub: Hub, db: Cursor, kind: str, registration: UUID, decision: Answer, by: str, reason: str, how: str) -> None:
    connection = db.connection
    yes = decision == "approved"
    if kind == "deal_conflict":
        _answer_conflict(hub, db, registration, by, reason, same=not yes)
    elif kind == "deal_appeal":
        if yes:
            acting.grant_appeal(connection, registration, by, reason, other_firm=how == "other_firm", end_holder=how == "end_holder")
        else:
            acting.deny_appeal(connection, registration, by, reason)
    elif yes:
        acting.approve(connection, registration, by, reason)
    else:
        acting.reject(connection, registration, by, reason)
    if kind == "deal_outside_area":
        fences.settle(connection, f"registration:{registration}", "accepted" if yes else "refused", by, reason)


def _answer_conflict(hub: Hub, db: Cursor, registration: UUID, by: str, reason: str, *, same: bool) -> None:
    """Approved: another firm than each that it might be. Rejected: the same as the likeliest one that somebody holds."""
    held = {hold.customer_id for hold in review_queries.doubtful_holds(db.connection, registration)}
    doubts = [one for one in review_queries.doubts(db.connection, registration_id=registration) if one.customer_id in held]
    if not doubts:
        raise WrongState(f"registration {registration} waits for nobody any more", next_step="list what is open")
    from sync import reviewing  # noqa: PLC0415  merging tells dealers by this module

    for doubt in doubts[:1] if same else doubts:
        reviewing.decided(hub, db, registration, doubt.customer_id, "same" if same else "different", by, reason)


def _answer_order(hub: Hub, db: Cursor, about: str, order: str, decision: Answer, by: str, reason: str) -> None:
    from sync import order_fencing  # noqa: PLC0415  it raises notices here

    fencing.settle_subject(db.connection, about, "accepted" if decision == "approved" else "refused", by, reason)
    order_fencing.judge_again(hub, db, [order])
