"""The documentation, tested: complete, true to the code, and without dead ends."""
