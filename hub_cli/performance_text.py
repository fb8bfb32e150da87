"""How the board and the stock look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

RIGHT = frozenset(("place", "before", "score", "target", "known", "stock", "a day", "cover", "restock", "from others"))


def board_table(told: Mapping[str, Any]) -> str:
    """The board, a line a dealer; each group under its head."""
    head = f"{told['name']['zh']} / {told['name']['en']}  {told['scorecard']} version {told['version']}"
    lines = [head, f"{told['period']['name']} up to {told['as_of']}" + (", live: the period is not over" if told["live"] else "")]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in told["results"]:
        groups.setdefault(" · ".join(value or "-" for value in row["group"].values()) or "all", []).append(row)
    for group, rows in groups.items():
        lines += [
            "",
            group,
            *table(("place", "before", "dealer", "name", "score", "target", "driver", "tags"), [_board_row(row) for row in rows]),
        ]
    return "\n".join(lines)


def _board_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = [one for one in (*row["kpis"], *row["figures"]) if one["kpi"] == "target_completion"]
    driver = row.get("driver")
    tags = [tag["tag"] for tag in row.get("tags", ()) if tag["on"]] + [
        f"{tag['tag']} ({tag['owner']})" for tag in row.get("manual_tags", ())
    ]
    return (
        f"{row['place']}/{row['of']}" if row["place"] else "-",
        str(row["previous_place"] or "-"),
        f"{row['dealer']} {row['product_line']}".strip(),
        row["name"],
        short(row.get("score")) if row["ranked"] else "not ranked",
        percent(found[0]["value"]) if found else "-",
        f"{driver['kpi']} {'+' if not driver['change'].startswith('-') else ''}{short(driver['change'])}" if driver else "",
        ", ".join(tags),
    )


def stock_table(told: Mapping[str, Any]) -> str:
    """Advice, a line a dealer and product, then the transfers."""
    heads = ("dealer", "product", "stock", "a day", "cover", "dry on", "restock", "from others", "")
    rows = [
        (
            one["dealer"], one["product"], one["on_hand"], short(one["pace"]), one["cover_days"] or "-", one["out_on"] or "-",
            one["restock"], str(one["from_others"] or "-"), "! dry before goods arrive" if one["warning"] else one["why"],
        )
        for one in told["advice"]
    ]  # fmt: skip
    lines = table(heads, rows)
    lines += [f"transfer {one['quantity']} of {one['product']} from {one['from']} to {one['to']}" for one in told["transfers"]]
    return "\n".join([*lines, *(f"no count: {one['dealer']} sells {one['product']}" for one in told["uncounted"])])


def short(value: str | None) -> str:
    """A figure with at most two decimals."""
    from decimal import Decimal

    from canonical.values import decimal_text

    return "-" if value is None else decimal_text(Decimal(value), 2)


def percent(value: str | None) -> str:
    """A share in per cent."""
    from decimal import Decimal

    return "-" if value is None else f"{short(str(Decimal(value) * 100))} %"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines with columns as wide as what stands in them; a Chinese character is two wide."""
    cells = [list(heads), *(list(row) for row in rows)]
    wide = [max(width(row[at]) for row in cells) for at in range(len(heads))]
    return [
        "  ".join(_pad(text, size, right=head in RIGHT) for text, size, head in zip(row, wide, heads, strict=True)).rstrip()
        for row in cells
    ]


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _pad(text: str, size: int, *, right: bool) -> str:
    gap = " " * (size - width(text))
    return gap + text if right else text + gap
