"""The hub as a system: its edits and the decisions of its rules are records like any other, with the fields it owns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from canonical.ids import new_hub_key, new_id_text
from ledger.bulk import from_json, json_text
from ledger.tables import TABLES
from sync import observing, pairing, scope, store
from sync.canonicals import merge_entities
from sync.decide import Canonical
from sync.errors import NotAllowed, NotFound, Stale
from sync.fingerprints import fingerprint
from sync.hub import Cursor, Hub
from sync.policy import EntityPolicy
from sync.sources import add_siblings, hub_source


def put(
    hub: Hub,
    db: Cursor,
    name: str,
    key: str,
    fields: Mapping[str, Any],
    sets: Mapping[str, Mapping[str, Any]],
    *,
    cause: str,
    entity_id: str | None = None,
    new: bool = False,
) -> Canonical:
    """Store a record of the hub's own and merge it. A key that is there already is replaced; nothing happens when it says the same.

    `entity_id`: the canonical record it is about; None makes a new one. With `new` it is the id of the one to make, if there is none yet.
    """
    stream = hub.kind(name).id
    payload = {"fields": dict(fields), "sets": {child: dict(rows) for child, rows in sets.items()}}
    db.execute("SELECT entity_id::text AS entity_id FROM link WHERE stream_id = %s AND key = %s", [stream, key])
    linked = db.fetchone()
    fresh: dict[str, str] = {}
    if linked is not None:
        entity_id = linked["entity_id"]
    elif entity_id is None or new:
        entity_id = entity_id or new_id_text()
        fresh[entity_id] = new_hub_key()
    db.execute(
        "INSERT INTO observed (stream_id, key, fingerprint, payload) VALUES (%s, %s, %s, %s) ON CONFLICT (stream_id, key) DO UPDATE "
        "SET fingerprint = excluded.fingerprint, payload = excluded.payload, version = observed.version + 1, read_at = now() "
        "WHERE observed.fingerprint <> excluded.fingerprint",
        [stream, key, fingerprint(payload), json_text(payload)],
    )
    # What a rule made and what a person then edited are two records of the hub about one thing: the first is primary, keys order them.
    db.execute(
        "INSERT INTO link (stream_id, key, entity_id, how, role) SELECT %(stream)s, %(key)s, %(id)s, 'hub', "
        "CASE WHEN EXISTS (SELECT FROM link WHERE stream_id = %(stream)s AND entity_id = %(id)s AND role = 'primary') "
        "THEN 'alias' ELSE 'primary' END ON CONFLICT (stream_id, key) DO NOTHING",
        {"stream": stream, "key": key, "id": entity_id},
    )
    state = hub.kind(name)
    existing = store.load(db, state.table, [entity_id], lock=True)
    sources = {entity_id: [hub_source(stream, key, payload)]}
    result = observing.Observed()
    add_siblings(hub, db, state, sources, existing, set(), result, skip=(stream, key))
    merged = merge_entities(hub, db, state, sources, existing, result, None, cause, fresh)
    pairing.judge_pairs(hub, db, name, merged, result)
    return merged[entity_id]


def edit(hub: Hub, name: str, entity_id: str, changes: Mapping[str, Any], by: str, *, expected: int | None = None) -> int:
    """Change fields through the hub; returns the new version. Values are in document form.

    `expected`: the version that the editor saw. Two editors of one record take turns; the second one's fields are added to the first one's.
    Raises: NotFound; Stale when the record is not at the expected version any more; NotAllowed for a field whose owners do not include the
    hub: it would be overwritten by its owner at once.
    """
    return hub.settle(lambda db: edited(hub, db, name, entity_id, changes, by, expected=expected))


def edited(hub: Hub, db: Cursor, name: str, entity_id: str, changes: Mapping[str, Any], by: str, *, expected: int | None = None) -> int:
    """The same inside the caller's transaction. Nothing is written when it raises."""
    policy = hub.kind(name).policy
    unknown = [path for path in changes if path not in policy.owners]
    if unknown:
        raise NotFound(f"{name} has no field {unknown[0]}", next_step="see docs/data-model.md")
    current = store.load(db, TABLES[name], [entity_id], lock=True).get(entity_id)
    if current is None:
        raise NotFound(f"there is no {name} {entity_id}", next_step="name its id")
    policy = policy.of_record(current.doc, scope.company_numbers(db)) if policy.by_company else policy
    _refuse_others_fields(policy, changes)
    if expected is not None and current.version != expected:
        raise Stale(f"{name} {entity_id} is at version {current.version}, not {expected}", next_step="read it again, then repeat the edit")
    if name == "quote":
        _refuse_steps(db, entity_id, changes)
    key = f"edit/{entity_id}"
    db.execute("SELECT payload FROM observed WHERE stream_id = %s AND key = %s", [hub.hub_streams[name], key])
    row = db.fetchone()
    fields = from_json(row["payload"])["fields"] if row else {}
    return put(hub, db, name, key, {**fields, **changes}, {}, cause=f"edit by {by}", entity_id=entity_id).version


_FREE_OF_A_QUOTE = frozenset({"contact", "delivery_date"})


def _refuse_steps(db: Cursor, quote: str, paths: Iterable[str]) -> None:
    """What a quote of the hub's own says is decided by its versions and steps: an edit would go around authority and approval."""
    db.execute("SELECT number FROM quote_offer WHERE id = %s", [quote])
    offer = db.fetchone()
    wrong = sorted(set(paths) - _FREE_OF_A_QUOTE)
    if offer is not None and wrong:
        raise NotAllowed(
            f"{wrong[0]} of quote {offer['number']} is decided by its versions and steps",
            where="quote",
            next_step="make a new version, or send, accept or lose it",
        )


def _refuse_others_fields(policy: EntityPolicy, paths: Iterable[str]) -> None:
    for path in paths:
        if "hub" not in policy.owners[path] or path in policy.derived:
            owner = policy.owners[path][0]
            raise NotAllowed(
                f"{path} is decided by {owner}{policy.told_company(path)}",
                where=policy.entity,
                next_step=f"edit it in {owner}, or name hub among its owners in hub.yaml",
            )
