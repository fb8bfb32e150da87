"""Who a record is: links by sure keys, cases for people where there is doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from canonical.ids import new_hub_key, new_hub_keys, new_id_text
from ledger.bulk import copy_columns, copy_lines, copy_text, json_text, text_column
from sync.decide_identity import Claim, Identity, Known, identify
from sync.hub import Cursor, Hub
from sync.references import References
from sync.streams import StreamState

if TYPE_CHECKING:
    from sync.observing import Observed, Seen

Pair = tuple[str, str]
NEW = Identity(None, "new")
BY_NUMBER = "erp_number"
"""The kind of sure key that is the record's own business number."""


def link(hub: Hub, db: Cursor, state: StreamState, items: Sequence[Seen], refs: References, result: Observed) -> dict[str, str]:
    """Link records that are not linked yet; returns the new entities with their hub keys.

    Records of a stream that decides nothing are linked by the hub key they carry, or not at all.
    """
    owners = _owners_of_hub_keys(db, state, items)
    by_number = {} if state.decides else _owners_by_number(db, hub, state, [item for item in items if not _hub_key(state, item)])
    known = [item for item in items if item.record.key in owners or item.record.key in by_number] if not state.decides else items
    facts = _Facts(db, state, items) if state.decides and _have_keys(items) else None
    if facts is None and state.decides and not owners:
        return _link_new(db, state, items, refs, result)
    learned = state.name in state.mapping.cited
    fresh: dict[str, str] = {}
    linked: list[tuple[Seen, str, str]] = []
    cases: list[tuple[str, str, str]] = []
    for item in known:
        owner = owners.get(item.record.key) or by_number.get(item.record.key)
        if facts is None and owner is None:
            identity = NEW
        elif facts is None:
            how = "sure:number" if item.record.key in by_number else "hub_key"
            identity = Identity(owner, how, alias=_taken(db, state, str(owner), item.record.org))
        else:
            claim = _claim(state, item, owner)
            identity = identify(claim, facts.matches, facts.sure_of, facts.present)
        entity_id = identity.entity_id
        if entity_id is None:
            entity_id = new_id_text()
            fresh[entity_id] = new_hub_key()
        if identity.doubts:
            cases.extend((entity_id, other, why) for other, why in identity.doubts)
        item.entity_id, item.role = entity_id, "alias" if identity.alias else "primary"
        number = _number(state, item)
        linked.append((item, number, identity.how))
        if learned:
            refs.learn(state.name, item.record.key, number, entity_id)
        if facts is not None:
            facts.learn(claim, entity_id, item.role)
    _store_links(db, state, [item for item, _, _ in linked], [number for _, number, _ in linked], [how for _, _, how in linked])
    if facts is not None:
        _store_keys(db, state, [item for item, _, _ in linked])
    result.linked += len(linked)
    for left, right, why in cases:
        result.cases += open_case(db, state.entity, left, right, why)
    return fresh


def _link_new(db: Cursor, state: StreamState, items: Sequence[Seen], refs: References, result: Observed) -> dict[str, str]:
    """Link records that nothing else can be: documents, nearly always. A page draws its hub keys at once."""
    numbers = [_number(state, item) for item in items]
    for item in items:
        item.entity_id = new_id_text()
    if state.name in state.mapping.cited:
        for item, number in zip(items, numbers, strict=True):
            refs.learn(state.name, item.record.key, number, str(item.entity_id))
    _store_links(db, state, items, numbers, repeat(NEW.how))
    result.linked += len(items)
    return dict(zip([str(item.entity_id) for item in items], new_hub_keys(len(items)), strict=True))


def _number(state: StreamState, item: Seen) -> str:
    return (item.candidate.number if item.candidate else "") or str(item.record.payload.get(state.decl.number) or "")


def _store_links(db: Cursor, state: StreamState, items: Sequence[Seen], numbers: Sequence[str], hows: Iterable[str]) -> None:
    copy_columns(
        db,
        "link",
        {
            "stream_id": repeat(str(state.id)),
            "key": text_column([item.record.key for item in items]),
            "org": text_column([item.record.org for item in items]),
            "number": text_column(numbers),
            "entity_id": [str(item.entity_id) for item in items],
            "role": [item.role for item in items],
            "how": hows,
        },
    )


def _store_keys(db: Cursor, state: StreamState, items: Sequence[Seen]) -> None:
    lines = [line for item in items for line in _identity_lines(state, item)]
    copy_lines(db, "identity_key", ["entity", "kind", "value", "sure", "stream_id", "key", "org"], lines)


def refresh(db: Cursor, state: StreamState, items: Sequence[Seen], result: Observed) -> None:
    """Keep the keys and the number of linked records as they are now; two entities that now share a sure key become a case."""
    told = [item for item in items if item.candidate is not None]
    if not told:
        return
    db.execute(
        "UPDATE link l SET number = v.number FROM unnest(%s::text[], %s::text[]) AS v(key, number) "
        "WHERE l.stream_id = %s AND l.key = v.key AND v.number <> '' AND l.number <> v.number",
        [[item.record.key for item in told], [item.candidate.number if item.candidate else "" for item in told], state.id],
    )
    # Also of records that have no keys any more: an emptied number must neither match nor stay.
    db.execute("DELETE FROM identity_key WHERE stream_id = %s AND key = ANY(%s)", [state.id, [item.record.key for item in told]])
    if not any(_keys(item) for item in told):
        return
    _store_keys(db, state, told)
    facts = _Facts(db, state, told)
    for item in told:
        for key in _sure(item):
            for known in facts.matches.get(key, ()):
                if known.entity_id != item.entity_id:
                    result.cases += open_case(db, state.entity, str(item.entity_id), known.entity_id, f"{key[0]} became the same")


def open_case(db: Cursor, name: str, left: str, right: str, why: str, kind: str = "same_record") -> int:
    """A question for a person, asked once per pair; 1 when it is new. A pair that was told apart stays apart."""
    db.execute(
        "INSERT INTO review_case (kind, entity, left_id, right_id, evidence) VALUES (%s, %s, %s, %s, %s::jsonb) "
        "ON CONFLICT (entity, least(left_id, right_id), greatest(left_id, right_id)) WHERE state <> 'same' DO NOTHING RETURNING id",
        [kind, name, left, right, json_text([why])],
    )
    return int(db.fetchone() is not None)


def _sure(item: Seen) -> list[Pair]:
    """A record's sure keys. A document's own number is no key to search by: its link has it."""
    return [pair for pair in item.candidate.identity if pair[0] != BY_NUMBER] if item.candidate else []


def _have_keys(items: Sequence[Seen]) -> bool:
    """Whether any record has a key to search by."""
    for item in items:
        candidate = item.candidate
        if candidate is None:
            continue
        if candidate.likeness:
            return True
        for kind, _ in candidate.identity:  # asked of every record: a generator would be most of the price
            if kind != BY_NUMBER:
                return True
    return False


def _keys(item: Seen) -> list[Pair]:
    return [*_sure(item), *item.candidate.likeness] if item.candidate else []


def _owners_by_number(db: Cursor, hub: Hub, state: StreamState, items: Sequence[Seen]) -> dict[str, str]:
    """For records of a stream that decides nothing: the one entity whose number, in a system that decides, they cite, by key."""
    if not items or not state.number_path:
        return {}
    cited = {item.record.key: str(item.record.payload.get(state.number_path) or "").strip() for item in items}
    deciding = [other.id for other in hub.streams_for(state.entity) if other.decides]
    db.execute(
        "SELECT number, min(entity_id::text) AS id FROM link WHERE stream_id = ANY(%s) AND number = ANY(%s) AND role <> 'gone' "
        "GROUP BY number HAVING count(DISTINCT entity_id) = 1",
        [deciding, [number for number in cited.values() if number]],
    )
    known = {row["number"]: row["id"] for row in db}
    counts: dict[str, int] = {}
    for number in cited.values():
        counts[number] = counts.get(number, 0) + 1
    return {key: known[number] for key, number in cited.items() if number in known and counts[number] == 1}


def _hub_key(state: StreamState, item: Seen) -> str:
    place = state.decl.hub_key
    return str(item.record.payload.get(place.field) or "").strip() if place else ""


def _owners_of_hub_keys(db: Cursor, state: StreamState, items: Sequence[Seen]) -> dict[str, str]:
    """By record key: the entity whose hub key the record carries."""
    place = state.decl.hub_key
    if place is None:
        return {}
    field = place.field
    carried = {item.record.key: key for item in items if (told := item.record.payload.get(field)) and (key := str(told).strip())}
    if not carried:
        return {}
    db.execute(
        f"SELECT hub_key, id::text AS id FROM {state.table.name} WHERE hub_key = ANY(%(keys)s) "
        "UNION ALL SELECT hub_key, entity_id::text FROM hub_key_alias WHERE entity = %(entity)s AND hub_key = ANY(%(keys)s)",
        {"keys": list(set(carried.values())), "entity": state.entity},
    )
    owners = {row["hub_key"]: row["id"] for row in db}
    return {record: owners[key] for record, key in carried.items() if key in owners}


def _taken(db: Cursor, state: StreamState, entity_id: str, org: str) -> bool:
    db.execute("SELECT 1 FROM link WHERE stream_id = %s AND entity_id = %s AND org = %s AND role = 'primary'", [state.id, entity_id, org])
    return db.fetchone() is not None


def _claim(state: StreamState, item: Seen, owner: str | None) -> Claim:
    candidate = item.candidate
    return Claim(
        state.id,
        item.record.key,
        item.record.org,
        _sure(item),
        candidate.likeness if candidate else (),
        owner,
    )


def _identity_lines(state: StreamState, item: Seen) -> list[str]:
    if item.candidate is None:
        return []
    tail = "\t".join([str(state.id), copy_text(item.record.key), copy_text(item.record.org)])
    marked = {**dict.fromkeys(item.candidate.likeness, "f"), **dict.fromkeys(_sure(item), "t")}
    return ["\t".join([state.entity, kind, copy_text(value), sure, tail]) for (kind, value), sure in marked.items()]


class _Facts:
    """What the ledger knows about everybody who shares a key with these records."""

    def __init__(self, db: Cursor, state: StreamState, items: Sequence[Seen]) -> None:
        # Two streams that bring the same new party at one moment must not both make it.
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended('identify:' || %s, 0))", [state.entity])
        pairs = {pair for item in items for pair in _keys(item)}
        db.execute(
            "SELECT i.kind, i.value, i.stream_id, i.key, i.org, l.entity_id::text AS entity_id FROM identity_key i "
            "JOIN unnest(%s::text[], %s::text[]) AS v(kind, value) ON i.kind = v.kind AND i.value = v.value "
            "JOIN link l ON (l.stream_id, l.key) = (i.stream_id, i.key) WHERE i.entity = %s AND l.role <> 'gone'",
            [[kind for kind, _ in pairs], [value for _, value in pairs], state.entity],
        )
        self.matches: dict[Pair, list[Known]] = {}
        for row in db:
            known = Known(row["entity_id"], row["stream_id"], row["key"], row["org"])
            self.matches.setdefault((row["kind"], row["value"]), []).append(known)
        entities = list({known.entity_id for group in self.matches.values() for known in group})
        self.sure_of: dict[str, dict[str, set[str]]] = {}
        self.present: dict[str, set[tuple[int, str]]] = {}
        if entities:
            self._ask(db, entities)

    def _ask(self, db: Cursor, entities: Sequence[str]) -> None:
        db.execute(
            "SELECT l.entity_id::text AS entity_id, i.kind, i.value FROM link l "
            "JOIN identity_key i ON (i.stream_id, i.key) = (l.stream_id, l.key) "
            "WHERE l.entity_id = ANY(%s::uuid[]) AND i.sure AND l.role <> 'gone'",
            [entities],
        )
        for row in db:
            self.sure_of.setdefault(row["entity_id"], {}).setdefault(row["kind"], set()).add(row["value"])
        db.execute(
            "SELECT entity_id::text AS entity_id, stream_id, org FROM link WHERE entity_id = ANY(%s::uuid[]) AND role = 'primary'",
            [entities],
        )
        for row in db:
            self.present.setdefault(row["entity_id"], set()).add((row["stream_id"], row["org"]))

    def learn(self, claim: Claim, entity_id: str, role: str) -> None:
        """A record of this very page was linked; the next may be the same party."""
        for pair in (*claim.sure, *claim.weak):
            self.matches.setdefault(pair, []).append(Known(entity_id, claim.stream_id, claim.key, claim.org))
        for kind, value in claim.sure:
            self.sure_of.setdefault(entity_id, {}).setdefault(kind, set()).add(value)
        if role == "primary":
            self.present.setdefault(entity_id, set()).add((claim.stream_id, claim.org))


def evidence(row: Mapping[str, Any]) -> str:
    """Why two records might be one, in words."""
    return "; ".join(str(part) for part in row["evidence"])
