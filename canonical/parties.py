"""Whom we deal with: a company is one Party with roles; people are Contacts; terms and regions hang on agreements and territories."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import Amount, CompanyRef, Day, PartyRef, Personal, PriceListRef, Rate


class PartyCompany(Part):
    """What differs for a party from one of our companies to another."""

    company: CompanyRef | None = Field(default=None, description="Our company.")
    code: str = Field(default="", description="The party's code in that company's books.")
    credit_limit: Amount | None = Field(default=None, description="Credit limit in `currency`.")
    currency: str = Field(default="", description="ISO 4217 code of trade.")
    payment_terms: str = Field(default="", description="Code of the payment condition.")
    settlement_method: str = Field(default="", description="Code of the settlement method.")
    price_list: PriceListRef | None = Field(default=None, description="Price list that applies.")
    salesperson: str = Field(default="", description="Canonical code of the salesperson in charge.")
    blocked: bool = Field(default=False, description="True when no new business may be done.")


class Address(Part):
    """A place where goods or papers go."""

    label: str = Field(default="", description="What people call it.")
    kind: str = Field(default="", description="delivery, invoice, office.")
    address: Annotated[str, Personal] = Field(default="", description="Street and number, free text.")
    consignee: Annotated[str, Personal] = Field(default="", description="Who receives there.")
    phone: Annotated[str, Personal] = Field(default="", description="Phone at the place.")
    default: bool = Field(default=False, description="True for the usual one.")


class Party(Aggregate):
    """A company or other body that we deal with, in all its roles."""

    entity: ClassVar[str] = "party"
    title: ClassVar[str] = "往来单位 Party"

    name: str = Field(default="", description="Full registered name.")
    short_name: str = Field(default="", description="Short name.")
    english_name: str = Field(default="", description="Name in Latin letters.")
    uscc: str = Field(default="", description="统一社会信用代码, 18 characters (GB 32100); a sure key.")
    tax_number: str = Field(default="", description="Tax registration number where it differs from the uscc.")
    roles: list[str] = Field(default_factory=list, description="dealer, end_customer, carrier, own_company, supplier.")
    internal: bool = Field(default=False, description="True for our own companies.")
    level: str = Field(default="", description="Dealer level: core, normal, potential (核心/普通/潜在).")
    channel_type: str = Field(default="", description="province_agent, city_agent, second_tier, ... (省代/市代/二级).")
    group: str = Field(default="", description="Customer group code.")
    industry: str = Field(default="", description="Main industry.")
    parent: PartyRef | None = Field(default=None, description="The party above it in the channel.")
    country: str = Field(default="", description="ISO 3166 alpha-2.")
    province: str = Field(default="", description="Province name.")
    city: str = Field(default="", description="City name.")
    address: str = Field(default="", description="Registered or business address.")
    postcode: str = Field(default="", description="Postal code.")
    phone: str = Field(default="", description="Switchboard number.")
    website: str = Field(default="", description="Web site.")
    email: str = Field(default="", description="General e-mail address.")
    description: str = Field(default="", description="Free remark.")
    tags: list[str] = Field(default_factory=list, description="Tags of the standard dictionary.")
    product_lines: list[str] = Field(default_factory=list, description="Product lines carried or bought.")
    discount_rate: Rate | None = Field(default=None, description="Agreed discount.")
    annual_target: Amount | None = Field(default=None, description="Target of the year in CNY.")
    since: Day | None = Field(default=None, description="Start of the cooperation.")
    status: str = Field(default="active", description="active, blocked.")
    companies: list[PartyCompany] = Field(default_factory=list, description="What differs by company of ours.")
    addresses: list[Address] = Field(default_factory=list, description="Places.")


class Contact(Aggregate):
    """A person at a party."""

    entity: ClassVar[str] = "contact"
    title: ClassVar[str] = "联系人 Contact"

    name: Annotated[str, Personal] = Field(default="", description="Full name.")
    party: PartyRef | None = Field(default=None, description="Where the person works.")
    job_title: str = Field(default="", description="Job title.")
    role: str = Field(default="", description="purchasing, sales, owner, finance, engineer.")
    mobile: Annotated[str, Personal] = Field(default="", description="Mobile number.")
    phone: Annotated[str, Personal] = Field(default="", description="Fixed line.")
    email: Annotated[str, Personal] = Field(default="", description="E-mail address.")
    reach: dict[str, str] = Field(default_factory=dict, description="User ids by channel (wecom, dingtalk).")
    tags: list[str] = Field(default_factory=list, description="Tags, e.g. 已认证工程师.")
    status: str = Field(default="active", description="active or left.")


class Agreement(Aggregate):
    """A dealer agreement: mode, term, what it grants."""

    entity: ClassVar[str] = "agreement"
    title: ClassVar[str] = "协议 Agreement"

    party: PartyRef | None = Field(default=None, description="The dealer.")
    company: CompanyRef | None = Field(default=None, description="Our signing company.")
    mode: str = Field(default="", description="distribution, agency, co_sell, platform (分销/代理/合作/平台).")
    valid_from: Day | None = Field(default=None, description="First day.")
    valid_to: Day | None = Field(default=None, description="Last day, inclusive.")
    discount_rate: Rate | None = Field(default=None, description="Agreed discount.")
    currency: str = Field(default="", description="ISO 4217 code.")
    target: Amount | None = Field(default=None, description="Sales target over the term.")
    status: str = Field(default="draft", description="draft, active, ended.")


class Territory(Aggregate):
    """Where and for what a dealer may sell."""

    entity: ClassVar[str] = "territory"
    title: ClassVar[str] = "授权区域 Territory"

    party: PartyRef | None = Field(default=None, description="The dealer.")
    region: str = Field(default="", description="GB/T 2260 code prefix; empty: everywhere.")
    industry: str = Field(default="", description="Industry; empty: all.")
    product_line: str = Field(default="", description="Product line; empty: all.")
    exclusive: bool = Field(default=False, description="True when nobody else may sell there.")
    valid_from: Day | None = Field(default=None, description="First day.")
    valid_to: Day | None = Field(default=None, description="Last day, inclusive.")
