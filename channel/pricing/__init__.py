"""Prices: what a dealer pays, every rung of it explained; who may grant what; quotes and what became of them."""
