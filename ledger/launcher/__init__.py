"""A PostgreSQL server of the hub's own, for trial and tests; the public door is `ledger.postgres`."""
