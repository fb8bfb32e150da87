"""What each figure means: definition, version, unit, sides, and who may see it. A changed meaning is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["share", "days", "hours", "amount", "count", "index", "points"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure. Source of the formulas: reference/pricing-and-rebates.md, section 6."""

    zh: str
    en: str
    unit: Unit
    top: str
    """The numerator, in words."""
    bottom: str = ""
    """The denominator, in words; empty: the figure is no ratio."""
    management: bool = False
    """Only for management: it tells cost or margin, ours or the total of all dealers."""
    version: int = 1


DEFINITIONS: Final[Mapping[str, Definition]] = {
    "target_completion": Definition("目标完成率", "target completion", "share", "net sales", "target for the days so far"),
    "sales_growth": Definition("销售增长率", "sales growth", "share", "net sales less last year's", "net sales of the same days last year"),
    "margin_amount": Definition(
        "毛利贡献额", "margin contribution", "amount", "net sales - cost - rebate - price protection - support", management=True
    ),
    "margin_share": Definition(
        "毛利贡献占比", "share of all margin", "share", "the dealer's margin", "margin of all dealers", management=True
    ),
    "margin_rate": Definition("毛利率", "margin rate", "share", "margin contribution", "net sales", management=True),
    "partner_cost_rate": Definition(
        "合作成本率", "cost of the partnership", "share", "rebate + price protection + support", "net sales", management=True
    ),
    "support_return": Definition(
        "市场投入回报", "return on support", "share", "net sales less last year's", "support, rebate and price protection", management=True
    ),
    "new_projects": Definition("新增项目数", "new projects", "count", "projects accepted in the period, not withdrawn"),
    "project_conversion": Definition("项目转化率", "projects converted", "share", "of these, converted", "new projects"),
    "collection_rate": Definition("回款率", "collection rate", "share", "paid of invoices due by the cut-off", "those invoices"),
    "cash_rate": Definition("现金回款率", "cash received to billed", "share", "cash received in the period", "billed in the period"),
    "days_to_pay": Definition(
        "平均付款天数", "days to pay", "days", "paid amount x (day of payment - day of invoice)", "paid amount of paid invoices"
    ),
    "days_to_pay_change": Definition(
        "付款天数同比变化", "days to pay, change on last year", "days", "days to pay less those of the same days last year"
    ),
    "dso": Definition("应收账款周转天数", "days sales outstanding", "days", "average receivable x days", "credit sales"),
    "dso_count_back": Definition("倒推法应收天数", "DSO by counting back", "days", "days of the months that the receivable stands for"),
    "days_late": Definition("平均逾期天数", "average days late", "days", "overdue amount x days", "credit sales"),
    "overdue_share": Definition("逾期占比", "overdue share", "share", "overdue amount", "receivable"),
    "complaints_per_1000": Definition("每千台有效投诉", "complaints per 1,000 units", "count", "valid complaints x 1,000", "units shipped"),
    "response_p90": Definition("投诉首次响应 P90", "first response, 90th percentile", "hours", "hours to the first response"),
    "close_p90": Definition("投诉关闭 P90", "time to close, 90th percentile", "hours", "hours to the close"),
    "satisfaction": Definition("满意度", "satisfaction", "points", "sum of the ratings", "number of ratings"),
    "project_top_share": Definition("最大项目占比", "share of the largest project", "share", "its net sales", "net sales of all projects"),
    "project_concentration": Definition("项目集中度", "concentration of projects", "index", "sum of squared percentages of net sales"),
    "customer_top_share": Definition(
        "最大客户占比", "share of the largest customer", "share", "its net sales", "net sales of all customers"
    ),
    "customer_concentration": Definition("客户集中度", "concentration of customers", "index", "sum of squared percentages of net sales"),
    "attended_of_invited": Definition("活动参与率（邀请）", "attended of invited", "share", "attended", "invited"),
    "attended_of_registered": Definition("活动到场率（报名）", "attended of registered", "share", "attended", "registered"),
    "training_passed": Definition("培训通过率", "training passed", "share", "passed", "required"),
    "follow_up_in_time": Definition("跟进及时率", "follow-ups in time", "share", "done on or before the due day", "due by the cut-off"),
    "registration_in_time": Definition(
        "报备及时率", "registrations in time", "share", "done on or before the due day", "due by the cut-off"
    ),
    "records_in_time": Definition("系统录入率", "records in time", "share", "done on or before the due day", "due by the cut-off"),
    "above_authority": Definition("超权限价格占比", "lines above authority", "share", "lines above authority", "lines that were judged"),
    "discount_spread": Definition("折扣离散度", "discount spread", "share", "90th less 10th percentile of the lines' discounts"),
    "cross_region": Definition("确认窜货次数", "cross-region shipments", "count", "confirmed shipments"),
    "penetration": Definition("市场渗透率", "market penetration", "share", "customers with net sales", "addressable customers"),
}
