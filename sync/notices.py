"""Messages and questions for people, as records in the ledger: raised, read, answered. Whatever channel is connected carries them.

`alert` is for what goes wrong and comes right again: one open notice about one thing, renewed, then cleared. `post` is for what happened:
whoever calls sees to it that it is told once (`once` remembers that for what has no event of its own).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from canonical.ids import new_hub_key, new_id_text
from canonical.values import utc_text
from channel.notices.messages import Answered, Consequence, Message, Moot, Question
from ledger.bulk import json_text
from ledger.tables import TABLES
from sync import store
from sync.decide import Canonical
from sync.errors import NotFound
from sync.hub import Cursor, Hub


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked."""

    kind: str
    about: str
    facts: Mapping[str, Any]

    @property
    def entity(self) -> str:
        """What it is about: `registration`, `order`, `quote` and so on."""
        return self.about.partition(":")[0]

    @property
    def number(self) -> str:
        """Which one."""
        return self.about.partition(":")[2]


def go_live(hub: Hub, entity: str) -> date | None:
    """From when on this kind of record raises notices (business day, Asia/Shanghai); None: always did."""
    return hub.config.go_live_of(entity) if entity in hub.config.flows else hub.config.go_live


def count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add figures to figures; zeros are left out."""
    for name, number in more.items():
        if number:
            counts[name] = counts.get(name, 0) + number


def follow(db: Cursor, found: Sequence[Consequence], counts: dict[str, int]) -> None:
    """Do what follows from events, in order: an answer may be to a question of the same page."""
    for one in found:
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
    return bool(first_times(db, [(subject, what)]))


def first_times(db: Cursor, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """The same for many, each a subject and what is told of it: those for which it is the first time."""
    if not wanted:
        return set()
    subjects, whats = map(list, zip(*wanted, strict=True))
    db.execute(
        "INSERT INTO told (subject, what) SELECT * FROM unnest(%s::text[], %s::text[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING "
        "RETURNING subject, what",
        [subjects, whats],
    )
    return {(row["subject"], row["what"]) for row in db}


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
            raise NotFound(f"there is no notice {notice_id}", next_step="list them: `hub notices`")
        if found[notice_id].doc["state"] in ("open", "sent"):
            _change(db, "notice", [notice_id], {"state": state})


# What goes wrong and comes right again -----------------------------------------------------------------------------------------


def alert(hub: Hub, kind: str, *, audience: str, about: str, facts: Mapping[str, Any]) -> str:
    """Put a message on record; one that is still open about the same thing takes the new facts instead of being repeated. Returns its id.

    The fact `times` tells how often it was raised, `last_at` when it was raised last.
    """
    now = utc_text(datetime.now(UTC))
    with hub.transaction() as db:
        # Two tasks may fail at once about the same thing: the lock makes them one notice.
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"notice {kind} {about}"])
        db.execute(
            "SELECT id::text AS id, coalesce((doc->'facts'->>'times')::int, 1) AS times FROM notices "
            "WHERE kind = %s AND state = 'open' AND doc->>'about' = %s",
            [kind, about],
        )
        row = db.fetchone()
        if row is not None:
            again = {**facts, "times": row["times"] + 1, "last_at": now}
            db.execute(
                "UPDATE notices SET version = version + 1, doc = jsonb_set(doc::jsonb, '{facts}', %s::jsonb) WHERE id = %s",
                [json_text(again), row["id"]],
            )
            return str(row["id"])
        doc = {"kind": kind, "audience": audience, "about": about, "facts": dict(facts), "raised_at": now, "state": "open"}
        notice = Canonical(new_id_text(), new_hub_key(), "", 1, doc, {})
        store.insert(db, TABLES["notice"], [notice])
        return notice.id


def clear(hub: Hub, kind: str, *, about: str) -> bool:
    """The thing came right: its open notice needs nobody any more. Says whether there was one."""
    with hub.transaction() as db:
        db.execute(
            "UPDATE notices SET version = version + 1, state = 'withdrawn', doc = jsonb_set(doc::jsonb, '{state}', '\"withdrawn\"') "
            "WHERE kind = %s AND state = 'open' AND doc->>'about' = %s",
            [kind, about],
        )
        return db.rowcount > 0
