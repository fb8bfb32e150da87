"""Reckoning on the ledger, night by night: programmes that are rated together, their kept sums, and what follows from new facts."""
