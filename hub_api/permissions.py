"""Who may see and do what: one table of roles, read by every route.

Our own people see every record and all fields but those listed as hidden. A dealer sees only what is listed, of the records that
belong to its
party or to one below it; a new field of the model is therefore hidden from dealers until somebody lists it here. What a role may
not see is absent
from every answer, and cannot be filtered or sorted by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from canonical.models import MODELS, entity
from channel.notices.messages import FINANCE
from ledger.tables import TABLES


class Role(StrEnum):
    """Whom a key belongs to."""

    IT = "it"
    FINANCE = "finance"
    SALES = "sales"
    DEALER = "dealer"


class Scope(StrEnum):
    """What a key may be used for."""

    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    CHANGES_READ = "changes:read"
    CASES_READ = "cases:read"
    CASES_DECIDE = "cases:decide"
    CONFLICTS_READ = "conflicts:read"
    CONFLICTS_SETTLE = "conflicts:settle"
    OPERATIONS_READ = "operations:read"
    LINKS_WRITE = "links:write"
    QUARANTINE_MEND = "quarantine:mend"
    PLANS_MAKE = "plans:make"
    PLANS_DECIDE = "plans:decide"
    PLANS_APPLY = "plans:apply"
    VALUES_WRITE = "values:write"
    METRICS_READ = "metrics:read"
    DEALS_READ = "deals:read"
    DEALS_REGISTER = "deals:register"
    DEALS_DECIDE = "deals:decide"
    DEALS_RULES = "deals:rules"
    REBATES_READ = "rebates:read"
    REBATES_SIGN = "rebates:sign"
    REBATES_MANAGE = "rebates:manage"
    PRICES_READ = "prices:read"
    PRICES_ASK = "prices:ask"
    PRICES_MANAGE = "prices:manage"
    PRICES_COST = "prices:cost"
    QUOTES_READ = "quotes:read"
    QUOTES_WRITE = "quotes:write"
    QUOTES_APPROVE = "quotes:approve"
    FUNDS_READ = "funds:read"
    FUNDS_CLAIM = "funds:claim"
    FUNDS_MANAGE = "funds:manage"
    PERFORMANCE_READ = "performance:read"
    PERFORMANCE_MANAGE = "performance:manage"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a dealer may see of one kind of record."""

    rows: str
    """Condition on table alias `r`; `%(tree)s` is the dealer's party and all below it."""
    fields: str
    """Names of fields, apart by blanks."""
    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What a role may do and see."""

    scopes: frozenset[Scope]
    by_name: frozenset[Scope] = frozenset()
    """More that a key of this role may have when it is made with these scopes by name."""
    hidden: frozenset[str] = frozenset()
    """For a role that sees all but: `entity.field` or `entity.set.field`."""
    rows: Mapping[str, str] = field(default_factory=dict)
    """For a role that sees all but: by entity, a condition on table alias `r` for the records that it sees."""
    writes: frozenset[str] = frozenset()
    """Entities whose fields it may edit, as far as it sees them."""
    custom: bool = True
    """May see the tenant's own fields."""
    listed: Mapping[str, Listed] | None = None
    """For a role that sees nothing but: by entity."""


_OURS = "r.party_id = ANY(%(tree)s)"
_LINE = "seq product description quantity unit tax_price tax_rate discount total free delivery_date status shipped_quantity"

DEALER_SEES: Mapping[str, Listed] = {
    "company": Listed("true", "name currency status"),
    "party": Listed(
        "r.id = ANY(%(tree)s)",
        "name short_name english_name uscc roles level channel_type industry parent country province city address "
        "postcode phone website email "
        "product_lines since status",
        {"addresses": "label kind address consignee phone default"},
    ),
    "contact": Listed(_OURS, "name party job_title role mobile phone email status"),
    "agreement": Listed(_OURS, "party company mode valid_from valid_to currency target status"),
    "territory": Listed(_OURS, "party region industry product_line exclusive valid_from valid_to"),
    "product": Listed(
        "true",
        "name specification brand category product_line barcode base_unit sales_unit tax_rate description sellable status",
        {"units": "unit factor purpose"},
    ),
    "price_list": Listed(
        "(r.status IS DISTINCT FROM 'blocked' AND (r.doc->>'audience' = 'all' OR (r.doc->'parties')::jsonb ?| %(tree_text)s "
        "OR r.id IN (SELECT (c.doc->>'price_list')::uuid FROM party_companies c WHERE c.parent_id = ANY(%(tree)s))))",
        "name currency tax_included valid_from valid_to status",
        {"lines": "product unit from_quantity to_quantity price valid_from valid_to status"},
    ),
    "stock_level": Listed("r.holder_id = ANY(%(tree)s)", "holder warehouse product lot unit quantity as_of"),
    "lead": Listed("r.dealer_id = ANY(%(tree)s)", "company_name person mobile email source industry interest dealer status received_at"),
    "deal": Listed(
        "(r.dealer_id = ANY(%(tree)s) OR (r.dealer_id IS NULL AND r.customer_id = ANY(%(tree)s)))",
        "name customer dealer stage stage_kind currency expected_amount contract_amount expected_close won_on "
        "next_action description order_number",
    ),
    "quote": Listed(
        "(CASE WHEN r.deal_id IS NULL THEN r.customer_id = ANY(%(tree)s) ELSE EXISTS (SELECT 1 FROM deals d WHERE d.id = r.deal_id "
        "AND (d.dealer_id = ANY(%(tree)s) OR (d.dealer_id IS NULL AND d.customer_id = ANY(%(tree)s)))) END)",
        "subject deal customer revision stage currency valid_to total delivery_date order_number order_status",
        {"lines": "seq product description quantity unit list_price discount price tax_rate total"},
    ),
    "order": Listed(
        _OURS,
        "order_type ordered_on company party currency tax_included net tax total delivery_address customer_reference "
        "approval status approved_at "
        "shipped_quantity shipping_state invoiced_amount paid_amount payment_state",
        {"lines": _LINE},
    ),
    "shipment": Listed(
        _OURS,
        "shipped_on company party order carrier tracking_number delivery_address quantity approval status",
        {"lines": "seq product order order_line quantity unit serials signed_quantity free"},
    ),
    "return": Listed(
        _OURS,
        "returned_on company party order reason currency total approval status",
        {"lines": "seq product order order_line quantity unit total"},
    ),
    "receivable": Listed(
        _OURS,
        "kind billed_on due_on company party order currency net tax total matched_amount approval status",
        {"lines": "seq product order quantity tax_price tax_rate net tax total"},
    ),
    "receipt": Listed(_OURS, "received_on company party order currency amount approval status", {"lines": "seq purpose order amount"}),
    "refund": Listed(_OURS, "refunded_on company party order currency amount approval status", {"lines": "seq order amount"}),
    "credit_memo": Listed(
        _OURS,
        "purpose payout issued_on due_on company party currency net tax total approval status",
        {"lines": "seq tax_rate net tax total note"},
    ),
}
"""What a dealer sees. Departments, employees, approvals and notices are not listed: a dealer sees none."""

_COMMERCIAL = frozenset({Scope.RECORDS_READ, Scope.RECORDS_WRITE, Scope.CHANGES_READ, Scope.CASES_READ, Scope.CASES_DECIDE})

ROLES: Mapping[Role, RoleRule] = {
    Role.IT: RoleRule(scopes=frozenset(Scope), writes=frozenset(MODELS) - {"approval", "notice"}),
    Role.FINANCE: RoleRule(
        scopes=_COMMERCIAL
        | {
            Scope.CONFLICTS_READ,
            Scope.CONFLICTS_SETTLE,
            Scope.DEALS_READ,
            Scope.REBATES_READ,
            Scope.REBATES_SIGN,
            Scope.REBATES_MANAGE,
            Scope.FUNDS_READ,
            Scope.FUNDS_CLAIM,
            Scope.FUNDS_MANAGE,
            Scope.PERFORMANCE_READ,
            Scope.PERFORMANCE_MANAGE,
            Scope.PRICES_READ,
            Scope.PRICES_ASK,
            Scope.PRICES_MANAGE,
            Scope.PRICES_COST,
            Scope.QUOTES_READ,
            Scope.QUOTES_WRITE,
            Scope.QUOTES_APPROVE,
        },
        hidden=frozenset({"contact.mobile", "contact.phone", "contact.email", "contact.reach", "lead.person", "lead.mobile", "lead.email"}),
        writes=frozenset({"party", "agreement", "receivable", "receipt", "refund", "credit_memo"}),
    ),
    Role.SALES: RoleRule(
        scopes=_COMMERCIAL
        | {
            Scope.PERFORMANCE_READ,
            Scope.DEALS_READ,
            Scope.DEALS_REGISTER,
            Scope.DEALS_DECIDE,
            Scope.REBATES_READ,
            Scope.FUNDS_READ,
            Scope.FUNDS_CLAIM,
            Scope.PRICES_READ,
            Scope.PRICES_ASK,
        }
        | {Scope.QUOTES_READ, Scope.QUOTES_WRITE},
        by_name=frozenset({Scope.QUOTES_APPROVE, Scope.PRICES_COST}),
        hidden=frozenset(
            {"price_list.lines.floor_price", "receipt.lines.account", "receipt.lines.charge", "employee.mobile", "employee.email"}
        ),
        rows={"notice": f"r.doc->>'audience' IS DISTINCT FROM '{FINANCE}'"},  # a tag that stands on a margin is told to finance only
        writes=frozenset({"party", "contact", "territory", "lead", "deal", "quote"}),
        custom=False,
    ),
    Role.DEALER: RoleRule(
        scopes=frozenset(
            {
                Scope.RECORDS_READ,
                Scope.CHANGES_READ,
                Scope.DEALS_READ,
                Scope.DEALS_REGISTER,
                Scope.REBATES_READ,
                Scope.FUNDS_READ,
                Scope.FUNDS_CLAIM,
                Scope.REBATES_SIGN,
                Scope.PERFORMANCE_READ,
                Scope.PRICES_READ,
                Scope.QUOTES_READ,
                Scope.QUOTES_WRITE,
            }
        ),
        custom=False,
        listed=DEALER_SEES,
    ),
}

_META = ("id", "hub_key", "number", "version", "retired", "changed_at")
# Without version and change time, a dealer cannot tell that something hidden changed.
_DEALER_META = ("id", "hub_key", "number", "retired")


@dataclass(frozen=True)
class View:
    """What one role sees of one kind of record."""

    entity: str
    meta: tuple[str, ...]
    fields: frozenset[str]
    sets: Mapping[str, frozenset[str]]
    custom: bool
    rows: str
    """SQL condition on the rows; empty: all."""
    writable: frozenset[str]
    internals: bool
    """May see systems, lineage and causes."""

    @property
    def filterable(self) -> frozenset[str]:
        """Names that may stand in filter and sort."""
        typed = {column.field for column in TABLES[self.entity].columns}
        return (self.fields & typed) | frozenset(self.meta)

    def sees(self, path: str) -> bool:
        """True for a field, a set, or `set.field` that this role may see."""
        head, _, rest = path.partition(".")
        if head == "custom":
            return self.custom
        if head in self.sets:
            return not rest or rest in self.sets[head]
        return head in self.fields or head in {"number", "retired"} or (self.internals and head == "merged_into")


@cache
def view(role: Role, name: str) -> View | None:
    """What a role sees of an entity; None when it sees nothing of it."""
    rule, spec = ROLES[role], entity(name)
    own = frozenset(spec.fields) - {"number"}
    if rule.listed is not None:
        if name not in rule.listed:
            return None
        listed = rule.listed[name]
        sets = {child: frozenset(names.split()) for child, names in listed.sets.items()}
        return View(name, _DEALER_META, frozenset(listed.fields.split()), sets, rule.custom, listed.rows, frozenset(), internals=False)
    visible = frozenset(path for path in own if f"{name}.{path}" not in rule.hidden)
    sets = {child: frozenset(path for path in fields if f"{name}.{child}.{path}" not in rule.hidden) for child, fields in spec.sets.items()}
    writable = frozenset(path for path in visible if name in rule.writes and not spec.fields[path].derived)
    return View(name, _META, visible, sets, rule.custom, rule.rows.get(name, ""), writable, internals=True)
