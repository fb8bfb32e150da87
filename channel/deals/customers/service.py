"""Customers follow the parties, and their match keys follow both the names and the version of the matcher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import psycopg

from channel.deals import matching, upkeep_queries
from channel.deals.customers import queries
from channel.deals.customers.queries import Made, Overlap, Source
from channel.deals.errors import CustomerNotFound, KeysOutdated, ProtectionsOverlap
from channel.deals.matching import Claim
from channel.deals.protection import LIVE

Connection = psycopg.Connection[Any]
Mapper = Callable[[Callable[[Sequence[Source]], list[Made]], Iterable[Sequence[Source]]], Iterable[list[Made]]]
"""`map`, or that of a process pool: preparing names is all of the work."""

PAGE: Final = 10_000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found to do."""

    added: int = 0
    changed: int = 0
    hot: int = 0


def claim_of(source: Source) -> Claim:
    """What a customer's keys are made from: the party's own record with its first contact, else what the claim said; and every alias."""
    party, contact = source.party, source.contact or {}
    if party is None:
        return claim_from(source.given or {}, source.aliases)
    names = [party.get("short_name"), party.get("english_name"), *source.aliases]
    return Claim(
        name=party.get("name") or "",
        uscc=party.get("uscc") or party.get("tax_number") or "",
        phone=party.get("phone") or contact.get("mobile") or contact.get("phone") or "",
        contact=contact.get("name") or "",
        city=party.get("city") or party.get("province") or "",
        address=party.get("address") or "",
        aliases=tuple(dict.fromkeys(name for name in names if name and name != party.get("name"))),
    )


def claim_from(given: Mapping[str, Any], aliases: Sequence[str] = ()) -> Claim:
    """The firm that a stored claim named, without project and product line; with further names."""
    known = {name: given[name] for name in ("name", "uscc", "phone", "contact", "city", "address") if given.get(name)}
    return Claim(**known, aliases=tuple(dict.fromkeys((*given.get("aliases", ()), *aliases))))


def make(sources: Sequence[Source]) -> list[Made]:
    """Prepared names and keys of customers; all that costs time, in a function that another process can run."""
    made = []
    for source in sources:
        claim = claim_of(source)
        prepared = matching.prepare(claim)
        name = claim.name or source.name or ""
        keys = matching.keys_of(prepared)
        made.append(Made(source.customer_id or 0, source.party_id, source.party_version, name, prepared.dump(), keys))
    return made


def refresh(db: Connection, *, mapper: Mapper = map, progress: Callable[[int], None] | None = None) -> Refreshed:
    """Take over what has changed in parties since the last time, and count the common keys anew.

    A name that a party had before stays its alias. The first time, with an empty table, everything is loaded and indexed afterwards.
    Raises: KeysOutdated when the stored keys are of another version: :func:`rebuild` first.
    """
    state = queries.state(db)
    if state is not None and state.version != matching.VERSION and not queries.nobody_yet(db):
        raise KeysOutdated(f"the customers' keys are of version {state.version}", next_step="rebuild them: hub deals rebuild")
    first = queries.nobody_yet(db)
    if first:
        queries.drop_key_index(db)
    notes = [number for number, _, _ in queries.due(db)]
    total = Refreshed()
    for made, sources in _pages(db, mapper):
        total = _take_in(db, made, sources, total)
        if progress is not None:
            progress(len(made))
    if first:
        queries.build_key_index(db)
    queries.done(db, notes)
    queries.set_state(db, matching.VERSION)
    return replace(total, hot=queries.count_hot(db, matching.CAP))


def refresh_due(db: Connection, limit: int) -> Refreshed:
    """Take over the parties that are noted as changed, up to `limit`; what is beyond it stays noted. Nothing when somebody else is at it.

    Common keys are not counted anew: that is left to :func:`refresh`. Raises: KeysOutdated.
    """
    if not queries.one_at_a_time(db) or not (notes := queries.due(db)):
        return Refreshed()
    _same_version(db)
    page = queries.changed_within(db, [(low, high) for _, low, high in notes], limit + 1)
    total = _take_in(db, make(page), page, Refreshed())
    if len(page) <= limit:
        queries.done(db, [number for number, _, _ in notes])
    return total


def ensure(db: Connection, party_id: UUID) -> None:
    """See to it that a party is a customer. Raises: KeysOutdated."""
    if queries.of_party(db, party_id) is None:
        _same_version(db)
        page = queries.changed_within(db, [(party_id, party_id)], 1)
        _take_in(db, make(page), page, Refreshed())


def _same_version(db: Connection) -> None:
    state = queries.state(db)
    if state is None:
        queries.set_state(db, matching.VERSION)
    elif state.version != matching.VERSION:
        raise KeysOutdated(f"the customers' keys are of version {state.version}", next_step="rebuild them: hub deals rebuild")


def _pages(db: Connection, mapper: Mapper) -> Iterator[tuple[list[Made], list[Source]]]:
    after, waiting = _FIRST, []
    while True:
        page = queries.changed_parties(db, after, PAGE)
        if page:
            after = page[-1].party_id or after
            waiting.append(page)
        if waiting and (len(waiting) == 8 or not page):  # a few pages at once keep a pool busy without holding all of them
            yield from zip(mapper(make, waiting), waiting, strict=True)
            waiting = []
        if not page:
            return


def _take_in(db: Connection, made: list[Made], sources: list[Source], total: Refreshed) -> Refreshed:
    fresh = [one for one in made if not one.customer_id]
    ids = queries.new_ids(db, len(fresh)) if fresh else []
    new = [replace(one, customer_id=number) for one, number in zip(fresh, ids, strict=True)]
    if new:
        queries.copy_customers(db, new, matching.VERSION)
        queries.copy_keys(db, new)
    before = {source.customer_id: source for source in sources if source.customer_id}
    changed = [one for one in made if one.customer_id]
    former = [(one.customer_id, name, "former") for one in changed if (name := before[one.customer_id].name) and name != one.name]
    if changed:
        _update(db, changed, before)
    if former:
        queries.add_aliases(db, former, "rule:refresh")
        rekey(db, [customer for customer, _, _ in former])
    return replace(total, added=total.added + len(new), changed=total.changed + len(changed))


def _update(db: Connection, made: Sequence[Made], before: dict[int, Source]) -> None:
    gone: list[tuple[int, int]] = []
    come: list[tuple[int, int]] = []
    for one in made:
        text = before[one.customer_id].prepared
        old = set(matching.keys_of(matching.load_prepared(text))) if text else set()
        gone += [(key, one.customer_id) for key in old.difference(one.keys)]
        come += [(key, one.customer_id) for key in one.keys if key not in old]
    queries.update_customers(db, made, matching.VERSION)
    queries.remove_keys(db, gone)
    queries.insert_keys(db, come)


def rekey(db: Connection, customers: Sequence[int]) -> None:
    """Prepare these customers again: their names or aliases have changed. Raises: KeysOutdated."""
    _same_version(db)
    sources = queries.sources(db, only=list(customers), limit=len(customers))
    _update(db, make(sources), {source.customer_id: source for source in sources if source.customer_id})


def rebuild(db: Connection, *, mapper: Mapper = map, progress: Callable[[int], None] | None = None) -> int:
    """Prepare every customer and compute every key anew, as a new version of the matcher needs; how many there are.

    In the caller's transaction: registrations wait until it ends, checks go on with the old keys until the new ones take their place.
    """
    queries.stop_changes(db)
    queries.begin_new_keys(db)
    count, after = 0, 0
    while page := queries.sources(db, after=after, limit=PAGE):
        after = page[-1].customer_id or after
        parts = [page[start : start + PAGE // 4] for start in range(0, len(page), PAGE // 4)]
        for made in mapper(make, parts):
            queries.update_customers(db, made, matching.VERSION)
            queries.copy_keys(db, made, "match_key_new")
            count += len(made)
            if progress is not None:
                progress(len(made))
    queries.swap_keys(db)
    queries.set_state(db, matching.VERSION)
    queries.count_hot(db, matching.CAP)
    return count


def merge(db: Connection, keep: int, lose: int) -> list[UUID]:
    """Two customers are one firm: registrations and open questions of `lose` go to `keep`; the registrations that moved.

    `lose` keeps its names and keys and goes on being found, now as `keep`. Raises: CustomerNotFound; ProtectionsOverlap, with nothing done,
    when both are held at the same time: a person ends one first.
    """
    found = queries.lock(db, [keep, lose])
    if len(found) < 2 or keep == lose or any(into is not None for _, into in found.values()):
        raise CustomerNotFound(f"customers {keep} and {lose} are not two customers that can be merged")
    over = queries.over(db, [keep, lose])  # what upkeep has not come to yet is no holder any more, but would still be one to the constraint
    upkeep_queries.end_many(db, over, "expire", "expired", "rule:expiry", "its time is over")
    if clashes := queries.overlaps(db, keep, lose, LIVE):
        raise ProtectionsOverlap(_clash(keep, lose, clashes[0]), next_step="end or transfer one of them, then merge")
    moved = queries.move_registrations(db, lose, keep)
    queries.move_doubts(db, lose, keep)
    queries.set_merged(db, lose, keep)
    return moved


def _clash(keep: int, lose: int, clash: Overlap) -> str:
    return f"customers {keep} and {lose} are both held, by registrations {clash.keep_registration} and {clash.lose_registration}"


def split(db: Connection, lose: int) -> list[UUID]:
    """Undo a merge: `lose` is a customer again, with the registrations that were claimed as it; those that moved back.

    The caller keeps the pair apart. Raises: CustomerNotFound when it is not merged.
    """
    into = queries.lock(db, [lose]).get(lose, ("", None))[1]
    if into is None:
        raise CustomerNotFound(f"customer {lose} is not merged into another")
    root = queries.root_of(db, into)
    queries.lock(db, [root, lose])
    queries.set_merged(db, lose, None)
    return queries.move_registrations(db, root, lose, only_claimed_as=queries.under(db, lose))


def adopt(db: Connection, customer_id: int, party_id: UUID) -> None:
    """A customer that only a claim had named is a party from now on; its names and keys follow with the next refresh.

    Raises: CustomerNotFound when there is no such customer without a party.
    """
    if not queries.set_party(db, customer_id, party_id):
        raise CustomerNotFound(f"customer {customer_id} is a party already, or merged into another")


def protect_direct(db: Connection) -> tuple[list[UUID], list[UUID]]:
    """Protect parties marked as direct customers, without end; the new registrations, and those of dealers that are in the way.

    What is in the way stays: a person decides whether the dealer keeps it until it ends.
    """
    return queries.add_direct(db, LIVE)
