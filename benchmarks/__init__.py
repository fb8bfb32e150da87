"""What the hub costs, measured side by side with what it is compared with. `python -m benchmarks`; method and SQL: docs/benchmarks.md."""
