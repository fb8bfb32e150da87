"""The same load by dlt: the declarative rest_api source, write disposition merge, csv files for COPY, lines in a child table."""

from __future__ import annotations

import json
import os
import sys
import tempfile

from benchmarks.measure import measured, peak_mib


def load(url: str, port: int, folder: str) -> None:
    """Read everything and merge it."""
    import dlt  # noqa: PLC0415  its import is part of what is measured
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    source = rest_api_source(
        {
            "client": {
                "base_url": f"http://127.0.0.1:{port}/",
                "paginator": {"type": "page_number", "base_page": 1, "total_path": "pages"},
            },
            "resources": [
                {
                    "name": "orders",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {"path": "orders", "data_selector": "data"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench", destination=dlt.destinations.postgres(url), dataset_name="bench", pipelines_dir=folder, progress=None
    )
    pipeline.run(source, loader_file_format="csv").raise_on_failed_jobs()


def count(url: str) -> dict[str, int]:
    """The orders and lines that stand in the database. What dlt itself tells of csv files is their number of fields."""
    import psycopg  # noqa: PLC0415  it is no part of what is measured

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT (SELECT count(*) FROM bench.orders), (SELECT count(*) FROM bench.orders__lines)").fetchone()
    assert row is not None
    return {"orders": row[0], "lines": row[1]}


def main() -> None:
    """`dlt_load.py URL PORT POSTMASTER`: one line of JSON."""
    url, port, postmaster = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    with tempfile.TemporaryDirectory(prefix="hub-bench-dlt-") as folder, measured(postmaster, from_start=True) as cost:
        load(url, port, folder)
    print(json.dumps({**count(url), "cost": vars(cost), "mib": peak_mib()}))


if __name__ == "__main__":
    main()
