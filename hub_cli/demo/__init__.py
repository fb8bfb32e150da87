"""`hub demo`: the whole story on one machine, from nothing to drift 0."""
