"""A priced cart as a person reads it in the terminal: one table of rungs for each line."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hub_cli.answers import plain


def waterfall(told: Mapping[str, Any]) -> str:
    """Tables of every line, charges, totals and the approval, as text."""
    data = plain(told)
    out = io.StringIO()
    console = Console(file=out, width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)
    for line in data["lines"]:
        _line(console, line, data["currency"])
    for charge in data["charges"]:
        console.print(f"{charge['name'] or charge['rule']}: net {charge['net']}, tax {charge['tax']}, gross {charge['gross']}")
    for gift in data["free_goods"]:
        console.print(f"赠品 free: {gift['quantity']} {gift['unit']} {gift['item']} ({gift['rule']}, for line {gift['for_line']})")
    console.print(f"net {data['net']}  tax {data['tax']}  gross {data['gross']} {data['currency']}")
    if data.get("as_of_now"):
        console.print(f"of the dealer as of now, not of then: {', '.join(data['as_of_now'])}")
    approval = data["approval"]
    told_by = f" level {approval['level']} {approval['role']}".rstrip() if approval.get("level") else ""
    console.print(f"approval: {approval['result']}{told_by}")
    for need in approval.get("needs", []):
        if need["why"] != "within":
            who = "nobody may grant it" if need["level"] is None else f"level {need['level']}"
            console.print(f"  {need['subject']}: {who}, because of {need['why']}")
    if "profit" in data:
        profit = data["profit"]
        console.print(_profit(profit))
    if "refusal" in data:
        console.print(_refused(data["refusal"]))
    console.print(f"hash {data['hash']}")
    return out.getvalue().rstrip("\n")


def _line(console: Console, line: Mapping[str, Any], currency: str) -> None:
    named = " ".join(filter(None, (line["item"], line.get("name", ""))))
    console.print(f"{line['id']}  {named}  {line['quantity']} {line['unit']}")
    if "refusal" in line:
        console.print("   " + _refused(line["refusal"]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("rung", "rule", "operation", "value"):
        table.add_column(name, overflow="fold")
    for name in ("before", "after", "amount", "note"):
        table.add_column(name, justify="left" if name == "note" else "right", overflow="fold")
    for step in line["waterfall"]:
        note = "; ".join(step[name] for name in ("rounding", "note", "who") if step.get(name))
        rule = f"{step['rule']} v{step['version']}"
        table.add_row(step["rung"], rule, step["operation"], step["value"], step["before"] or "", step["after"], step["amount_after"], note)
    if line["waterfall"]:
        console.print(table)
    for one in line["not_used"]:
        console.print(f"   not used: {one['rung']} {one['rule']}: {one['reason']}" + (f" ({one['detail']})" if one.get("detail") else ""))
    for other in line.get("alternatives", []):
        console.print(f"   at {other['quantity']} {other['unit']} the price is {other['unit_price']}")
    if "net" in line:
        amounts = "  ".join(f"{name} {line[name]}" for name in ("net", "tax", "gross"))
        if "allowed" in line:
            console.print(f"   may be given from {line['allowed']['lowest']} to {line['allowed']['highest']}")
        if "lead_time" in line:
            console.print(f"   交期 {line['lead_time']['days']} days ({line['lead_time']['source']})")
        side = "with tax" if line["tax_side"] == "included" else "without tax"
        per = f" for {line['per']}" if "per" in line else ""
        console.print(f"   unit {line['unit_price']}{per} {side}  {amounts} {currency}\n")


def _profit(profit: Mapping[str, Any]) -> str:
    if profit["cost"] is None:
        return "cost and margin: not known, for an item without a cost or a rate"
    percent = "" if profit["margin_percent"] is None else f" ({profit['margin_percent']} %)"
    return f"cost {profit['cost']}  margin {profit['margin']}{percent}, after the rebate expected {profit['margin_after_rebate']}"


def _refused(refusal: Mapping[str, Any]) -> str:
    return f"{refusal['code']}: {refusal['what']} {refusal['zh']}. Next: {refusal['next_step']}"
