"""How long a record takes through a mapping: `python -m tests.mappings.speed`. Prints one JSON line per figure.

An order of 25 fields with 3 lines of 8 fields, fresh values each time, is read by a mapping of exactly these fields; beside it, in the same
run, the plainest hand-written loop that only copies the same values. The limit is 25 µs for reading.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

from mappings.compiler import OURS, load
from mappings.model import Mapping
from tests.mappings import samples

ROUNDS = 9
RECORDS = 2_000
LIMIT_US = 25.0

# 25 fields of the head (number to approved_at) and 8 of the line: the overlay drops the rest.
_DROPPED = """
fields: {quote: null, settlement_method: null}
sets:
  lines:
    fields: {price: null, discount_rate: null, discount: null, net: null, tax: null, free: null, delivery_date: null, status: null}
"""


def records() -> list[dict[str, Any]]:
    """Orders with amounts of their own, parsed anew, so that nothing is cached in the values."""
    made = []
    for number in range(RECORDS):
        lines = [
            samples.order_line(
                line,
                FQty=Decimal(f"{number % 90 + line}.0000000000"),
                FTaxPrice=Decimal(f"{number * 7 % 900}.{line}5"),
                FAllAmount=Decimal(f"{number}.{line}1"),
            )
            for line in (1, 2, 3)
        ]
        made.append(samples.order(FBillNo=f"XSDD{number:06d}", FBillAllAmount=Decimal(f"{number}.50"), FSaleOrderEntry=lines))
    return made


def best(work: Callable[[list[dict[str, Any]]], None]) -> float:
    """µs per record, the best of several rounds; CPU time, because the machine is shared."""
    found = []
    for _ in range(ROUNDS):
        batch = records()
        start = process_time()
        work(batch)
        found.append((process_time() - start) / len(batch) * 1e6)
    return min(found)


def mapping_of_25_fields() -> Mapping:
    """The hub's own mapping of orders, cut to the measured shape."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "erp_kingdee"
        place.mkdir()
        (place / "sales_orders.yaml").write_text(_DROPPED, encoding="utf-8")
        return load([OURS, Path(folder)], "erp_kingdee", "sales_orders")


def main() -> None:
    """Measure and print."""
    mapping = mapping_of_25_fields()
    heads = sum("." not in name for name in mapping.reads)
    lines = sum("." in name for name in mapping.reads)
    sample = samples.order(lines=3)
    refs, values = samples.refs(mapping, sample), samples.VALUES["erp_kingdee"]
    read = mapping.read(sample, refs, values)
    known = samples.targets(mapping, read.fields, read.sets)

    def reading(batch: list[dict[str, Any]]) -> None:
        for payload in batch:
            mapping.read(payload, refs, values)

    def citing(batch: list[dict[str, Any]]) -> None:
        for payload in batch:
            mapping.cites(payload)

    def writing(batch: list[dict[str, Any]]) -> None:
        for _ in batch:
            mapping.write(read.fields, read.sets, known, values)

    def copying(batch: list[dict[str, Any]]) -> None:
        for payload in batch:
            {key: value for key, value in payload.items() if key != "FSaleOrderEntry"}
            [dict(line.items()) for line in payload["FSaleOrderEntry"]]

    floor = best(copying)
    print(f"{heads} fields, 3 lines of {lines} fields; a plain copy takes {floor:.1f} µs")  # noqa: T201
    for name, work, limit in (("read", reading, LIMIT_US), ("cites", citing, None), ("write", writing, None)):
        value = best(work)
        figure: dict[str, Any] = {"bar": f"mapping.{name}_us", "value": round(value, 1), "times_copy": round(value / floor, 1)}
        if limit is not None:
            figure |= {"limit": limit, "ok": value <= limit}
        print(json.dumps(figure))  # noqa: T201


if __name__ == "__main__":
    main()
