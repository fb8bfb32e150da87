"""Funds and claims: marketing money (MDF), special prices made good, stock protected against price cuts."""
