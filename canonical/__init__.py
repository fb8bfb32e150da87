"""The canonical channel data model: one module per aggregate; money, units, time, identifiers. Imports nothing of ours."""
