"""Fences: where a dealer may sell, and what is done about goods beyond."""
