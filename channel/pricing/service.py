"""Prices on the ledger: one compiled book of price lists and published rules, and the answer to a question.

Everything is done within the caller's transaction. A version of prices pins lists, products and rules: the same question to the same
version gives the same bytes. Special prices, projects and what a dealer agreed are looked up when it asks.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final
from uuid import UUID

import psycopg

from channel.errors import ChannelError
from channel.pricing import queries, snapshots
from channel.pricing.asker_queries import AS_OF_NOW
from channel.pricing.asker_service import Asked, View, asked_by
from channel.pricing.asking import Ask
from channel.pricing.authority import Verdict, judge
from channel.pricing.compiled import Prices
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.found import Found, Path
from channel.pricing.lists import Head, Trouble, Uses, make
from channel.pricing.loading import load, place
from channel.pricing.model import Dealer, Item
from channel.pricing.naming import uses
from channel.pricing.pricing import Priced
from channel.pricing.pricing import price as price_cart
from channel.pricing.published import PublishedFile, alone, merged, offsets
from channel.pricing.publishing import findings
from channel.pricing.queries import Connection
from channel.pricing.records import Listed
from channel.pricing.snapshots import Snapshot
from channel.pricing.special_service import consume, give_back
from channel.pricing.views import Sight
from channel.pricing.views import view as view_of

__all__ = ["Asked", "Book", "View", "book", "check", "consume", "documents", "give_back", "price", "priced", "publish", "take"]

KEPT: Final = 6
"""So many compiled versions are kept in a process."""
_LOCK: Final = threading.Lock()
_BOOKS: OrderedDict[tuple[str, int], Book] = OrderedDict()
_FILES: OrderedDict[str, PublishedFile] = OrderedDict()


class VersionTaken(ChannelError):
    """This version of a document was published and says something else, or a later one was."""

    code: ClassVar[str] = "pricing/version-taken"


class NotFoundHere(ChannelError):
    """There is no such document or version of prices."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "pricing/not-found"


@dataclass(frozen=True, slots=True)
class Book:
    """All prices of one version, compiled. Immutable: threads share it."""

    version: int
    prices: Prices
    documents: Mapping[str, str]
    """The published documents in it: name and version, by hash."""
    troubles: tuple[Trouble, ...] = ()
    """What of the lists makes no price, and why."""
    lists: Mapping[UUID, tuple[Head, Listed]] = field(default_factory=dict)
    names: Mapping[UUID, str] = field(default_factory=dict)
    """Items by product."""
    plain: Mapping[str, Item] = field(default_factory=dict)
    """Items as the ledger knows them, without what documents add."""
    twice: Sequence[str] = ()
    told: Mapping[UUID, tuple[Trouble, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many prices there are."""
        return sum(len(one.records) for _, one in self.lists.values()) + sum(len(book.prices) for book in self.prices.rules.books)


def book(db: Connection, at_version: int | None = None) -> Book:
    """The compiled prices, of now or of a version. One query when nothing has been written since the last call of this process.

    What was written to lists or products since becomes a new version, within the caller's transaction.
    Raises: NotFoundHere for a version that was never made; BadPricing when a document cannot be read any more.
    """
    if at_version is None:
        newest, touched = queries.state(db)
        version = (take(db) or newest) if touched else newest
    else:
        version = at_version
        if version and not queries.visible(db, [version]):
            raise NotFoundHere(f"there is no version {version} of prices", next_step="leave the version out for the newest")
    with _LOCK:
        found = _BOOKS.get((_database(db), version))
        if found is None:
            found = _compile(db, version)
            _BOOKS[_database(db), version] = found
            while len(_BOOKS) > KEPT:
                _BOOKS.popitem(last=False)
        else:
            _BOOKS.move_to_end((_database(db), version))
    return found


def take(db: Connection) -> int:
    """Make a version of what lists and products say now, if that is news; the newest version."""
    queries.lock(db)
    newest, touched = queries.state(db)
    if not touched:
        return newest
    written = queries.untouch(db)
    version = queries.new_version(db, "taken")
    if not any(queries.take(db, version, written)) and newest:
        queries.drop_version(db, version)
        return newest
    return version


def _database(db: Connection) -> str:
    return f"{db.info.host}:{db.info.port}/{db.info.dbname}"


def _compile(db: Connection, version: int) -> Book:
    """Compile a version; lists that have not changed since a compiled one are taken over from it."""
    if not version:
        return Book(0, Prices(PublishedFile()), {})
    documents = queries.rules(db, version)
    rules = merged([_file(row["text"], f"{row['document']} version {row['version']}", row["hash"]) for row in documents])
    base = _base(db, version)
    same_items = base is not None and not queries.items_changed(db, base.version, version)
    names, plain, twice = (base.names, base.plain, base.twice) if base and same_items else queries.items(db, version)
    known = {**plain, **{one.id: _added(plain[one.id], one) for one in rules.items if one.id in plain}}
    heads = queries.heads(db, version)
    uses_of = Uses(heads, {one.list: one for one in rules.lists})
    open_heads = [(head, made) for head in heads if (made := uses_of.book(head)) is not None]
    changed = None if base is None or not same_items else queries.changed_lists(db, base.version, version)
    lists: dict[UUID, tuple[Head, Listed]] = {}
    told: dict[UUID, tuple[Trouble, ...]] = {}
    fresh = []
    for head, (spec, any_dealer) in open_heads:
        kept = base.lists.get(head.id) if base is not None and changed is not None and head.id not in changed else None
        if kept is not None and kept[1].book == spec and kept[1].any_dealer == any_dealer:
            lists[head.id], told[head.id] = kept, base.told[head.id] if base else ()
        else:
            fresh.append((head, spec, any_dealer))
    lines = queries.lines(db, version, [head.id for head, _, _ in fresh], names) if fresh else {}
    for head, spec, any_dealer in fresh:
        ready = make(head, spec, lines[head.id], for_some=uses_of.for_some(head), any_dealer=any_dealer, known=known)
        lists[head.id], told[head.id] = (head, ready.lists[0]), ready.troubles
    prices = Prices(rules, [lists[head.id][1] for head, _ in open_heads], known)
    prices.content_hash = hashlib.sha256("\n".join(row["hash"] for row in documents).encode()).hexdigest()
    numbers = tuple(Trouble("", number, "several products have this number", "give each its own, or merge them") for number in twice)
    troubles = (*uses_of.troubles, *(one for head, _ in open_heads for one in told[head.id]), *numbers, *_without_tax(rules, known))
    by_hash = {f"{row['document']}@{row['version']}": row["hash"] for row in documents}
    return Book(version, prices, by_hash, troubles, lists, names, plain, twice, told)


def _without_tax(rules: PublishedFile, known: Mapping[str, Item]) -> list[Trouble]:
    """Items that would be sold at a tax of nothing because nobody says otherwise."""
    if "tax_rate" in rules.settings.model_fields_set:
        return []
    bare = [name for name, item in known.items() if item.tax_rate is None]
    what = f"{len(bare)} items have no tax rate, {bare[0]} among them: they are priced without tax" if bare else ""
    return [Trouble("", bare[0], what, "give them one, or publish `settings: {tax_rate: 0.13}`")] if bare else []


def _base(db: Connection, version: int) -> Book | None:
    """The newest compiled version before this one that is really there: one that was rolled back is not."""
    mine = [known for database, known in _BOOKS if database == _database(db) and known < version]
    there = queries.visible(db, mine) if mine else []
    return _BOOKS[_database(db), there[-1]] if there else None


def _added(known: Item, more: Item) -> Item:
    """What a document adds to what the ledger knows of an item."""
    return known.model_copy(update={name: getattr(more, name) for name in more.model_fields_set})


def _file(text: str, name: str, digest: str) -> PublishedFile:
    found = _FILES.get(digest)
    if found is None:
        found = _FILES[digest] = load(text, name, PublishedFile)[0]
        while len(_FILES) > 4 * KEPT:
            _FILES.popitem(last=False)
    return found


# Questions -------------------------------------------------------------------------------------------------------------------


def priced(db: Connection, ask: Ask, *, view: View, at_version: int | None = None, snapshot: str = "") -> tuple[Priced, Verdict, Asked]:
    """Price a cart, whole: with cost, whatever the view. For our own rooms; what a person may see of it is `price`.

    `ask` names dealer, customer, project and items by number, hub key or id; the company may be left out where there is only one.
    `snapshot`: of an earlier answer; the same question then gets the same answer, whatever was changed, approved or used up since.
    Raises: BadPricing for names that nobody has; NotFoundHere for a version that was never made, or a snapshot that is not there or
    another dealer's.
    """
    kept = _kept(db, snapshot, view) if snapshot else None
    if kept is not None:
        at_version = kept.version
    elif at_version is None and ask.known_at is not None:
        at_version = queries.version_at(db, ask.known_at)
        if at_version is None:
            raise NotFoundHere("nothing was known of prices then", next_step="ask with a later known_at, or without")
    found = book(db, at_version)
    asked = asked_by(db, found.prices, ask, view, version=found.version, names=found.names, kept=kept)
    snapshots.keep(db, asked.snapshot)
    made = price_cart(asked.prices, asked.ask)
    return made, judge(made), asked


def _kept(db: Connection, name: str, view: View) -> Snapshot:
    """A snapshot that the view may ask with. Raises: NotFoundHere."""
    found = snapshots.named(db, name)
    if found is None or (view.dealer is not None and (found.facts.dealer is None or found.facts.dealer.id != view.dealer)):
        raise NotFoundHere(f"there is no snapshot {name} of prices", next_step="take it from an answer that is not old, or leave it out")
    return found


def price(db: Connection, ask: Ask, *, view: View, at_version: int | None = None, snapshot: str = "") -> dict[str, Any]:
    """Price a cart; what the view may see of it, with the version and the snapshot it was made with. Decimals stay decimals.

    Raises: as `priced`.
    """
    made, verdict, asked = priced(db, ask, view=view, at_version=at_version, snapshot=snapshot)
    told = view_of(made, verdict, sight=Sight(dealer=view.dealer is not None, costs=view.costs))
    now = {"as_of_now": list(AS_OF_NOW)} if ask.known_at is not None and not snapshot and asked.dealer is not None else {}
    return {**told, "version": asked.snapshot.version, "snapshot": asked.snapshot.name, **now}


# Rules -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published, or would be."""

    document: str
    version: int
    hash: str
    price_version: int


@contextmanager
def _unchanged(db: Connection) -> Iterator[None]:
    """Nothing that is written inside stays."""
    with db.transaction():
        yield
        raise psycopg.Rollback


def publish(db: Connection, document: str, text: str | bytes, *, by: str, reason: str = "", version: int | None = None) -> Publication:
    """Publish a version of a document, checked by itself, beside the other documents and beside the ledger; the same text changes nothing.

    `version`: the number that it shall have; else the next. An empty document (`{}`) takes its rules back.
    Raises: BadPricing with every mistake, its line and its fix; VersionTaken.
    """
    content = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    file = f"{document}.yaml"
    made, tree = load(content, file, PublishedFile)
    digest = hashlib.sha256(content.encode()).hexdigest()
    queries.lock(db)
    before = queries.rule_versions(db, document)
    last = before[-1] if before else None
    if last is not None and last["hash"] == digest and version in (None, last["version"]):
        return Publication(document, last["version"], digest, last["price_version"])
    number = version or (last["version"] if last else 0) + 1
    if last is not None and number <= last["version"]:
        raise VersionTaken(
            f"{document} version {number} cannot be published: version {last['version']} is",
            next_step=f"publish version {last['version'] + 1}; what is published never changes",
        )
    found = _wrong(db, document, made)
    if found:
        raise BadPricing([Mistake(place(tree, file, path), what, fix) for path, what, fix in found])
    take(db)
    price_version = queries.new_version(db, "published")
    queries.add_rules(db, document, number, digest, content, price_version, by, reason)
    return Publication(document, number, digest, price_version)


def check(db: Connection, document: str, text: str | bytes) -> Publication:
    """What `publish` would do; nothing stays. Raises: as `publish`."""
    made: list[Publication] = []
    with _unchanged(db):
        made.append(publish(db, document, text, by="check"))
    return made[0]


def _wrong(db: Connection, document: str, made: PublishedFile) -> list[tuple[tuple[str | int, ...], str, str]]:
    """Every mistake of a document: alone, together with the other documents, and beside the ledger. Paths are those of the document."""
    found = list(alone(made))
    if found:
        return found
    newest, _ = queries.state(db)
    others = {row["document"]: _file(row["text"], row["document"], row["hash"]) for row in queries.rules(db, newest)}
    others.pop(document, None)
    settled = [name for name, one in others.items() if "settings" in one.model_fields_set]
    if settled and "settings" in made.model_fields_set:
        found.append((("settings",), f"settings stand in document {settled[0]}", "leave `settings` out, or change them there"))
    rest = merged(list(others.values()))
    now = book(db)
    whole = _with_names(db, now, merged([*others.values(), made]))
    before = offsets(rest)
    for path, what, fix in findings(whole):
        section, at = str(path[0]), path[1] if len(path) > 1 else 0
        if section in before and isinstance(at, int):
            if at < before[section] or at >= before[section] + len(getattr(made, section)):
                continue  # of another document, which stood there before
            found.append(((section, at - before[section], *path[2:]), what, fix))
        else:
            found.append((path, what, fix))
    found += _beside_ledger(db, now, made)
    return found


def _with_names(db: Connection, now: Book, whole: PublishedFile) -> PublishedFile:
    """The documents with the items and dealers that they name, as far as the ledger knows them."""
    named: dict[str, set[str]] = {"item": set(), "dealer": set(), "project": set()}
    for _, kind, name in uses(whole):
        named[kind].add(name)
    items = [Item(id=name) for name in sorted(named["item"] - {one.id for one in whole.items}) if name in now.prices.items]
    there = queries.known_dealers(db, sorted(named["dealer"] - {one.id for one in whole.dealers}))
    dealers = [Dealer(id=name) for name in there]
    return whole.model_copy(update={"items": (*whole.items, *items), "dealers": (*whole.dealers, *dealers)})


def _beside_ledger(db: Connection, now: Book, made: PublishedFile) -> Found:
    """Items, dealers and lists that the ledger does not know, and prices that a list of another system says too."""
    for at, item in enumerate(made.items):
        if item.id not in now.prices.items:
            yield ("items", at), f"the ledger has no item {item.id!r}", "use the number of a product that is sold"
    numbers = queries.list_numbers(db, now.version)
    for at, one in enumerate(made.lists):
        if one.list not in numbers:
            yield ("lists", at, "list"), f"there is no price list {one.list!r}", "use the number of a list"
    named: list[tuple[Path, str]] = [(("lists", at, "dealers"), name) for at, one in enumerate(made.lists) for name in one.dealers]
    named += [(("dealers", at), one.id) for at, one in enumerate(made.dealers)]
    there = set(queries.known_dealers(db, sorted({name for _, name in named})))
    for path, name in named:
        if name not in there:
            yield path, f"there is no dealer {name!r}", "use its number or hub key"
    yield from _said_twice(now, made)


def _said_twice(now: Book, made: PublishedFile) -> Found:
    """Prices under a key, currency, unit and day that a list of another system has as well."""
    theirs = {head.number for head, _ in now.lists.values()}
    for at, spec in enumerate(made.books):
        if spec.id in theirs:
            yield ("books", at, "id"), f"{spec.id} is a price list of another system", "give the book a name of its own"
        if spec.dealers or spec.grades or spec.channels:
            continue  # for some dealers: it goes before a list for all
        for row, record in enumerate(spec.prices):
            for other in now.prices.under(spec.kind, record):
                apart = spec.companies and other.companies and not set(spec.companies) & set(other.companies)
                unit = now.prices.items[record.item].unit if record.item in now.prices.items else ""
                mine = (spec.currency or now.prices.settings.currency, record.unit or unit)
                same = (other.currency, other.unit or unit) == mine
                starts = max(record.valid_from or date.min, spec.valid_from or date.min, other.start)
                ends = min(record.valid_to or date.max, spec.valid_to or date.max, other.end)
                if other.book in theirs and same and not apart and starts < ends:
                    what = f"price list {other.book} says a price of kind {spec.kind} for the same on one day"
                    yield ("books", at, "prices", row), what, "end one of them, or say under `lists` what the list is for"
                    break


def documents(db: Connection, document: str | None = None, *, text: bool = False) -> list[dict[str, Any]]:
    """What was published, oldest first. Raises: NotFoundHere for a document that never was."""
    found = queries.rule_versions(db, document, text=text)
    if document is not None and not found:
        raise NotFoundHere(f"no document {document} was published", next_step="look with `hub price rules`")
    return found


def forget() -> None:
    """Let go of everything compiled in this process; the next question compiles it anew."""
    with _LOCK:
        _BOOKS.clear()
        _FILES.clear()
