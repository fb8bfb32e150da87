"""Is this customer free, and register it: the two questions that dealers ask, answered in one transaction each.

The order inside a registration is what makes it fair. All match keys of the claim are locked, ascending, before anything is looked up; the
look-up is a statement of its own, so that it sees what others committed while we waited; then the customers it may mean are locked, and
only then is the clock read. Two claims for one firm, under whatever spellings, therefore decide one after another (docs/deals.md).

One claim a transaction: its locks last until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus

from canonical.ids import new_id
from canonical.values import BadValue, business_day, decimal_text
from channel.deals import claim_queries, fencing, matching, queries, review_queries
from channel.deals.customers import queries as customer_queries
from channel.deals.errors import BadClaim, Contended, KeyReused, KeysOutdated, TooManyChecks, UnknownDealer, WrongIsolation
from channel.deals.matching import DEFAULT, Claim, Decision, Known, Prepared, Thresholds
from channel.deals.policies import Facts, Policy, choose
from channel.deals.protection import WAITING, window_end
from channel.deals.registrations import (
    Answer,
    FenceJudge,
    FenceQuestion,
    FenceVerdict,
    Hold,
    Likely,
    Registered,
    Ruling,
    judge,
    open_field,
)
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
    standing = claim_queries.standing(db, dealer_id, ask.keys, quota=limits, durable=durable)
    if len(standing.left) < len(limits):
        raise _too_many(db, dealer_id, limits)
    seen = _assess(db, ask, rules, standing, lock=False)
    free = seen.ruling.free
    if free == "yes" and seen.unclear:
        free = "maybe"
    claim_queries.note_check(db, dealer_id, ask.hash(), free, durable=durable)
    return Answer(free, seen.ruling.outcome == "already_yours", standing.left["check_hour"])


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
    return retried(db, lambda: _register(db, ask, rules))


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


@dataclass(frozen=True, slots=True)
class _Request:
    dealer_id: UUID
    claim: Claim
    prepared: Prepared
    keys: list[int]
    region: str
    industry: str
    idempotency_key: str | None = None
    amount: Decimal | None = None
    currency: str = ""
    actor: str = ""
    party_id: UUID | None = None

    def hash(self) -> bytes:
        """Fingerprint, to tell whether a repeated request is the same."""
        amount = decimal_text(self.amount) if self.amount is not None else None
        return sha256(sorted_json([asdict(self.claim), amount, self.currency, self.region, self.industry])).digest()


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that was looked at for a ruling."""

    ruling: Ruling
    decision: Decision
    likely: list[Likely]
    texts: dict[int, str]
    hot: dict[int, int]
    held: claim_queries.Held
    fence: FenceVerdict
    policy: Policy
    unclear: bool
    """True for a claim that meets nobody and still may not simply be taken."""


def cleaned(claim: Claim) -> Claim:
    """The claim without characters that no database text can hold.

    Raises: BadClaim for a field longer than 500 characters.
    """
    changed: dict[str, Any] = {}
    for field in fields(claim):
        value = getattr(claim, field.name)
        texts = [_plain(text, field.name) for text in ((value,) if isinstance(value, str) else value)]
        changed[field.name] = texts[0] if isinstance(value, str) else tuple(texts)
    return replace(claim, **changed)


def _plain(text: str, name: str) -> str:
    if len(text) > LONGEST:
        raise BadClaim(f"{name} has {len(text)} characters", next_step=f"give at most {LONGEST}")
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def _asked(dealer_id: UUID, claim: Claim, region: str, industry: str) -> _Request:
    claim = cleaned(claim)
    prepared = matching.prepare(claim)
    keys = matching.keys_of(prepared)
    if not keys:
        raise BadClaim("the claim names no company", next_step="give the company's name, its 统一社会信用代码 or a phone number")
    return _Request(dealer_id, claim, prepared, keys, region, industry)


def _check_amount(amount: Decimal | None, currency: str) -> None:
    if amount is None:
        return
    try:
        decimal_text(amount)
    except BadValue as wrong:
        raise BadClaim(str(wrong)) from wrong
    if amount < 0 or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise BadClaim("the size of the deal must not be negative and needs a currency", next_step="give a code such as CNY with it")


def _assess(db: Connection, ask: _Request, rules: Rules, standing: claim_queries.Standing, *, lock: bool) -> _Seen:
    _check_standing(db, standing)
    weights = [int(1000 * matching.WEIGHTS[key & 31]) for key in ask.keys]
    found = claim_queries.look_up(db, ask.keys, weights, matching.CAP, matching.CANDIDATES)
    itself = customer_queries.of_party(db, ask.party_id) if ask.party_id else None
    known = [Known(customer_id, matching.load_prepared(text)) for customer_id, text, root in found if root != itself]
    decision = matching.decide(ask.prepared, known, standing.hot, rules.thresholds)
    likely = _likely(decision, {customer_id: root for customer_id, _, root in found})
    if itself is not None:
        likely.insert(0, Likely(itself, Decimal(1), same=True))
    held = claim_queries.Held(standing.now, [], set())
    if likely:
        ids = [one.customer_id for one in likely]
        if lock and not claim_queries.lock_customers(db, ids):
            raise Overtaken
        held = claim_queries.holds(db, ids, ask.claim.product_line)
    region = ask.region or fencing.place_of(ask.prepared)
    fences = rules.fences or (fencing.judge_for(db) if standing.fenced else open_field)
    fence = fences(FenceQuestion(ask.dealer_id, ask.claim.product_line, region, ask.industry, held.now))
    policy = _policy(db, ask, standing, region, held.now) if lock else Policy()
    # A code that fails its check, or nothing to go by: never simply taken, even when nobody is met.
    unclear = decision.verdict == "review" and decision.rid is None
    ruling = judge(ask.dealer_id, likely, held.holds, held.apart, fence, "person" if unclear else policy.approval)
    return _Seen(ruling, decision, likely, {row[0]: row[1] for row in found}, standing.hot, held, fence, policy, unclear)


def _check_standing(db: Connection, standing: claim_queries.Standing) -> None:
    if standing.version is None:
        claim_queries.begin_keys(db, matching.VERSION)
    elif standing.version != matching.VERSION:
        raise KeysOutdated(
            f"the keys are of version {standing.version}, not {matching.VERSION}", next_step="rebuild them: hub deals rebuild"
        )
    if standing.dealer is None or standing.dealer[1] == "blocked":
        raise UnknownDealer("the dealer is no active party of ours", next_step="look the dealer up among the parties")


def _likely(decision: Decision, roots: Mapping[int, int]) -> list[Likely]:
    """The customers that a claim may mean, best first; what is merged counts for what it is merged into.

    Firms compete for the probability: when a person has to decide, also those of a tenth of the review threshold are worth a look.
    """
    limits = decision.thresholds
    sure = max(limits.duplicate, limits.duplicate_name_only)
    least = limits.review if decision.verdict == "duplicate" else limits.review / 10
    best = None if decision.rid is None else roots[int(decision.rid)]
    total: dict[int, Decimal] = {}
    for rid, p in decision.candidates:
        root = roots[int(rid)]
        total[root] = min(total.get(root, Decimal(0)) + Decimal(str(p)), Decimal(1))
    likely = []
    for root, together in total.items():
        same = decision.verdict == "duplicate" and (root == best or together >= sure)
        if same or (decision.verdict != "new" and (root == best or together >= least)):
            likely.append(Likely(root, together, same))
    return sorted(likely, key=lambda one: (one.customer_id != best, -one.p, one.customer_id))


def _policy(db: Connection, ask: _Request, standing: claim_queries.Standing, region: str, now: datetime) -> Policy:
    on = business_day(now)
    channel_type = standing.dealer[0] if standing.dealer else ""
    facts = Facts(ask.claim.product_line, region, channel_type, ask.amount, ask.currency, on)
    return choose(queries.policies(db, ask.claim.product_line, on), facts)


def _register(db: Connection, ask: _Request, rules: Rules) -> Registered:
    if (level := claim_queries.lock_keys(db, ask.keys)) != "read committed":
        raise WrongIsolation(f"the transaction is {level}", next_step="register in a READ COMMITTED transaction")
    standing = claim_queries.standing(db, ask.dealer_id, ask.keys, idempotency_key=ask.idempotency_key)
    if standing.earlier and (earlier := queries.by_idempotency_key(db, ask.dealer_id, ask.idempotency_key or "")):
        if earlier.claim_hash != ask.hash():
            raise KeyReused("this idempotency key came before with another claim", next_step="use a new key")
        return shown(earlier, repeated=True)
    seen = _assess(db, ask, rules, standing, lock=True)
    ruling = seen.ruling
    if ruling.outcome == "already_yours" and ruling.met is not None:
        return _repeated(db, ask, seen, ruling.met)
    if ruling.outcome == "rejected":
        limits = {"refused_day": (rules.limits.refusals_a_day, "day")}
        if not claim_queries.use_quota(db, ask.dealer_id, limits):
            raise _too_many(db, ask.dealer_id, limits)
    return _written(db, ask, seen)


def _repeated(db: Connection, ask: _Request, seen: _Seen, mine: Hold) -> Registered:
    registration = queries.registration(db, mine.registration_id)
    if registration is None:
        raise Contended("the registration is gone", next_step="send the same request again")
    facts = {"p": [str(p) for rid, p in seen.decision.candidates if int(rid) == mine.customer_id]}
    queries.add_event(db, registration.id, "registered_again", ask.actor, registration.status, registration.status, facts=facts)
    return shown(registration, repeated=True)


def _written(db: Connection, ask: _Request, seen: _Seen) -> Registered:
    ruling, now = seen.ruling, seen.held.now
    customer_id = ruling.customer_id
    if customer_id is None:
        customer_id = claim_queries.add_customer(db, _label(ask.claim), asdict(ask.claim), ask.prepared.dump(), matching.VERSION, ask.keys)
    ends = now if ruling.outcome == "rejected" else None if ruling.outcome in WAITING else window_end(now, seen.policy.days)
    registration_id = new_id()
    values = {
        "id": registration_id,
        "customer_id": customer_id,
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
        "claim": asdict(ask.claim),
        "idempotency_key": ask.idempotency_key,
        "claim_hash": ask.hash(),
    }
    event = {
        "action": "register",
        "actor": ask.actor,
        "cause": "",
        "facts": _facts(seen),
        "decision": record(ask.keys, seen, customer_id),
    }
    near = {int(rid): seen.texts[int(rid)] for rid, p in seen.decision.candidates if p > 0}
    queries.add_registration(db, values, event, queries.Inputs(ask.prepared.dump(), near, seen.hot))
    if ruling.doubts and ruling.outcome != "rejected":
        review_queries.add_doubts(db, registration_id, ruling.doubts, _reasons(seen))
    if seen.fence.effect != "allow" and (ruling.outcome in WAITING or ruling.reason == "outside_area"):
        queries.add_fence_hit(db, f"registration:{registration_id}", ask.dealer_id, seen.fence)
    protected = ends if ruling.outcome == "protected" else None
    return Registered(registration_id, ruling.outcome, ruling.reason, now, protected)


MOMENT: Final = timedelta(microseconds=1)


def shown(registration: queries.Registration, *, repeated: bool = False) -> Registered:
    """A registration as its own dealer may see it."""
    ends = registration.ends if registration.status in ("protected", "converted") else None
    return Registered(registration.id, registration.status, registration.reason, registration.submitted_at, ends, repeated)


def record(keys: Sequence[int], seen: _Seen, customer_id: int) -> dict[str, Any]:
    """What is kept of a decision for ever: by what it was made, not whom it is about."""
    ruling = seen.ruling
    return {
        **seen.decision.as_record(),
        "keys": [str(key) for key in keys],
        "keys_met": [str(key) for key in _met(keys, seen)],
        "hot": {str(key): count for key, count in seen.hot.items()},
        "ruling": {"outcome": ruling.outcome, "reason": ruling.reason, "customer": customer_id, "new": ruling.customer_id is None},
        "met": str(ruling.met.registration_id) if ruling.met else None,
        "holds": [
            {"registration": str(hold.registration_id), "customer": hold.customer_id, "status": hold.status} for hold in seen.held.holds
        ],
        "policy": seen.policy.id,
        "fence": {"effect": seen.fence.effect, "code": seen.fence.code},
    }


def _met(keys: Sequence[int], seen: _Seen) -> list[int]:
    """The claim's keys that the customer it means has as well."""
    if seen.decision.rid is None:
        return []
    return sorted(set(keys).intersection(matching.keys_of(matching.load_prepared(seen.texts[int(seen.decision.rid)]))))


def _facts(seen: _Seen) -> dict[str, Any]:
    return {"reason": seen.ruling.reason, "policy": seen.policy.id, "days": seen.policy.days}


def _reasons(seen: _Seen) -> dict[int, Any]:
    """Reasons by customer, for the one that scoring explains."""
    if seen.decision.rid is None or not seen.likely:
        return {}
    return {
        seen.likely[0].customer_id: [{"zh": reason.zh, "en": reason.en, "weight": str(reason.weight)} for reason in seen.decision.reasons]
    }


def _label(claim: Claim) -> str:
    return claim.name or claim.uscc or claim.phone


def _too_many(db: Connection, dealer_id: UUID, limits: claim_queries.Quota) -> TooManyChecks:
    seconds = claim_queries.wait_for_quota(db, dealer_id, limits)
    told = f"no more questions are answered for {seconds // 60 + 1} minutes"
    return TooManyChecks(told, next_step="register the customers that you work on", retry_after_s=seconds)
