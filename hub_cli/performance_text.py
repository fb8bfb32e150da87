"""How the board and the stock look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

RIGHT = frozenset(
    (
        "place",
        "before",
        "year ago",
        "value",
        "numerator",
        "denominator",
        "score",
        "target",
        "known",
        "stock",
        "a day",
        "cover",
        "restock",
        "from others",
    )
)


def board_table(told: Mapping[str, Any]) -> str:
    """The board, a line a dealer; each group under its head."""
    lines = [_head(told)]
    for group, rows in _grouped(told).items():
        lines += [
            "",
            " · ".join(value or "-" for value in group) or "all",
            *table(("place", "before", "dealer", "name", "score", "target", "driver", "tags"), [_board_row(row) for row in rows]),
        ]
    for one in told.get("uncounted", ()):
        about = f"{one['facts']} facts of {one['dealer']} about {one['product_line']}"
        lines += ["", f"counted nowhere: {about}, for which it is not on the board"]
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


def ranking(told: Mapping[str, Any]) -> str:
    """Each group's places with a bar a score; those that are not ranked at the end."""
    lines = [_head(told)]
    ends = {tuple(one["group"].values()): one for one in told["groups"]}
    for group, rows in _grouped(told).items():
        quartiles = (ends.get(group) or {}).get("quartiles")
        said = f"   quartiles {' / '.join(short(one) for one in quartiles)}" if quartiles else ""
        heads = ("place", "before", "year ago", "dealer", "name", "score", "", "target", "driver")
        lines += ["", (" · ".join(part or "-" for part in group) or "all") + said, *table(heads, [_ranked(row) for row in rows])]
    return "\n".join(lines)


def _ranked(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = [one for one in (*row["kpis"], *row["figures"]) if one["kpi"] == "target_completion"]
    driver = row.get("driver")
    return (
        str(row["place"] or "-"),
        _moved(row["place"], row["previous_place"]),
        str(row["last_year_place"] or "-"),
        f"{row['dealer']} {row['product_line']}".strip(),
        row["name"],
        short(row["score"]) if row["ranked"] else "not ranked",
        bar(row["score"]) if row["ranked"] else "",
        percent(found[0]["value"]) if found else "-",
        f"{driver['kpi']} {'+' if not driver['change'].startswith('-') else ''}{short(driver['change'])}" if driver else "",
    )


def _moved(now: int | None, before: int | None) -> str:
    if before is None or now is None:
        return str(before or "-")
    return f"{before} {'↑' if now < before else '↓' if now > before else '='}"


def bar(score: str, wide: int = 20) -> str:
    """A score of 0 to 100 as a bar, in eighths of a cell."""
    from decimal import Decimal

    eighths = int(Decimal(score) * wide * 8 / 100)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def explained(told: Mapping[str, Any], kpi: str | None = None) -> str:
    """Why a dealer stands where it stands: each figure in a sentence, the rest in a table, tags, and the documents to look at."""
    lines = [_head(told)]
    for row in told["results"]:
        place = f"place {row['place']} of {row['of']}" if row["place"] else "not ranked"
        group = " · ".join(value or "-" for value in row["group"].values())
        lines += [
            "",
            f"{row['dealer']} {row['name']} {row['product_line']}".rstrip() + f"   {group}   {place}   score {short(row['score'])}",
        ]
        shown = [one for one in (*row["kpis"], *row["figures"]) if kpi in (None, one["kpi"])]
        lines += [f"  {one['trace']['zh']}" for one in shown if "trace" in one]
        lines += [f"  {one['trace']['en']}" for one in shown if "trace" in one] if kpi else []
        lines += [f"  - {one['name']['zh']} {one['name']['en']}: {one['points']} points off" for one in row["deductions"] if not kpi]
        heads = ("figure", "", "value", "numerator", "denominator", "definition")
        rest = [
            (one["kpi"], one["name"]["zh"], _value(one), short(one["numerator"]), short(one["denominator"]), f"v{one['definition']}")
            for one in shown if kpi or ("trace" not in one and one["value"] is not None)
        ]  # fmt: skip
        lines += ["", *(f"  {line}" for line in table(heads, rest))] if rest else []
        bare = [one for one in shown if not kpi and "trace" not in one and one["value"] is None]
        unsaid = [f"{one['name']['zh']} {one['kpi']} ({_value(one)})" for one in bare]
        lines += [f"  without a value: {', '.join(unsaid)}"] if unsaid else []
        lines += [line for tag in row["tags"] if tag["on"] and not kpi for line in _tag(tag)]
        lines += [
            f"  tag {tag['tag']}, by hand: {tag['reason']} ({tag['owner']}, until {tag['expires']})"
            for tag in row["manual_tags"]
            if not kpi
        ]
        lines += _documents(shown, told.get("evidence", {}))
    return "\n".join(lines)


def _tag(tag: Mapping[str, Any]) -> list[str]:
    return [f"  tag {tag['tag']} since {tag['since']}: {why(tag)}"]


def why(tag: Mapping[str, Any]) -> str:
    """The figures and limits that a tag stands on."""
    return "; ".join(f"{one['name']['zh']} {_value(one)} (limit {_value({**one, 'value': one['limit']})})" for one in tag["evidence"])


def trended(told: Sequence[Mapping[str, Any]], kpis: Sequence[str] = ()) -> str:
    """Months of a dealer, a line each, under a line of the scores."""
    lines: list[str] = []
    for product_line in sorted({month["product_line"] for month in told}):
        months = [month for month in told if month["product_line"] == product_line]
        figures = {one["kpi"]: one for month in months for one in month["figures"]}
        wanted = [code for code in figures if code in kpis] if kpis else [code for code, one in figures.items() if one["scored"]]
        rows = []
        for month in months:
            now = {one["kpi"]: one for one in month["figures"]}
            place = f"{month['place']}/{month['of']}" if month["place"] else "-"
            score = short(month["score"]) if month["place"] else "not ranked"
            rows.append((month["month"], score, place, *(_value(now[code]) if code in now else "-" for code in wanted)))
        head = f"{months[-1]['dealer']} {months[-1]['name']} {product_line}".rstrip()
        heads = ("month", "score", "place", *(figures[code]["name"]["zh"] for code in wanted))
        lines += ["", f"{head}  {spark([month['score'] for month in months])}", *table(heads, rows, right=frozenset(heads[1:]))]
    return "\n".join(lines[1:])


def spark(scores: Sequence[str | None]) -> str:
    """Scores of 0 to 100 as a line of blocks; a month without one is a dot."""
    from decimal import Decimal

    return "".join("·" if score is None else "▁▂▃▄▅▆▇█"[min(7, int(Decimal(score) * 8 / 100))] for score in scores)


def _documents(shown: Iterable[Mapping[str, Any]], evidence: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The facts behind figures: number, day, due day and amount as far as they have them."""
    lines = []
    for figure in shown:
        for fact in figure["facts"]:
            said = evidence.get(fact, {})
            parts = [said.get("document") or fact, said.get("date", ""), f"due {said['due_date']}" if "due_date" in said else ""]
            parts += [f"done {said['done_date']}" if "done_date" in said else "", said.get("amount", ""), said.get("status", "")]
            lines.append((figure["name"]["zh"], "  ".join(part for part in parts if part)))
    return ["", *(f"  {line}" for line in table(("to look at", ""), lines))] if lines else []


def _value(figure: Mapping[str, Any]) -> str:
    """The figure, or why it has none."""
    if figure["value"] is None:
        return _NO_VALUE.get(figure.get("note") or "", "-")
    return percent(figure["value"]) if figure["unit"] == "share" else short(figure["value"])


_NO_VALUE = {"unknown": "unknown", "few": "too few", "no_denominator": "nothing to divide by"}


def _head(told: Mapping[str, Any]) -> str:
    again = f", revision {told['revision']}: {told['reason']}" if told.get("revision", 1) > 1 and told.get("reason") else ""
    name = f"{told['name']['zh']} / {told['name']['en']}  {told['scorecard']} version {told['version']}"
    return f"{name}\n{told['period']['name']} up to {told['as_of']}{again}" + (", live: the period is not over" if told.get("live") else "")


def _grouped(told: Mapping[str, Any]) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in told["results"]:
        groups.setdefault(tuple(row["group"].values()), []).append(row)
    return groups


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


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[str] = RIGHT) -> list[str]:
    """Lines with columns as wide as what stands in them; a Chinese character is two wide. right: heads of columns of numbers."""
    cells = [list(heads), *(list(row) for row in rows)]
    wide = [max(width(row[at]) for row in cells) for at in range(len(heads))]
    return [
        "  ".join(_pad(text, size, right=head in right) for text, size, head in zip(row, wide, heads, strict=True)).rstrip()
        for row in cells
    ]


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _pad(text: str, size: int, *, right: bool) -> str:
    gap = " " * (size - width(text))
    return gap + text if right else text + gap
