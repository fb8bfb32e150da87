"""Tests of the seeded world: its figures, its planted faults, and that it loads into both stand-ins."""
