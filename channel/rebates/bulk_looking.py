"""What is looked at in Parquet before it is summed: types that sums can take, and rows that only reading them as facts can judge.

The look is wide: it may doubt a row that is well, never the other way round. Doubtful rows are read as facts, by the one way of reading
that all of the hub has, so that a file of millions is refused with the same flaws, words and lines as a small one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final

from canonical.currencies import CODES
from canonical.values import SHANGHAI
from channel.rebates.errors import Flaw
from channel.rebates.facts import DAYS, KINDS, LINES, NEGATIVE, NEVER_BELOW, NUMBERS, PRICES, TEXTS, wrong_heads
from channel.rebates.values import FIRST_DAY, LAST_DAY

BINARY: Final = frozenset(("DOUBLE", "FLOAT", "REAL"))
INTEGERS: Final = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)  # fmt: skip
NAIVE: Final = frozenset(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"))
ZONED: Final = "TIMESTAMP WITH TIME ZONE"
WORDS: Final = ("id", "kind", "dealer", "currency", *TEXTS)
"""Columns of text; codes may be stored as whole numbers."""
BLANKS: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What is cut off at both ends of a text when it is read."""
BLANK: Final = "".join(f"\\x{{{ord(sign):x}}}" for sign in BLANKS)
PLAIN: Final = r"[+-]?\d{1,14}(\.\d{1,4})?"
DAY: Final = r"\d{4}-\d{2}-\d{2}"
RATE: Final = r"0(\.\d{1,18})?|\d{1,2}(\.\d{1,12})?\s*[%％]"
MOMENT: Final = DAY + r"([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?"


def floats(columns: Mapping[str, str], file: str) -> list[Flaw]:
    """Columns of a Parquet file (name -> type of DuckDB) that hold binary floats."""
    return [
        Flaw("float", name, f"the column is {kind}, which is not exact", "store it as DECIMAL or as text, or leave it out", None, file)
        for name, kind in columns.items() if kind in BINARY
    ]  # fmt: skip


def flaws_of(columns: Mapping[str, str], file: str) -> list[Flaw]:
    """What is wrong with the columns of a Parquet file."""
    return floats(columns, file) or wrong_heads(list(columns), file)


def unfit(columns: Mapping[str, str]) -> str:
    """Which column has a type that sums cannot take; empty when none has."""
    codes, days, figures = {"VARCHAR", "UUID", *INTEGERS}, {"DATE", "VARCHAR", ZONED, *NAIVE}, {"VARCHAR", "DECIMAL", *INTEGERS}
    kinds = ((WORDS, codes), ((*DAYS, "recorded_at"), days), ((*NUMBERS, "tax_rate"), figures), (("revision",), INTEGERS))
    fitting = {name: kind for names, kind in kinds for name in names}
    wrong = (name for name, kind in columns.items() if name in fitting and kind.partition("(")[0] not in fitting[name])
    return next(wrong, "")


def source(columns: Mapping[str, str], files: str) -> str:
    """The rows of files with texts as text, days as days and numbers as numbers; what cannot be one becomes NULL, and is doubtful."""
    replaced = []
    for name, kind in columns.items():
        if name in WORDS and kind != "VARCHAR":
            replaced.append(f"CAST({name} AS VARCHAR) AS {name}")
        elif name in DAYS and kind != "DATE":
            replaced.append(f"TRY_CAST({name} AS DATE) AS {name}")
        elif name in NUMBERS and kind == "VARCHAR":
            replaced.append(f"TRY_CAST({name} AS DECIMAL(18, 4)) AS {name}")
    read = f"read_parquet({files}, union_by_name = true)"
    return f"(SELECT * REPLACE ({', '.join(replaced)}) FROM {read})" if replaced else read


def known_by(kind: str, known_at: datetime) -> str:
    """SQL that a row was known at a moment, by the type of `recorded_at`: a mere day is its end, a time without zone Shanghai's."""
    local = known_at.astimezone(SHANGHAI)
    if kind == "DATE":
        last = local.date() if local.time() == time.max else local.date() - timedelta(days=1)
        return f"(recorded_at IS NULL OR recorded_at <= DATE '{last}')"
    if kind in NAIVE:
        return f"(recorded_at IS NULL OR recorded_at <= TIMESTAMP '{local.replace(tzinfo=None)}')"
    return f"(recorded_at IS NULL OR recorded_at <= TIMESTAMPTZ '{known_at.isoformat()}')"


def doubtful(columns: Mapping[str, str], *, exported: bool) -> str:
    """SQL for rows that reading alone can judge, on the columns as they are stored."""
    found = [f"kind IS NULL OR kind NOT IN {tuple(sorted(KINDS))}", "id IS NULL", "dealer IS NULL AND kind <> 'price_change'"]
    found += ["kind = 'settlement'"]  # it is taken off what is earned, which sums do not do
    for name, kind in columns.items():
        found += _of_column(name, kind)
    if "period" in columns:
        found.append("kind IN ('target', 'baseline') AND coalesce(CAST(period AS VARCHAR), '') <> ''")
    if "currency" in columns and columns["currency"] == "VARCHAR":
        said = f"currency IS NULL OR currency NOT IN {tuple(sorted(CODES))}"
        silent = "coalesce(currency, '') = '' AND " + ("true" if exported else "kind IN ('stock', 'complaint', 'measure')")
        found.append(f"({said}) AND NOT ({silent})")
    found += _of_figures(columns)
    return " OR ".join(f"({one})" for one in found)


def _of_column(name: str, kind: str) -> list[str]:
    if name in WORDS and kind == "VARCHAR":
        empty = {"id": ["id = ''"], "dealer": ["dealer = '' AND kind <> 'price_change'"]}.get(name, [])
        # Comparing the edges with those of plain signs costs a tenth of the expression, which looks at what is left.
        plain = f"{name} < '!' OR {name} > '~' OR {name}[-1] < '!' OR {name}[-1] > '~'"
        return [f"({plain}) AND regexp_matches({name}, '^[{BLANK}]|[{BLANK}]$')", *empty]
    if name in DAYS:
        return _of_day(name, kind)
    if name in NUMBERS and kind == "VARCHAR":
        return [f"{name} <> '' AND NOT regexp_full_match({name}, '{PLAIN}')"]
    if name == "revision":
        return ["revision IS NULL OR revision < 1 OR revision > 999999999"]
    if name == "tax_rate":
        return [f"tax_rate <> '' AND NOT regexp_full_match(tax_rate, '{RATE}')" if kind == "VARCHAR" else "tax_rate < 0 OR tax_rate >= 1"]
    if name == "recorded_at" and kind == "VARCHAR":
        return [f"recorded_at <> '' AND (NOT regexp_full_match(recorded_at, '{MOMENT}') OR TRY_CAST(recorded_at AS TIMESTAMP) IS NULL)"]
    if name == "recorded_at":
        return ["recorded_at < DATE '1970-01-02' OR recorded_at >= DATE '2099-12-31'"]
    return []


def _of_day(name: str, kind: str) -> list[str]:
    found = [f"{name} IS NULL"] if name == "date" else []
    if kind == ZONED:
        return [*found, f"{name} IS NOT NULL"]  # a moment of no zone that is ours: reading refuses it
    if kind == "VARCHAR":
        written = f"{name} <> '' AND (NOT regexp_full_match({name}, '{DAY}') OR TRY_CAST({name} AS DATE) IS NULL)"
        return (
            [*found, f"{name} = ''", written, _far(f"TRY_CAST({name} AS DATE)")]
            if name == "date"
            else [written, _far(f"TRY_CAST({name} AS DATE)")]
        )
    if kind in NAIVE:
        found.append(f"{name} <> date_trunc('day', {name})")
    return [*found, _far(name)]


def _far(day: str) -> str:
    return f"{day} < DATE '{FIRST_DAY}' OR {day} >= DATE '{LAST_DAY}'"


def _of_figures(columns: Mapping[str, str]) -> list[str]:
    """Signs, sums with tax, and what must not be missing."""

    def figure(name: str) -> str:
        if name not in columns:
            return "NULL"
        return f"TRY_CAST({name} AS DECIMAL(18, 4))" if columns[name] == "VARCHAR" else name

    amount, tax, gross, quantity = map(figure, ("amount", "tax", "gross", "quantity"))
    present = [one for one in (quantity, amount, gross) if one != "NULL"]
    found = [f"{figure(name)} < 0" for name in PRICES if name in columns]
    if present:
        below, above = (" OR ".join(f"{one} {sign} 0" for one in present) for sign in "<>")
        found += [f"kind IN {tuple(sorted(NEVER_BELOW))} AND ({below})", f"kind IN {tuple(sorted(NEGATIVE))} AND ({above})"]
    missing = f"{amount} IS NULL AND {gross} IS NULL"
    found.append(f"kind IN {tuple(sorted(LINES))} AND {missing} AND coalesce({quantity}, 0) = 0 AND {figure('old_price')} IS NULL")
    paid = "coalesce(CAST(applies_to AS VARCHAR), '') = ''" if "applies_to" in columns else "true"
    found.append(f"kind = 'payment' AND ({missing} OR {paid})")
    if tax != "NULL":
        found.append(
            f"{amount} + {tax} <> {gross} OR sign({amount}) * sign({tax}) < 0" if "NULL" not in (amount, gross) else f"{tax} IS NOT NULL"
        )
    if "tax_rate" in columns and "NULL" not in (amount, gross):
        found.append(f"tax_rate IS NOT NULL AND sign({amount}) * sign({gross} - {amount}) < 0")
    return found
