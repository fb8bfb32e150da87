"""Quotes on the ledger."""
