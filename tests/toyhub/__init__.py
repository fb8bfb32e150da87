"""A hub small enough to see through, with the classic bugs as switches: it shows that the oracle can convict and can acquit."""
