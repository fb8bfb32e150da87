"""Merges: two canonical records are one. Source records are never merged, only their links; each merge is an event that can be undone.

A merge moves the links of the younger record to the older one, and both, with whatever cites them, are computed anew from what their
systems last said: the owners of fields decide what survives. An un-merge moves the links back, computes each record from its own
sources, and keeps the pair apart for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from channel.deals import parting, parting_queries, queries
from channel.deals.customers import queries as customer_queries
from channel.deals.customers import service as customers
from channel.notices.messages import MANAGER, Message
from ledger.bulk import json_text
from ledger.tables import TABLES
from sync import deriving, notices, observing, pairing, store
from sync.canonicals import computed, merge_entities
from sync.citing import Citations
from sync.decide import Canonical, Row, changed_fields
from sync.errors import NotFound, WrongState
from sync.hub import Cursor, Hub
from sync.sources import sources_of

Edge = Mapping[str, Any]
"""`left`, `right`: the pair; `bits`: how sure; `evidence`: in words."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an un-merge came to."""

    merge_id: int
    entity: str
    keep: str
    back: str
    restored: list[str] = field(default_factory=list)
    """Records that are what they were before the merge, byte for byte."""
    edited: list[dict[str, Any]] = field(default_factory=list)
    """Records that somebody edited since, with the fields that are not what they were: computed from their own sources of now."""
    judged: list[dict[str, str]] = field(default_factory=list)
    """Registrations that the merge had refused or ended, and that stand otherwise now."""
    to_check: list[dict[str, str]] = field(default_factory=list)
    """Registrations that a person looks at, with the reason."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


# Merge --------------------------------------------------------------------------------------------------------------------


def merge(
    hub: Hub,
    db: Cursor,
    name: str,
    keep: str,
    drop: str,
    cause: str,
    *,
    by: str = "",
    edges: Sequence[Edge] = (),
    citations: Citations | None = None,
) -> int:
    """Move every link of one record to another and recompute both, and whatever cites them, from their sources. Returns the event's id.

    `citations`: who cites the record that goes, asked for at once where many are merged; it is told of the merge.
    Raises: ProtectionsOverlap when both are customers that dealers hold; nothing is done then.
    """
    table = TABLES[name]
    records = store.load(db, table, [keep, drop], lock=True)
    deals = _merge_customers(db, keep, drop, by or cause) if name == "party" else {}
    facts = {**deals, "links": _links_of(db, [drop]), "seen": _versions_seen(db, [keep, drop]), "cases": _open_cases(db, drop)}
    citations = citations or Citations(hub, db, name, [drop])
    citing = citations.of(drop)
    db.execute(
        "INSERT INTO merge_event (kind, entity, keep_id, drop_id, by, cause, edges, facts) "
        "VALUES ('merge', %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [name, keep, drop, by or cause, cause, json_text(list(edges)), json_text({**facts, "citing": citing})],
    )
    number = int((db.fetchone() or {})["id"])
    db.execute("INSERT INTO merge_before (merge_id, record) VALUES (%s, %s)", [number, json_text(_as_kept(records[keep]))])
    _move_links(db, keep, drop, cause)
    db.execute("INSERT INTO hub_key_alias (hub_key, entity, entity_id) VALUES (%s, %s, %s)", [records[drop].hub_key, name, keep])
    db.execute("DELETE FROM desired WHERE entity_id = %s", [drop])
    for side, other in (("left_id", "right_id"), ("right_id", "left_id")):
        db.execute(
            f"UPDATE review_case SET {side} = %(keep)s WHERE {side} = %(drop)s AND {other} <> %(keep)s AND state = 'open' "
            "AND NOT EXISTS (SELECT FROM review_case AS o WHERE o.entity = review_case.entity AND o.state <> 'same' "
            f"AND %(keep)s IN (o.left_id, o.right_id) AND review_case.{other} IN (o.left_id, o.right_id))",
            {"keep": keep, "drop": drop},
        )
    retired = replace(records[drop], retired=True, version=records[drop].version + 1)
    store.update(db, table, records, [retired])
    store.write_history(db, hub.policies[name], None, cause, [(drop, retired.version, {"merged_into": [None, keep]})])
    remerge(hub, db, name, [keep], cause)
    for entity, ids in citing.items():
        remerge(hub, db, entity, ids, cause)
    citations.moved(drop, keep)
    return number


def _merge_customers(db: Cursor, keep: str, drop: str, by: str) -> dict[str, Any]:
    """Registrations follow the parties, as customers and as dealers; what an un-merge has to know of it. Raises: ProtectionsOverlap."""
    connection = db.connection
    one, other = (customer_queries.of_party(connection, UUID(party)) for party in (keep, drop))
    if one is None and other is not None and queries.registrations(connection, customer_id=other, limit=1):
        customers.ensure(connection, UUID(keep))  # else what is registered would stay with a customer that no party is any more
        one = customer_queries.of_party(connection, UUID(keep))
    ended: list[UUID] = []
    if one is not None and other is not None and one != other:
        ended = parting_queries.ended_just_now(connection, [one, other])
        customers.merge(connection, one, other)
    things = parting_queries.dealers_things(connection, UUID(drop))
    parting_queries.hand_over(connection, things, UUID(drop), UUID(keep), by)
    return {"ended": [str(registration) for registration in ended], "things": things}


def _links_of(db: Cursor, ids: Sequence[str]) -> list[dict[str, Any]]:
    db.execute("SELECT stream_id, key, role, how FROM link WHERE entity_id = ANY(%s::uuid[]) ORDER BY 1, 2", [list(ids)])
    return [dict(row) for row in db]


def _versions_seen(db: Cursor, ids: Sequence[str]) -> dict[str, int]:
    db.execute(
        "SELECT l.stream_id, l.key, o.version FROM link l JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
        "WHERE l.entity_id = ANY(%s::uuid[]) AND l.role <> 'gone' AND NOT o.deleted",
        [list(ids)],
    )
    return {f"{row['stream_id']}/{row['key']}": row["version"] for row in db}


def _open_cases(db: Cursor, drop: str) -> list[dict[str, Any]]:
    db.execute("SELECT id, left_id::text, right_id::text FROM review_case WHERE state = 'open' AND %s IN (left_id, right_id)", [drop])
    return [dict(row) for row in db]


def _as_kept(record: Canonical) -> dict[str, Any]:
    rows = {name: [asdict(row) for row in rows.values()] for name, rows in record.sets.items()}
    return {"number": record.number, "doc": record.doc, "sets": rows}


def _move_links(db: Cursor, keep: str, drop: str, cause: str) -> None:
    db.execute("SELECT stream_id, org FROM link WHERE entity_id = %s AND role = 'primary'", [keep])
    taken = {(row["stream_id"], row["org"]) for row in db}
    db.execute("SELECT stream_id, key, org, role FROM link WHERE entity_id = %s", [drop])
    for row in list(db):
        role = "alias" if row["role"] == "primary" and (row["stream_id"], row["org"]) in taken else row["role"]
        db.execute(
            "UPDATE link SET entity_id = %s, role = %s, how = %s WHERE stream_id = %s AND key = %s",
            [keep, role, f"person:{cause}"[:200], row["stream_id"], row["key"]],
        )


def remerge(hub: Hub, db: Cursor, name: str, ids: Sequence[str], cause: str) -> None:
    """Compute records anew from what their systems last said, and judge their pairs."""
    if not ids:
        return
    state = hub.kind(name)
    existing = store.load(db, state.table, ids, lock=True)
    result = observing.Observed()
    sources = {entity_id: sources_of(hub, db, name, entity_id) for entity_id in existing}
    merged = merge_entities(hub, db, state, {key: value for key, value in sources.items() if value}, existing, result, None, cause)
    deriving.enqueue(db, name, list(merged.values()), existing)
    pairing.judge_pairs(hub, db, name, merged, result)


def catch_up(hub: Hub, name: str, drops: Sequence[str], cause: str) -> int:
    """Compute anew what still cites records that were merged into others, because it was read at the same time; how many."""

    def caught(db: Cursor) -> int:
        citations = Citations(hub, db, name, drops)
        found: dict[str, set[str]] = {}
        for drop in drops:
            for entity, ids in citations.of(drop).items():
                found.setdefault(entity, set()).update(ids)
        for entity, records in found.items():
            remerge(hub, db, entity, sorted(records), cause)
        return sum(map(len, found.values()))

    return hub.settle(caught)


def catch_up_all(hub: Hub) -> int:
    """The same for the merges of the last two days: a page that was being read during one had looked up the old record."""
    with hub.transaction() as db:
        db.execute(
            "SELECT entity, array_agg(drop_id::text) AS drops FROM merge_event m WHERE kind = 'merge' AND at > now() - interval '2 days' "
            "AND NOT EXISTS (SELECT FROM merge_event u WHERE u.undoes = m.id) GROUP BY entity"
        )
        merged = [(row["entity"], row["drops"]) for row in db]
    return sum(catch_up(hub, entity, drops, "what it named was merged") for entity, drops in merged)


# Un-merge -----------------------------------------------------------------------------------------------------------------


def list_merges(
    hub: Hub, *, entity: str | None = None, entity_id: str | None = None, after: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """Merges with their edges, the oldest first; `undone_at` of those that were undone."""
    with hub.transaction() as db:
        db.execute(
            "SELECT m.id, m.entity, m.keep_id::text AS keep_id, m.drop_id::text AS drop_id, m.at, m.by, m.cause, m.edges, "
            "u.at AS undone_at, u.by AS undone_by FROM merge_event m LEFT JOIN merge_event u ON u.undoes = m.id WHERE m.kind = 'merge' "
            "AND (%(entity)s::text IS NULL OR m.entity = %(entity)s) AND m.id > %(after)s "
            "AND (%(id)s::uuid IS NULL OR %(id)s::uuid IN (m.keep_id, m.drop_id)) ORDER BY m.id LIMIT %(limit)s",
            {"entity": entity, "id": entity_id, "after": after, "limit": limit},
        )
        return [dict(row) for row in db]


def unmerge(hub: Hub, merge_id: int, by: str, reason: str = "") -> Undone:
    """Take a merge back: each record is computed from its own sources, and the pair is kept apart for ever.

    Raises: NotFound; WrongState when it was undone already, or a later merge of the same records has to be undone first; KeysOutdated.
    """

    def undone(db: Cursor) -> Undone:
        event = _undoable(db, merge_id)
        name, keep, drop = event["entity"], event["keep_id"], event["drop_id"]
        cause = f"merge {merge_id} undone by {by}"
        facts = event["facts"]
        records = store.load(db, TABLES[name], [keep, drop], lock=True)
        db.execute("SELECT record FROM merge_before WHERE merge_id = %s", [merge_id])
        kept = (db.fetchone() or {"record": None})["record"]
        for link in facts["links"]:
            db.execute(
                "UPDATE link SET entity_id = %s, role = CASE role WHEN 'gone' THEN role ELSE %s END, how = %s "
                "WHERE stream_id = %s AND key = %s AND entity_id = %s",
                [drop, link["role"], link["how"], link["stream_id"], link["key"], keep],
            )
        db.execute("DELETE FROM hub_key_alias WHERE hub_key = %s AND entity_id = %s", [records[drop].hub_key, keep])
        db.execute("DELETE FROM desired WHERE entity_id = ANY(%s::uuid[])", [[keep, drop]])
        _keep_apart(db, name, keep, drop, by, reason or "un-merged")
        for case in facts["cases"]:
            db.execute(
                "UPDATE review_case SET left_id = %s, right_id = %s WHERE id = %s AND state = 'open'",
                [case["left_id"], case["right_id"], case["id"]],
            )
        done = Undone(merge_id, name, keep, drop)
        targets = {keep: _as_before(records[keep], kept), drop: replace(records[drop], retired=False)}
        _put_back(hub, db, name, records, targets, facts["seen"], cause, done)
        _put_back_citing(hub, db, facts["citing"], keep, cause, done)
        if name == "party":
            _part_customers(db, event, by, done)
        db.execute(
            "INSERT INTO merge_event (kind, undoes, entity, keep_id, drop_id, by, cause, facts) "
            "VALUES ('unmerge', %s, %s, %s, %s, %s, %s, %s)",
            [
                merge_id,
                name,
                keep,
                drop,
                by,
                reason or cause,
                json_text({"restored": done.restored, "edited": [one["id"] for one in done.edited]}),
            ],
        )
        return done

    return hub.settle(undone)


def _undoable(db: Cursor, merge_id: int) -> dict[str, Any]:
    db.execute(
        "SELECT m.id, m.entity, m.keep_id::text AS keep_id, m.drop_id::text AS drop_id, m.facts, m.at, "
        "(SELECT u.at FROM merge_event u WHERE u.undoes = m.id) AS undone, "
        "(SELECT min(o.id) FROM merge_event o LEFT JOIN merge_event u ON u.undoes = o.id "
        "WHERE o.kind = 'merge' AND u.id IS NULL AND o.id > m.id "
        "AND (m.keep_id IN (o.keep_id, o.drop_id) OR m.drop_id IN (o.keep_id, o.drop_id))) AS later "
        "FROM merge_event m WHERE m.id = %s AND m.kind = 'merge' FOR UPDATE OF m",
        [merge_id],
    )
    row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no merge {merge_id}", next_step="list the merges of the record")
    if row["undone"] is not None:
        raise WrongState(f"merge {merge_id} was undone on {row['undone']:%Y-%m-%d}", next_step="nothing: the two are kept apart")
    if row["later"] is not None:
        raise WrongState(f"merge {row['later']} came later and concerns the same record", next_step=f"undo merge {row['later']} first")
    return dict(row)


def _keep_apart(db: Cursor, name: str, keep: str, drop: str, by: str, reason: str) -> None:
    db.execute(
        "INSERT INTO review_case (kind, entity, left_id, right_id, state, decided_at, decided_by, reason) "
        "VALUES ('same_record', %s, %s, %s, 'different', now(), %s, %s) ON CONFLICT DO NOTHING",
        [name, keep, drop, by, reason],
    )
    db.execute(
        "UPDATE review_case SET state = 'different', decided_at = now(), decided_by = %s, reason = %s WHERE entity = %s AND state = 'open' "
        "AND least(left_id, right_id) = least(%s::uuid, %s::uuid) AND greatest(left_id, right_id) = greatest(%s::uuid, %s::uuid)",
        [by, reason, name, keep, drop, keep, drop],
    )


def _part_customers(db: Cursor, event: Mapping[str, Any], by: str, done: Undone) -> None:
    """Registrations go back to their dealers and customers, and what the merge had decided about them is decided anew."""
    connection, since = db.connection, event["at"]
    keep, drop, facts = UUID(event["keep_id"]), UUID(event["drop_id"]), event["facts"]
    parting_queries.hand_over(connection, facts.get("things", {}), keep, drop, by)
    parting_queries.hand_over_by_deals(connection, keep, drop, since)
    db.execute("SELECT id, root FROM customer WHERE party_id = %s AND merged_into IS NOT NULL", [drop])
    lost = db.fetchone()
    if lost is None:
        return
    parting_queries.name_by_deals(connection, drop, lost["id"], since)
    ended = [UUID(registration) for registration in facts.get("ended", ())]
    parted = parting.part(connection, lost["root"], lost["id"], since=since, ended=ended, by=by, reason="un-merged")
    done.judged.extend(asdict(one) for one in parted.judged)
    done.to_check.extend(parted.to_check)
    if parted.to_check:
        facts = {
            "zh": f"撤销合并 {event['id']} 后有 {len(parted.to_check)} 条报备需人工核对",
            "en": f"After merge {event['id']} was undone, a person should look at {len(parted.to_check)} registrations",
            "registrations": parted.to_check,
        }
        notices.post(db, Message("unmerge_to_check", MANAGER, f"merge:{event['id']}", facts))


def _as_before(record: Canonical, kept: Mapping[str, Any] | None) -> Canonical:
    if kept is None:
        return record
    sets = {name: {row["id"]: Row(**row) for row in rows} for name, rows in kept["sets"].items()}
    return replace(record, number=kept["number"], doc=kept["doc"], sets=sets)


def _put_back(
    hub: Hub,
    db: Cursor,
    name: str,
    records: Mapping[str, Canonical],
    targets: Mapping[str, Canonical],
    seen: Mapping[str, int],
    cause: str,
    done: Undone,
) -> None:
    """Each record as it was, where its own sources say what they said; else computed from what they say now, and told."""
    state = hub.kind(name)
    changed: list[Canonical] = []
    for entity_id, before in targets.items():
        now = _versions_seen(db, [entity_id])
        after = before
        if any(seen.get(record) != version for record, version in now.items()) or not now:
            after = _computed(hub, db, name, before)
        differing = sorted(changed_fields(before, after.doc, after.sets, after.number))
        if differing:
            done.edited.append({"entity": name, "id": entity_id, "fields": differing})
        else:
            after = before
            done.restored.append(entity_id)
        changed.append(replace(after, version=records[entity_id].version + 1))
    store.update(db, state.table, records, changed)
    history = [
        (
            record.id,
            record.version,
            {**changed_fields(records[record.id], record.doc, record.sets, record.number), "unmerged": [None, cause]},
        )
        for record in changed
    ]
    store.write_history(db, state.policy, None, cause, history)
    present = {record.id: record for record in changed}
    deriving.enqueue(db, name, changed, records)
    pairing.judge_pairs(hub, db, name, present, observing.Observed())


def _computed(hub: Hub, db: Cursor, name: str, before: Canonical) -> Canonical:
    """A record from what its own systems say now; what only it knew (first values, derived fields) from before the merge."""
    sources = sources_of(hub, db, name, before.id)
    if not sources:
        return before
    return computed(hub, db, hub.kind(name), before, sources)


def _put_back_citing(hub: Hub, db: Cursor, cited: Mapping[str, Sequence[str]], keep: str, cause: str, done: Undone) -> None:
    """What cited the record that came back, and what has come to cite the other one since: computed anew, so that each names its own."""
    for entity, now in Citations(hub, db, done.entity, [keep]).of(keep).items():
        ids = sorted(set(cited.get(entity, ())) | set(now))
        before = store.load(db, TABLES[entity], ids)
        remerge(hub, db, entity, ids, cause)
        for number, record in store.load(db, TABLES[entity], ids).items():
            if record.version != before[number].version:
                done.restored.append(number)
