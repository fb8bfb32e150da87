"""Is this customer free, and register it: the two questions that dealers ask, answered in one transaction each.

The order inside a registration is what makes it fair. All match keys of the claim are locked, ascending, before anything is looked up; the
look-up is a statement of its own, so that it sees what others committed while we waited; then the customers it may mean are locked, and
only then is the clock read. Two claims for one firm, under whatever spellings, therefore decide one after another (docs/deals.md).

One claim a transaction: its locks last until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from canonical.ids import new_id
from canonical.values import BadValue, business_day, decimal_text
from channel.deals import claim_queries, fencing, matching, queries, review_queries
from channel.deals.claim_queries import Aside, Look
from channel.deals.customers import queries as customer_queries
from channel.deals.errors import BadClaim, Contended, KeyReused, KeysOutdated, TooManyChecks, UnknownDealer, WrongIsolation
from channel.deals.matching import DEFAULT, Claim, Decision, Known, Thresholds
from channel.deals.policies import Facts, Policy, choose
from channel.deals.protection import WAITING, window_end
from channel.deals.queries import Tuples
from channel.deals.registrations import (
    Answer,
    FenceJudge,
    FenceQuestion,
    Hold,
    Likely,
    Registered,
    judge,
    open_field,
)
from channel.deals.seen import Request, Seen, facts, reasons, record
from ledger.bulk import sorted_json

Connection = psycopg.Connection[Any]
T = TypeVar("T")

ATTEMPTS: Final = 6
"""How often a registration is tried when the database breaks off to end a deadlock, or another took the customer in between."""
LONGEST: Final = 500
"""Characters of one field of a claim; the longest registered names have about a hundred."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a dealer may ask. Probing is many questions and no registration; a refused registration tells as much as a check."""

    checks_an_hour: int = 60
    checks_a_day: int = 300
    refusals_a_day: int = 100

    def checks(self) -> dict[str, tuple[int, str]]:
        """As the counters want them."""
        return {"check_hour": (self.checks_an_hour, "hour"), "check_day": (self.checks_a_day, "day")}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tenant sets for all claims: fences, limits on asking, and how sure is sure."""

    fences: FenceJudge | None = None
    """None: the fences in the ledger; `open_field` for none at all."""
    limits: Limits = Limits()
    thresholds: Thresholds = DEFAULT


USUAL: Final = Rules()


def check(db: Connection, dealer_id: UUID, claim: Claim, *, region: str = "", industry: str = "", rules: Rules = USUAL) -> Answer:
    """Whether a customer is free for the dealer: yes, no or maybe, and nothing about who holds it.

    Raises: BadClaim, UnknownDealer, TooManyChecks, KeysOutdated.
    """
    ask = _asked(dealer_id, claim, region, industry)
    # When nothing else can be in the transaction, a power cut may forget that somebody asked: no wait for the disk.
    durable = not (db.autocommit and db.info.transaction_status == TransactionStatus.IDLE)
    limits = rules.limits.checks()
    with db.cursor(row_factory=tuple_row) as cursor:
        look, left = claim_queries.checking(cursor, dealer_id, ask.keys, limits, durable=durable)
        if len(left) < len(limits):
            raise _too_many(db, dealer_id, limits)
        seen = _assess(cursor, ask, rules, look)
        free = seen.ruling.free
        if free == "yes" and seen.unclear:
            free = "maybe"
    return Answer(free, seen.ruling.outcome == "already_yours", left["check_hour"])


def register(
    db: Connection,
    dealer_id: UUID,
    claim: Claim,
    *,
    idempotency_key: str | None = None,
    amount: Decimal | None = None,
    currency: str = "",
    region: str = "",
    industry: str = "",
    actor: str = "",
    party_id: UUID | None = None,
    rules: Rules = USUAL,
) -> Registered:
    """Register a customer for a dealer: protected from now on, waiting for a person, or refused with a reason.

    The same `idempotency_key` again gives the registration that it gave before. `region` is a GB/T 2260 code, `industry` one of GB/T 4754;
    `actor` is who does it, where that is not the dealer himself. `party_id`: the record of the customer that a system of ours named; it is
    the customer for sure, and does not vie with others that may be the same firm under another spelling.
    Units: `amount` is the expected size of the deal in `currency` (ISO 4217).
    Time: the database's clock, read when all locks are held.
    Raises: BadClaim, UnknownDealer, KeyReused, TooManyChecks, KeysOutdated, Contended, WrongIsolation.
    """
    _check_amount(amount, currency)
    ask = _asked(dealer_id, claim, region, industry)
    actor = actor or f"dealer:{dealer_id}"
    ask = replace(ask, idempotency_key=idempotency_key, amount=amount, currency=currency, actor=actor, party_id=party_id)
    with db.cursor(row_factory=tuple_row) as cursor:
        return retried(db, lambda: _register(cursor, ask, rules))


class Overtaken(Exception):
    """What was looked up has been changed by another before it was locked."""


def retried(db: Connection, work: Callable[[], T]) -> T:
    """The work in a transaction or savepoint of its own, done again when the database broke it off for another's sake.

    Raises: Contended after several times; nothing was done then.
    """
    for _ in range(ATTEMPTS):
        try:
            with db.transaction():
                return work()
        except (pg.DeadlockDetected, pg.SerializationFailure, pg.ExclusionViolation, pg.UniqueViolation, Overtaken):
            continue  # rolled back to where we began, with the locks taken since; the next look sees what the other did
    raise Contended("others kept changing the same customers", next_step="send the same request again")


# How it is done -------------------------------------------------------------------------------------------------------


_TEXTS: Final = tuple(field.name for field in fields(Claim) if field.name != "aliases")


def cleaned(claim: Claim) -> Claim:
    """The claim without characters that no database text can hold.

    Raises: BadClaim for a field longer than 500 characters.
    """
    texts = {name: _plain(text, name) for name in _TEXTS if (text := getattr(claim, name))}
    return Claim(**texts, aliases=tuple(_plain(text, "aliases") for text in claim.aliases))


def _plain(text: str, name: str) -> str:
    if len(text) > LONGEST:
        raise BadClaim(f"{name} has {len(text)} characters", next_step=f"give at most {LONGEST}")
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def _asked(dealer_id: UUID, claim: Claim, region: str, industry: str) -> Request:
    claim = cleaned(claim)
    prepared = matching.prepare(claim)
    keys = matching.keys_of(prepared)
    if not keys or says_nothing(prepared):
        raise BadClaim("the claim names no company", next_step="give the company's name, its 统一社会信用代码 or a phone number")
    return Request(dealer_id, claim, prepared, keys, region, industry)


_NOBODY: Final = frozenset(
    "公司 有限公司 有限责任公司 股份有限公司 股份公司 集团 集团公司 集团有限公司 分公司 子公司 总公司 办事处 "
    "工厂 厂 商行 商店 店 经营部 个体户 企业 单位 客户 无 未知 不详 暂无 待定 测试 NA N/A NONE NULL UNKNOWN TEST TBD".split()
)
"""What is typed where a name is asked for and stands for no firm; whoever registered it would hold it for 90 days."""


def says_nothing(prepared: matching.Prepared) -> bool:
    """True for a claim whose names are only such words, without code and phone."""
    return not prepared.code and not prepared.phones and all(name.text.replace(" ", "").strip("()") in _NOBODY for name in prepared.names)


def _fingerprint(ask: Request) -> bytes:
    """To tell whether a repeated request is the same."""
    amount = decimal_text(ask.amount) if ask.amount is not None else None
    return sha256(sorted_json([ask.claim, amount, ask.currency, ask.region, ask.industry])).digest()


def _check_amount(amount: Decimal | None, currency: str) -> None:
    if amount is None:
        return
    try:
        decimal_text(amount)
    except BadValue as wrong:
        raise BadClaim(str(wrong)) from wrong
    if amount < 0 or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise BadClaim("the size of the deal must not be negative and needs a currency", next_step="give a code such as CNY with it")


def _assess(cursor: Tuples, ask: Request, rules: Rules, look: Look, aside: Aside | None = None) -> Seen:
    """The ruling on what was looked at. With `aside` it is one to act on: the customers are locked, and a policy is chosen."""
    db = cursor.connection
    _check_state(db, look)
    itself = customer_queries.of_party(db, ask.party_id) if ask.party_id else None
    prepared = dict(zip(look.customers, matching.load_all(look.texts), strict=True))
    known = [Known(customer_id, one) for customer_id, one in prepared.items() if look.roots[customer_id] != itself]
    decision = matching.decide(ask.prepared, known, look.hot, rules.thresholds)
    likely = likely_of(decision, look.roots)
    if itself is not None:
        likely.insert(0, Likely(itself, Decimal(1), same=True))
    held = claim_queries.Held(look.now, [], set())
    if likely:
        ids = [one.customer_id for one in likely]
        if aside is not None and not claim_queries.lock_customers(cursor, ids):
            raise Overtaken
        held = claim_queries.holds(cursor, ids, ask.claim.product_line)
    region = ask.region or fencing.place_of(ask.prepared)
    fences = rules.fences or (fencing.judge_for(db) if look.fenced else open_field)
    fence = fences(FenceQuestion(ask.dealer_id, ask.claim.product_line, region, ask.industry, held.now))
    policy = _policy(ask, look, aside.policies, region, held.now) if aside is not None else Policy()
    # A code that fails its check, or nothing to go by: never simply taken, even when nobody is met.
    unclear = decision.verdict == "review" and decision.rid is None
    ruling = judge(ask.dealer_id, likely, held.holds, held.apart, fence, "person" if unclear else policy.approval)
    return Seen(ruling, decision, likely, prepared, look.hot, held, fence, policy, unclear)


def _check_state(db: Connection, look: Look) -> None:
    if look.version is None:
        claim_queries.begin_keys(db, matching.VERSION)
    elif look.version != matching.VERSION:
        raise KeysOutdated(f"the keys are of version {look.version}, not {matching.VERSION}", next_step="rebuild them: hub deals rebuild")
    if look.dealer is None or look.dealer[1] == "blocked":
        raise UnknownDealer("the dealer is no active party of ours", next_step="look the dealer up among the parties")


def likely_of(decision: Decision, roots: Mapping[int, int]) -> list[Likely]:
    """The customers that a claim may mean, best first; what is merged counts for what it is merged into.

    Firms compete for the probability: when a person has to decide, also those of a tenth of the review threshold are worth a look.
    """
    if decision.verdict == "new":
        return []
    limits = decision.thresholds
    sure = max(limits.duplicate, limits.duplicate_name_only)
    least = limits.review if decision.verdict == "duplicate" else limits.review / 10
    best = None if decision.rid is None else roots[int(decision.rid)]
    total: dict[int, Decimal] = {}
    named: dict[int, int] = {}
    for rid, p in decision.candidates:
        if not p and total and least > 0:  # best first: what follows adds nothing
            break
        root = roots[int(rid)]
        total[root] = min(total.get(root, Decimal(0)) + Decimal(str(p)), Decimal(1))
        named.setdefault(root, int(rid))
    likely = []
    for root, together in total.items():
        same = decision.verdict == "duplicate" and (root == best or together >= sure)
        if same or root == best or together >= least:
            likely.append(Likely(root, together, same, named[root]))
    return sorted(likely, key=lambda one: (one.customer_id != best, -one.p, one.customer_id))


def _policy(ask: Request, look: Look, policies: Sequence[Policy], region: str, now: datetime) -> Policy:
    channel_type = look.dealer[0] if look.dealer else ""
    return choose(policies, Facts(ask.claim.product_line, region, channel_type, ask.amount, ask.currency, business_day(now)))


def _register(cursor: Tuples, ask: Request, rules: Rules) -> Registered:
    db = cursor.connection
    if (level := claim_queries.lock_keys(cursor, ask.keys)) != "read committed":
        raise WrongIsolation(f"the transaction is {level}", next_step="register in a READ COMMITTED transaction")
    look, aside = claim_queries.registering(cursor, ask.dealer_id, ask.keys, ask.claim.product_line, ask.idempotency_key)
    if aside.earlier and (earlier := queries.by_idempotency_key(db, ask.dealer_id, ask.idempotency_key or "")):
        if earlier.claim_hash != _fingerprint(ask):
            raise KeyReused("this idempotency key came before with another claim", next_step="use a new key")
        return shown(earlier, repeated=True)
    seen = _assess(cursor, ask, rules, look, aside)
    ruling = seen.ruling
    if ruling.outcome == "already_yours" and ruling.met is not None:
        return _repeated(db, ask, seen, ruling.met)
    if ruling.outcome == "rejected":
        limits = {"refused_day": (rules.limits.refusals_a_day, "day")}
        if not claim_queries.use_quota(db, ask.dealer_id, limits):
            raise _too_many(db, ask.dealer_id, limits)
    return _written(cursor, ask, seen, aside.spare)


def _repeated(db: Connection, ask: Request, seen: Seen, mine: Hold) -> Registered:
    registration = queries.registration(db, mine.registration_id)
    if registration is None:
        raise Contended("the registration is gone", next_step="send the same request again")
    facts = {"p": [str(p) for rid, p in seen.decision.candidates if int(rid) == mine.customer_id]}
    queries.add_event(db, registration.id, "registered_again", ask.actor, registration.status, registration.status, facts=facts)
    return shown(registration, repeated=True)


def _written(cursor: Tuples, ask: Request, seen: Seen, spare: int) -> Registered:
    ruling, now = seen.ruling, seen.held.now
    new = None
    customer_id = ruling.customer_id
    if customer_id is None:
        customer_id, new = spare, queries.Firm(_label(ask.claim), matching.VERSION, ask.keys)
    ends = now if ruling.outcome == "rejected" else None if ruling.outcome in WAITING else window_end(now, seen.policy.days)
    registration_id = new_id()
    values = {
        "id": registration_id,
        "customer_id": customer_id,
        "claimed_as": next((one.named for one in seen.likely if one.customer_id == customer_id and one.named), customer_id),
        "product_line": ask.claim.product_line,
        "dealer_id": ask.dealer_id,
        "starts": now,
        "ends": max(ends, now + MOMENT) if ends else None,
        "status": ruling.outcome,
        "reason": ruling.reason,
        "submitted_at": now,
        "decided_at": None if ruling.outcome in WAITING else now,
        "days": seen.policy.days,
        "policy_id": seen.policy.id or None,
        "region": ask.region,
        "industry": ask.industry,
        "amount": ask.amount,
        "currency": ask.currency,
        "claim": ask.claim,
        "idempotency_key": ask.idempotency_key,
        "claim_hash": _fingerprint(ask),
    }
    event = {
        "action": "register",
        "actor": ask.actor,
        "cause": "",
        "facts": facts(seen),
        "decision": record(ask, seen, customer_id),
    }
    near = {int(rid): seen.known[int(rid)].dump() for rid, p in seen.decision.candidates if p > 0}
    queries.add_registration(cursor, values, event, queries.Inputs(ask.prepared.dump(), near, seen.hot), new)
    db = cursor.connection
    if ruling.doubts and ruling.outcome != "rejected":
        review_queries.add_doubts(db, registration_id, ruling.doubts, reasons(seen))
    if seen.fence.effect != "allow" and (ruling.outcome in WAITING or ruling.reason == "outside_area"):
        queries.add_fence_hit(db, f"registration:{registration_id}", ask.dealer_id, seen.fence)
    protected = ends if ruling.outcome == "protected" else None
    return Registered(registration_id, ruling.outcome, ruling.reason, now, protected)


MOMENT: Final = timedelta(microseconds=1)


def shown(registration: queries.Registration, *, repeated: bool = False) -> Registered:
    """A registration as its own dealer may see it."""
    ends = registration.ends if registration.status in ("protected", "converted") else None
    return Registered(registration.id, registration.status, registration.reason, registration.submitted_at, ends, repeated)


def _label(claim: Claim) -> str:
    return claim.name or claim.uscc or claim.phone


def _too_many(db: Connection, dealer_id: UUID, limits: claim_queries.Quota) -> TooManyChecks:
    seconds = claim_queries.wait_for_quota(db, dealer_id, limits)
    told = f"no more questions are answered for {seconds // 60 + 1} minutes"
    return TooManyChecks(told, next_step="register the customers that you work on", retry_after_s=seconds)
