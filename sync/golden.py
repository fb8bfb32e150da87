"""Golden records: which parties are one firm, proposed in batch; what is sure may be joined by policy, the rest is asked of people.

Never joined: two parties with different valid 统一社会信用代码, and a pair that a person told apart. Where two dealers hold what would be
one customer, the earlier protection stays, once a person has said so, and both are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from channel.deals import acting
from channel.deals.customers import queries as customer_queries
from channel.deals.errors import ProtectionsOverlap
from channel.deals.matching import codes
from channel.deals.protection import LIVE
from channel.deals.telling import merged
from channel.notices.messages import Message, to_party
from ledger.bulk import json_text
from sync import merging, notices
from sync.citing import Citations
from sync.errors import WrongState
from sync.hub import Cursor, Hub
from sync.identifying import open_case

TWO_PROTECTIONS = "two_protections"
"""Kind of case: the two are one firm, and two dealers hold it."""
SURE_BITS = 10.0
"""A pair that policy may join without a person: about 1,000 to 1, and the same valid code beside it."""
ASK_BITS = 0.0
"""From here a pair is asked about: more likely one firm than not. What is less likely is not, for a record in an open case is held."""
QUESTIONS = 1000
"""Pairs of parties about which people are asked at one time. What is in an open case is held: a run that asked about everything that a
careless import made alike would stop half the channel. The likeliest are asked first, the others when those are answered."""
VALID = ("protected", "converted")


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of joining two records: a merge, or a case for a person."""

    merge_id: int | None = None
    case_id: int | None = None


@dataclass(slots=True)
class Proposed:
    """What a batch run found. Units: records, pairs."""

    parties: int = 0
    clusters: int = 0
    merged: int = 0
    cases: int = 0
    """New questions for people."""
    known: int = 0
    """Pairs that people have been asked about already."""
    waiting: int = 0
    """Pairs that are asked about by a later run, since so many questions are open (:data:`QUESTIONS`)."""
    version: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


# Joining two --------------------------------------------------------------------------------------------------------------


def join(
    hub: Hub,
    entity: str,
    one: str,
    other: str,
    *,
    by: str,
    cause: str,
    edges: Sequence[merging.Edge] = (),
    citations: Citations | None = None,
) -> Joined:
    """Two records are one; the older id stays. When two dealers hold them, nothing is joined and a case says who was first.

    Raises: WrongState when a person told them apart, or their valid codes differ.
    """
    return hub.settle(lambda db: joined(hub, db, entity, one, other, by=by, cause=cause, edges=edges, citations=citations))


def joined(
    hub: Hub,
    db: Cursor,
    entity: str,
    one: str,
    other: str,
    *,
    by: str,
    cause: str,
    reason: str = "",
    edges: Sequence[merging.Edge] = (),
    citations: Citations | None = None,
) -> Joined:
    """The same inside the caller's transaction; `reason` goes with the open cases about the two, which are answered by it.

    `citations`: who cites them, asked for at once where many are joined.

    Raises: WrongState when a person told them apart, or their valid codes differ.
    """
    keep, drop = sorted([one, other])
    _refuse(db, entity, keep, drop)
    try:
        with db.connection.transaction():
            _close_cases(db, entity, keep, drop, by, reason)  # before the merge, which would hold what is in an open case
            return Joined(merge_id=merging.merge(hub, db, entity, keep, drop, cause, by=by, edges=edges, citations=citations))
    except ProtectionsOverlap:
        return Joined(case_id=overlap_case(db, entity, keep, drop))


def _refuse(db: Cursor, entity: str, keep: str, drop: str) -> None:
    db.execute(
        "WITH RECURSIVE inside(root, id) AS (VALUES (%(keep)s::uuid, %(keep)s::uuid), (%(drop)s::uuid, %(drop)s::uuid) "
        "UNION SELECT i.root, m.drop_id FROM inside i JOIN merge_event m ON m.keep_id = i.id AND m.kind = 'merge' "
        "WHERE NOT EXISTS (SELECT FROM merge_event u WHERE u.undoes = m.id)) "
        "SELECT c.decided_by, c.decided_at FROM review_case c JOIN inside a ON a.root = %(keep)s AND a.id IN (c.left_id, c.right_id) "
        "JOIN inside b ON b.root = %(drop)s AND b.id IN (c.left_id, c.right_id) WHERE c.state = 'different' "
        "AND c.entity = %(entity)s LIMIT 1",
        {"keep": keep, "drop": drop, "entity": entity},
    )
    told = db.fetchone()
    if told is not None:
        raise WrongState(f"{told['decided_by']} told these two apart", next_step="they are never joined again; ask who decided it")
    if entity == "party":
        db.execute("SELECT id, uscc FROM parties WHERE id = ANY(%s::uuid[])", [[keep, drop]])
        orgs = {codes.organisation(code) for row in db if codes.valid(code := codes.normalise(row["uscc"] or ""))}
        if len(orgs) > 1:
            raise WrongState("their 统一社会信用代码 differ, and both are valid: two firms", next_step="correct the code where it is wrong")


def _close_cases(db: Cursor, entity: str, keep: str, drop: str, by: str, reason: str) -> None:
    db.execute(
        "UPDATE review_case SET state = 'same', decided_at = now(), decided_by = %s, reason = coalesce(nullif(%s, ''), reason) "
        "WHERE state = 'open' AND entity = %s AND least(left_id, right_id) = %s AND greatest(left_id, right_id) = %s",
        [by, reason, entity, keep, drop],
    )


# Two protections ----------------------------------------------------------------------------------------------------------


def overlap_case(db: Cursor, entity: str, keep: str, drop: str) -> int:
    """The question whether two protected customers are one, with who was first; its id. An open question about the pair becomes it."""
    standing = _live(db, keep, drop)
    said = [f"{row['status']} since {row['submitted_at']:%Y-%m-%d %H:%M:%S}: registration {row['id']}" for row in standing]
    evidence = ["both are held; `same` keeps the first and takes the others back, and their dealers are told", *said]
    open_case(db, entity, keep, drop, evidence[0], TWO_PROTECTIONS)
    db.execute(
        "UPDATE review_case SET kind = %s, evidence = (SELECT jsonb_agg(DISTINCT e) FROM jsonb_array_elements(evidence || %s::jsonb) AS e) "
        "WHERE entity = %s AND state = 'open' AND least(left_id, right_id) = least(%s::uuid, %s::uuid) "
        "AND greatest(left_id, right_id) = greatest(%s::uuid, %s::uuid) RETURNING id",
        [TWO_PROTECTIONS, json_text(evidence), entity, keep, drop, keep, drop],
    )
    row = db.fetchone()
    if row is None:
        raise WrongState("a person told these two apart", next_step="they are never joined again; ask who decided it")
    return int(row["id"])


def _live(db: Cursor, keep: str, drop: str) -> list[dict[str, Any]]:
    """Registrations that stand on both customers, who comes first at the head: protected before asked for, then the earlier one."""
    ids = [customer_queries.of_party(db.connection, UUID(party)) for party in (keep, drop)]
    db.execute(
        "SELECT id, customer_id, dealer_id, status, submitted_at, coalesce(nullif(claim->>'name', ''), claim->>'uscc', '') AS customer "
        "FROM registration WHERE customer_id = ANY(%s::bigint[]) "
        "AND status = ANY(%s::text[]) ORDER BY status <> ALL(%s::text[]), submitted_at, id FOR UPDATE",
        [[number for number in ids if number is not None], list(LIVE), list(VALID)],
    )
    return [dict(row) for row in db]


def settle_protections(db: Cursor, keep: str, drop: str, by: str) -> list[str]:
    """The earliest valid protection stays; those of the other customer that overlap it are taken back, and all dealers are told.

    Returns the registrations that were taken back. The dealers that lose are told by the registration's own event.
    """
    stays: list[Mapping[str, Any]] = []
    taken: list[str] = []
    for row in _live(db, keep, drop):
        against = next((held for held in stays if held["customer_id"] != row["customer_id"] and _overlap(db, held, row)), None)
        if against is None:
            stays.append(row)
            continue
        acting.take_back(db.connection, row["id"], by, "its customer is one with another that was protected first", "merged")
        taken.append(str(row["id"]))
        if against["dealer_id"] is not None:
            zh, en = merged(against["customer"])
            facts = {"zh": zh, "en": en, "registration": str(against["id"])}
            notices.post(db, Message("protections_merged", to_party(against["dealer_id"]), f"registration:{against['id']}", facts))
    return taken


def _overlap(db: Cursor, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    db.execute(
        "SELECT a.lines && b.lines AND a.protected && b.protected AS meet FROM registration a, registration b "
        "WHERE a.id = %s AND b.id = %s",
        [one["id"], other["id"]],
    )
    return bool((db.fetchone() or {"meet": False})["meet"])


# In batch -----------------------------------------------------------------------------------------------------------------


Tell = Callable[[str, int, int], None]
"""Told of a step by its name, how far it is, and of how much; of 0: nobody knows how much there is."""


def silent(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


def propose(hub: Hub, *, by: str = "rule:golden", merge_sure: bool = False, engine: str = "duckdb", tell: Tell = silent) -> Proposed:
    """Resolve all parties of all systems: what is sure is joined when `merge_sure` says so, everything else likely is a case.

    Sure: the same valid code on both, at :data:`SURE_BITS` or more. Our own companies are left out. Reads the ledger set-based.
    `tell`: told of each step as it ends; for a run that others watch see :mod:`sync.proposing`. Raises: EngineMissing.
    """
    from channel.parties import resolving  # noqa: PLC0415  an optional library

    with hub.transaction() as db:
        rows = _parties(db)
        apart = _told_apart(db)
    tell("read", len(rows), 1)
    found = resolving.resolve(rows, apart=apart, engine=engine, tell=tell)
    orgs = {row[0]: codes.organisation(code) for row in rows if codes.valid(code := codes.normalise(row[2]))}
    done = Proposed(parties=found.records, clusters=len(found.clusters), version=found.version)
    gone: dict[str, str] = {}
    likely = [(doubt.left, doubt.right, doubt.bits) for doubt in found.doubts if doubt.bits >= ASK_BITS]
    sure: list[tuple[str, str, float]] = []
    for (left, right), bits in sorted(found.edges.items(), key=lambda edge: (-edge[1], edge[0])):
        same_code = orgs.get(left) is not None and orgs.get(left) == orgs.get(right)
        (sure if merge_sure and same_code and bits >= SURE_BITS else likely).append((left, right, bits))
    if sure:
        _join_all(hub, sure, gone, done, by)
    tell("join", 1, 1)
    _ask(hub, [(_root(gone, left), _root(gone, right), bits) for left, right, bits in likely], done)
    tell("ask", 1, 1)
    return done


def _join_all(hub: Hub, sure: Sequence[tuple[str, str, float]], gone: dict[str, str], done: Proposed, by: str) -> None:
    cause = f"golden records {done.version}"
    with hub.transaction() as db:  # who cites whom is asked for once, however many are joined
        citations = Citations(hub, db, "party", {party for left, right, _ in sure for party in (left, right)})
    for left, right, bits in sure:
        one, other = _root(gone, left), _root(gone, right)
        if one == other:
            continue
        made = join(hub, "party", one, other, by=by, cause=cause, edges=[_edge(left, right, bits)], citations=citations)
        if made.merge_id is not None:
            gone[max(one, other)] = min(one, other)
        done.merged += made.merge_id is not None
        done.cases += made.case_id is not None
    merging.catch_up(hub, "party", list(gone), cause)  # what has come to cite them since it was asked


def _root(gone: Mapping[str, str], party: str) -> str:
    while party in gone:
        party = gone[party]
    return party


def _parties(db: Cursor) -> list[tuple[str, ...]]:
    """(id, name, code, phone, contact, city, address) of every live party."""
    db.execute(
        "SELECT p.id::text AS id, p.doc, c.doc AS contact FROM parties p LEFT JOIN LATERAL (SELECT doc FROM contacts "
        "WHERE party_id = p.id AND NOT retired ORDER BY id LIMIT 1) c ON true "
        "WHERE NOT p.retired AND coalesce((p.doc->>'internal')::boolean, false) IS FALSE ORDER BY p.id"
    )
    rows = []
    for row in db:
        doc, contact = row["doc"], row["contact"] or {}
        phone = doc.get("phone") or contact.get("mobile") or contact.get("phone")
        said = (doc.get("name"), doc.get("uscc"), phone, contact.get("name"), doc.get("city") or doc.get("province"), doc.get("address"))
        rows.append((row["id"], *(value or "" for value in said)))
    return rows


def _edge(left: str, right: str, bits: float) -> dict[str, Any]:
    return {"left": left, "right": right, "bits": bits, "evidence": ["the same valid 统一社会信用代码"]}


def _told_apart(db: Cursor) -> list[tuple[str, str]]:
    """Pairs that a person told apart, by what each has been merged into since."""
    db.execute(
        "SELECT keep_id::text AS keep, drop_id::text AS drop FROM merge_event m WHERE kind = 'merge' AND entity = 'party' "
        "AND NOT EXISTS (SELECT FROM merge_event u WHERE u.undoes = m.id) ORDER BY m.id"
    )
    into = {row["drop"]: row["keep"] for row in db}
    db.execute("SELECT left_id::text AS one, right_id::text AS other FROM review_case WHERE entity = 'party' AND state = 'different'")
    return [(_root(into, row["one"]), _root(into, row["other"])) for row in db]


def _ask(hub: Hub, likely: Sequence[tuple[str, str, float]], done: Proposed) -> None:
    """Put the questions at once, the likeliest first, until QUESTIONS are open; each pair once, whatever came of it."""
    best: dict[tuple[str, str], float] = {}
    for one, other, bits in likely:
        pair = (min(one, other), max(one, other))
        if one != other:
            best[pair] = max(bits, best.get(pair, bits))
    if not best:
        return
    pairs = sorted(best, key=lambda pair: (-best[pair], pair))
    with hub.transaction() as db:
        db.execute(
            "SELECT place FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS said(one, other, place) WHERE NOT EXISTS (SELECT "
            "FROM review_case WHERE entity = 'party' AND least(left_id, right_id) = least(one, other) "
            "AND greatest(left_id, right_id) = greatest(one, other) AND state <> 'same') ORDER BY place",
            [[one for one, _ in pairs], [other for _, other in pairs]],
        )
        fresh = [pairs[row["place"] - 1] for row in db]
        db.execute("SELECT count(*) AS open FROM review_case WHERE entity = 'party' AND kind = 'same_record' AND state = 'open'")
        asked = fresh[: max(0, QUESTIONS - (db.fetchone() or {"open": 0})["open"])]
        evidence = [
            json_text([f"golden records {done.version}: alike with a probability of {1 / (1 + 2.0 ** -best[pair]):.3f}"]) for pair in asked
        ]
        db.execute(
            "INSERT INTO review_case (kind, entity, left_id, right_id, evidence) "
            "SELECT 'same_record', 'party', * FROM unnest(%s::uuid[], %s::uuid[], %s::jsonb[]) "
            "ON CONFLICT (entity, least(left_id, right_id), greatest(left_id, right_id)) WHERE state <> 'same' DO NOTHING RETURNING id",
            [[one for one, _ in asked], [other for _, other in asked], evidence],
        )
        new = len(db.fetchall())
    done.waiting = len(fresh) - len(asked)
    done.cases += new
    done.known += len(best) - new - done.waiting
