"""The floor: what loading costs at the least. orjson, COPY into a temporary table, INSERT ... ON CONFLICT guarded by a hash, lines apart.

No mapping, links, history, or anything to decide. One commit for each page. The SQL stands in docs/benchmarks.md as well.
"""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from hashlib import md5
from typing import Any

import orjson
import psycopg

from benchmarks.measure import measured, peak_mib

HEAD = {
    "id": "bigint",
    "number": "text",
    "order_type": "text",
    "ordered_on": "date",
    "company_code": "text",
    "customer_id": "bigint",
    "customer_name": "text",
    "ship_to_id": "bigint",
    "salesperson": "text",
    "currency": "text",
    "exchange_rate": "numeric",
    "tax_included": "boolean",
    "payment_terms": "text",
    "settlement_method": "text",
    "net": "numeric",
    "tax": "numeric",
    "total": "numeric",
    "delivery_address": "text",
    "customer_reference": "text",
    "note": "text",
    "approval": "text",
    "status": "text",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}
LINE = {
    "line_id": "bigint",
    "seq": "integer",
    "product_id": "bigint",
    "quantity": "numeric",
    "unit": "text",
    "price": "numeric",
    "tax_rate": "numeric",
    "total": "numeric",
}


def _columns(fields: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in fields.items())


def _upsert(table: str, key: str, fields: list[str]) -> str:
    names = ", ".join(fields)
    moved = ", ".join(f"{name} = excluded.{name}" for name in fields if name not in key)
    return (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM new_{table} "
        f"ON CONFLICT ({key}) DO UPDATE SET {moved} WHERE {table}.row_hash IS DISTINCT FROM excluded.row_hash"
    )


CREATE = (
    f"CREATE TABLE orders ({_columns(HEAD)}, row_hash bytea, PRIMARY KEY (id))",
    f"CREATE TABLE order_lines (order_id bigint, {_columns(LINE)}, row_hash bytea, PRIMARY KEY (order_id, line_id))",
)
STAGE = (
    "CREATE TEMP TABLE new_orders (LIKE orders) ON COMMIT DELETE ROWS",
    "CREATE TEMP TABLE new_order_lines (LIKE order_lines) ON COMMIT DELETE ROWS",
)
UPSERT_ORDERS = _upsert("orders", "id", [*HEAD, "row_hash"])
UPSERT_LINES = _upsert("order_lines", "order_id, line_id", ["order_id", *LINE, "row_hash"])


def pages(port: int) -> Iterator[list[dict[str, Any]]]:
    """Every page of orders, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    number = total = 1
    while number <= total:
        connection.request("GET", f"/orders?page={number}")
        answer = orjson.loads(connection.getresponse().read())
        yield answer["data"]
        number, total = number + 1, answer["pages"]


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _text(value: Any) -> str:
    if value.__class__ is str:
        return value.translate(_ESCAPES)
    if value is True or value is False:
        return "t" if value else "f"
    return "\\N" if value is None else str(value)


def _hash(record: dict[str, Any]) -> str:
    return "\\\\x" + md5(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()


def load(url: str, port: int) -> int:
    """Read everything and store it; returns how many orders there were."""
    count = 0
    with psycopg.connect(url) as connection, connection.cursor() as db:
        for statement in STAGE:
            db.execute(statement)
        connection.commit()
        for page in pages(port):
            heads, lines = [], []
            for order in page:
                order_id = str(order["id"])
                lines += ["\t".join([order_id, *map(_text, line.values()), _hash(line)]) for line in order.pop("lines")]
                heads.append("\t".join([*map(_text, order.values()), _hash(order)]))
            for table, rows in (("new_orders", heads), ("new_order_lines", lines)):
                with db.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write("\n".join(rows) + "\n")
            db.execute(UPSERT_ORDERS)
            db.execute(UPSERT_LINES)
            connection.commit()
            count += len(page)
    return count


def main() -> None:
    """`floor.py URL PORT POSTMASTER first|again`: one line of JSON."""
    url, port, postmaster, phase = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if phase == "first":
        with psycopg.connect(url) as connection:
            for statement in CREATE:
                connection.execute(statement)
    with measured(postmaster, from_start=True) as cost:
        count = load(url, port)
    with psycopg.connect(url) as connection:
        (lines,) = connection.execute("SELECT count(*) FROM order_lines").fetchone() or (0,)
    print(json.dumps({"orders": count, "lines": lines, "cost": vars(cost), "mib": peak_mib()}))


if __name__ == "__main__":
    main()
